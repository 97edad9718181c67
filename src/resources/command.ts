import { z } from 'zod';
import { isSecret } from '../secrets/secret.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import { argv, oneLine, secret } from './attribute.ts';
import { ancestors, path } from './path.ts';
import {
  declare,
  each,
  Unreadable,
  type Resource,
  type ResourceId,
  type ResourceOptions,
  type ResourceType,
} from './resource.ts';

/** Seconds for a guard: one that hangs would keep every plan waiting. */
const guardTimeout = 20;

const schema = z
  .strictObject({
    name: oneLine.min(1).describe('What it reaches, for the plan: `initialise the database`'),
    run: argv.describe('The command and its words, run without a shell'),
    unless: argv
      .optional()
      .describe(
        `A guard that changes nothing and exits 0 once the state is reached, within ${guardTimeout} s`,
      ),
    creates: path.optional().describe('A guard: the path that is there once the state is reached'),
    stdin: z
      .union([z.string(), secret('expected a Secret')])
      .optional()
      .describe('Its standard input, the one place for a secret'),
    timeout: z.number().positive().default(300).describe('Seconds that it may take'),
    absent: z.literal(false).optional(),
  })
  .refine((command) => (command.unless === undefined) !== (command.creates === undefined), {
    message: 'expected one guard: "unless" or "creates"',
  });

type Command = z.output<typeof schema>;

/** Leaves 0 in $reached where the state is reached. */
function guard({ unless, creates = '' }: Command): Script {
  if (unless === undefined) return sh`reached=0; [ -e ${creates} ] || [ -L ${creates} ] || reached=1`;
  return sh`reached=0; timeout -k 1 ${guardTimeout} ${unless} </dev/null >/dev/null 2>&1 || reached=$?`;
}

export const commandType: ResourceType<Command> = {
  name: 'command',
  summary:
    'A command that is run unless its guard says that the state is reached; for what no other type does',
  schema,
  key: (command) => command.name,
  want: () => ({ reached: true }),
  probe: (batch) => ({
    script: lines(batch.flatMap((command) => [guard(command), sh`echo "$reached"`])),
  }),
  parse: (output, batch) => {
    const answers = output.toString('utf8').split('\n');
    return batch.map((command, index) => {
      const answer = answers[index] ?? '';
      if (!/^\d+$/.test(answer)) throw new RangeError(`unexpected answer "${answer}" for ${command.name}`);
      if (answer === '124' || answer === '137') {
        return new Unreadable(`its guard does not end within ${guardTimeout} seconds`);
      }
      return { reached: answer === '0' };
    });
  },
  action: () => 'run',
  apply: each(({ id, desired: command }) => {
    const input = command.stdin === undefined ? sh`</dev/null` : sh``;
    // What a command prints is shown when it fails; many print what they read.
    const output = isSecret(command.stdin) ? sh`>/dev/null` : sh`>&2`;
    const script = sh`${guard(command)}
if [ "$reached" -ne 0 ]; then ${command.run} ${input} ${output}; fi`;
    const step = { resources: [id], title: command.name, script, timeout: command.timeout * 1000 };
    if (command.stdin === undefined) return step;
    return { ...step, stdin: Buffer.from(isSecret(command.stdin) ? command.stdin.reveal() : command.stdin) };
  }),
  after: (command): readonly ResourceId[] =>
    command.creates === undefined
      ? []
      : ancestors(command.creates).map((above): ResourceId => `directory:${above}`),
};

/** `command('make DH parameters', { run: ['openssl', 'dhparam', …], creates: '/etc/ssl/dh.pem' })`. */
export function command(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(commandType, { name, ...attributes }, options);
}
