import { z } from 'zod';
import { isSecret } from '../secrets/secret.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import { argv, oneLine, secretValue } from './attribute.ts';
import { endedFunction } from './shell/ended.ts';
import { ancestors, path } from './path.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from './resource.ts';
import { Unreadable, type ResourceId } from './state.ts';
import { each } from './step.ts';

/** Seconds for a guard: one that hangs would keep every plan waiting. */
const guardTimeout = 20;

const schema = z
  .strictObject({
    name: oneLine.min(1).describe('The purpose, shown in the plan: `initialise the database`'),
    run: argv.describe('The program and its arguments, run without a shell'),
    unless: argv
      .optional()
      .describe(
        `A guard: a command that changes nothing, and succeeds when \`run\` is not needed. It may take ${guardTimeout} s. A missing program is an error, unless an earlier change of the plan may install it`,
      ),
    creates: path.optional().describe('A guard: the command runs only while this path does not exist'),
    stdin: z
      .union([z.string(), secretValue('expected a Secret')])
      .optional()
      .describe('The standard input; the only place for a secret'),
    timeout: z.number().positive().default(300).describe('Seconds until the host ends the command'),
    absent: z.literal(false).optional(),
  })
  .refine((command) => (command.unless === undefined) !== (command.creates === undefined), {
    message: 'expected one guard: "unless" or "creates"',
  });

type Command = z.output<typeof schema>;

/** Leaves 0 in $reached where the state is reached; what `unless` ends with otherwise. */
function guard({ unless, creates = '' }: Command): Script {
  if (unless === undefined) return sh`reached=0; [ -e ${creates} ] || [ -L ${creates} ] || reached=1`;
  return sh`reached=0; timeout -k 1 ${guardTimeout} ${unless} </dev/null >/dev/null 2>&1 || reached=$?`;
}

/** Why the status of a guard answers nothing: it is that of `timeout` and of shells, not of the guard. */
function whyUnanswered(status: number, { unless = [] }: Command): string | undefined {
  if (status === 124 || status === 137) return `its guard does not end within ${guardTimeout} seconds`;
  if (status !== 126 && status !== 127) return undefined;
  const found = status === 127 ? 'does not exist' : 'cannot be executed';
  return `a program of its guard ${found} (exit status ${status} of: ${unless.join(' ').slice(0, 200)}); correct it, install its package first, or use "creates" if the command itself installs it`;
}

/** Runs the command for its time and no longer; a shell of its own may have children, which end as well. */
function runInTime(command: Command): Script {
  const input = command.stdin === undefined ? sh`</dev/null` : sh``;
  // What a command prints is shown when it fails; many print what they read.
  const output = isSecret(command.stdin) ? sh`>/dev/null` : sh`>&2`;
  return sh`began=$(date +%s)
status=0
timeout -k 5 ${command.timeout} ${command.run} ${input} ${output} || status=$?
case $status in
124 | 137)
  if [ $(($(date +%s) - began)) -ge ${Math.floor(command.timeout)} ]; then
    printf '%.200s\n' ${`${command.run.join(' ')} did not end within its timeout of ${command.timeout} s and was ended`} >&2
    exit 1
  fi ;;
esac
hw_ended "$status" ${command.run}`;
}

export const commandType = defineResource({
  name: 'command',
  summary: 'A command with a guard. Use it when no other resource type fits',
  schema,
  key: (command) => command.name,
  want: () => ({ reached: true }),
  probe: (batch) => ({
    script: lines(batch.flatMap((command) => [guard(command), sh`echo "$reached"`])),
    parse: (output) => {
      const answers = output.toString('utf8').split('\n');
      return batch.map((command, index) => {
        const answer = answers[index] ?? '';
        if (!/^\d+$/.test(answer)) throw new RangeError(`unexpected answer "${answer}" for ${command.name}`);
        const why = whyUnanswered(Number(answer), command);
        return why === undefined ? { reached: answer === '0' } : new Unreadable(why);
      });
    },
  }),
  apply: each(({ id, desired: command }) => {
    const script = sh`${endedFunction}
${guard(command)}
case $reached in
0) exit 0 ;;
124 | 126 | 127 | 137) hw_ended "$reached" 'the guard' ${command.unless ?? []} ;;
esac
${runInTime(command)}`;
    // The host ends it in time; this is for a host that does not.
    const timeout = (command.timeout + guardTimeout + 10) * 1000;
    const step = { resources: [id], title: command.name, script, timeout };
    if (command.stdin === undefined) return step;
    return { ...step, stdin: Buffer.from(isSecret(command.stdin) ? command.stdin.reveal() : command.stdin) };
  }),
  comparison: { action: () => 'run' },
  files: { alsoOwns: ({ creates }) => (creates === undefined ? [] : [creates]) },
  order: {
    after: ({ creates }) =>
      creates === undefined ? [] : ancestors(creates).map((above): ResourceId => `directory:${above}`),
  },
});

/** `command('make DH parameters', { run: ['openssl', 'dhparam', …], creates: '/etc/ssl/dh.pem' })`. */
export function command(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(commandType, { name, ...attributes }, options);
}
