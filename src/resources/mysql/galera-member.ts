import { z } from 'zod';
import { HostwrightError } from '../../errors.ts';
import { sh } from '../../transport/shell.ts';
import { argv } from '../attribute.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import { Unreadable, type Change } from '../state.ts';
import type { Ask } from '../step.ts';
import { askServer, parseAnswer, probeServer, type Question } from './question.ts';
import { runSql, sqlBytes } from './sql.ts';

const schema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, 'expected the name of a host'),
  options: z
    .array(z.string().regex(/^[\w.]+=.+$/, 'expected NAME=VALUE'))
    .default([])
    .describe('Options of the provider that must be in force; only a restart changes them'),
  restart: argv.describe('Restarts the server so that the cluster stays'),
  start: z
    .string()
    .default('joins')
    .describe('What a start does, for the plan: joins a cluster, or begins one and why. The service does it'),
});

type Member = z.output<typeof schema>;

const question: Question = {
  rows: ['cluster_status', 'cluster_size', 'local_state_comment']
    .map((name) => `SHOW GLOBAL STATUS LIKE 'wsrep_${name}';\n`)
    .concat("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wsrep_provider_options', 'read_only');")
    .join(''),
};

/** `name = value; …` as the provider says it, and `name=value` as it is declared. */
function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  const value = text.slice(at + 1).trim();
  return [text.slice(0, at).trim(), value.toLowerCase().replace(/^(?:ssl|tcp):\/\//, '')];
}

function different(declared: readonly string[], found: string): string {
  const now = new Map(found.split(';').map(pair));
  const others = declared.filter((text) => {
    const [name, value] = pair(text);
    return now.get(name) !== value;
  });
  return others.map((text) => `${pair(text)[0]}=${now.get(pair(text)[0]) ?? ''}`).join('; ') || 'as declared';
}

function stateOf(rows: readonly string[], desired: Member) {
  const found = new Map(
    rows.map((row) => [row.slice(0, row.indexOf('\t')), row.slice(row.indexOf('\t') + 1)]),
  );
  const cluster = found.get('wsrep_cluster_status') ?? 'none';
  const comment = found.get('wsrep_local_state_comment') ?? 'none';
  return {
    cluster: cluster === 'non-Primary' ? `non-Primary, sees ${found.get('wsrep_cluster_size')}` : cluster,
    // While it gives its data to another member.
    state: comment.startsWith('Donor') ? 'Synced' : comment,
    readOnly: found.get('read_only') === 'ON',
    options: different(desired.options, found.get('wsrep_provider_options') ?? ''),
    start: cluster === 'Primary' ? desired.start : 'none',
  };
}

async function look(on: Ask, desired: Member): Promise<ReturnType<typeof stateOf>> {
  const { script } = askServer('mariadb', [question]);
  const rows = parseAnswer(await on(script));
  if (rows instanceof Unreadable)
    throw new HostwrightError('E_REMOTE', `the server does not answer: ${rows.reason}`);
  return stateOf(rows, desired);
}

/** Seconds for a member that has lost the others to find them again by itself. */
const patience = 60;

async function takePart(on: Ask, { desired }: Change<Member>): Promise<void> {
  for (let second = 0; ; second += 1) {
    const { cluster, state, readOnly, options } = await look(on, desired);
    if (cluster === 'Primary' && state === 'Synced') {
      if (readOnly) await on(runSql('mariadb'), sqlBytes(['SET GLOBAL read_only = OFF']));
      if (options === 'as declared') return;
      await on(sh`${desired.restart}`, undefined, 30 * 60_000);
      return;
    }
    if (second >= patience) {
      throw new HostwrightError(
        'E_REMOTE',
        `this member is ${cluster}, ${state}: it takes no statements, and finds the others by itself once they run ` +
          'and the network lets them talk (port 4567)\nif all others are gone for good, this one alone can go on ' +
          "with what it has: SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'. If one of them lives, that makes " +
          'two clusters that never become one again',
      );
    }
    await on(sh`sleep 1`);
  }
}

export const galeraMemberType = defineResource({
  name: 'galera_member',
  summary:
    'A MariaDB server that takes part in a Galera cluster that has a majority, with all that the others have',
  schema,
  key: ({ name }) => name,
  want: ({ start }) => ({
    cluster: 'Primary',
    state: 'Synced',
    readOnly: false,
    options: 'as declared',
    start,
  }),
  probe: (batch) =>
    probeServer('mariadb', batch, question, (rows) => batch.map((desired) => stateOf(rows, desired))),
  apply: (changes) =>
    changes.map((change) => ({
      resources: [change.id],
      title: 'take part in the cluster',
      converse: (on) => takePart(on, change),
    })),
  order: { provides: () => false },
});

/** The server of this host in a cluster: `galeraMember('web2', { restart: ['systemctl', 'restart', 'mariadb'] })`. */
export function galeraMember(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(galeraMemberType, { name, ...attributes }, options);
}
