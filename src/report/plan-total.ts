import type { Action } from '../resources/state.ts';
import type { ChangeEvent, HostSummary } from '../plan/event.ts';
import type { Planned } from './reporter.ts';
import { count, duration, enumerate } from './layout.ts';
import { printable } from './printable.ts';

const NAMED = 10;

const words = [
  ['create', (number) => `${number} to create`],
  ['update', (number) => `${number} to update`],
  ['delete', (number) => `${number} to remove`],
  ['run', (number) => `${number} to run`],
  ['reload', (number) => count(number, 'reload')],
  ['restart', (number) => count(number, 'restart')],
] as const satisfies readonly (readonly [Action, (number: number) => string])[];

/** The sum of one number over all hosts. */
export function total(
  hosts: Planned['hosts'],
  key: 'resources' | 'changes' | 'changed' | 'failed' | 'skipped',
): number {
  return Object.values(hosts).reduce((sum, host) => sum + host[key], 0);
}

/** Names of the hosts for which `is` holds, in the order of the summary. */
export function hostsThat(hosts: Planned['hosts'], is: (host: HostSummary) => boolean): string[] {
  return Object.entries(hosts)
    .filter(([, host]) => is(host))
    .map(([name]) => printable(name));
}

function remark(names: readonly string[], what: string): string {
  return names.length === 0 ? '' : `; ${what}: ${enumerate(names, NAMED)}`;
}

/** The number of planned hosts, and the names of the others. */
interface Known {
  readonly hosts: number;
  /** `; unreachable: web3`. */
  readonly unknown: string;
}

function knownHosts(hosts: Planned['hosts'], broken: ReadonlySet<string>): Known {
  const unreachable = hostsThat(hosts, (host) => host.unreachable);
  const faulty = [...broken].map(printable).filter((name) => !unreachable.includes(name));
  const known = Object.keys(hosts).filter((name) => hosts[name]?.unreachable === false && !broken.has(name));
  return {
    hosts: known.length,
    unknown: remark(unreachable, 'unreachable') + remark(faulty, 'not planned'),
  };
}

const noHost = 'no selected host has a role';

function changing(changes: readonly ChangeEvent[]): string {
  return `on ${count(new Set(changes.map(({ host }) => host)).size, 'host')}`;
}

/**
 * `Plan: 14 to create, 2 reloads on 3 hosts; 131 unchanged. 0.8 s`, or `Nothing to do`. It names the hosts that
 * could not be planned.
 */
export function planTotal(
  changes: readonly ChangeEvent[],
  { hosts, seconds }: Planned,
  broken: ReadonlySet<string> = new Set(),
): string {
  const time = duration(seconds * 1000);
  const known = knownHosts(hosts, broken);
  const resources = total(hosts, 'resources');
  if (Object.keys(hosts).length === 0) return `Nothing to do: ${noHost}. ${time}`;
  if (changes.length === 0) {
    if (known.hosts === 0) return `Plan: no host could be planned${known.unknown}. ${time}`;
    const where = `${count(resources, 'resource')} unchanged on ${count(known.hosts, 'host')}`;
    return `Nothing to do: ${where}${known.unknown}. ${time}`;
  }
  const parts = words.flatMap(([action, word]) => {
    const number = changes.filter((change) => change.action === action).length;
    return number === 0 ? [] : [word(number)];
  });
  const rest = `${resources - changes.length} unchanged`;
  return `Plan: ${parts.join(', ')} ${changing(changes)}; ${rest}${known.unknown}. ${time}`;
}

/** What the host itself has changed: away from its declarations, or into another host. */
function drifting(changes: readonly ChangeEvent[]): string {
  const byFact = changes.filter(({ cause }) => cause === 'fact').length;
  const parts = [
    ...(byFact < changes.length ? [`${changes.length - byFact} drifted`] : []),
    ...(byFact > 0 ? [`${byFact} changed by facts of the host`] : []),
  ];
  return `${parts.join(', ')} ${changing(changes)}`;
}

/**
 * `Drift: 3 drifted on 1 host; 2 changed in the configuration (see plan), 40 unchanged. 0.8 s`. The number of changes
 * from a new configuration is separate: they have not drifted, but are not unchanged either.
 */
export function driftTotal(
  drifted: readonly ChangeEvent[],
  { hosts, seconds }: Planned,
  broken: ReadonlySet<string> = new Set(),
): string {
  const time = duration(seconds * 1000);
  const known = knownHosts(hosts, broken);
  if (Object.keys(hosts).length === 0) return `No drift: ${noHost}. ${time}`;
  if (drifted.length === 0 && known.hosts === 0)
    return `Drift: no host could be checked${known.unknown}. ${time}`;
  const pending = Object.values(hosts).reduce((sum, host) => sum + (host.pending ?? 0), 0);
  const unchanged = total(hosts, 'resources') - drifted.length - pending;
  const rest = [
    ...(pending === 0 ? [] : [`${pending} changed in the configuration (see plan)`]),
    `${unchanged} unchanged`,
  ].join(', ');
  if (drifted.length === 0)
    return `No drift on ${count(known.hosts, 'host')}: ${rest}${known.unknown}. ${time}`;
  return `Drift: ${drifting(drifted)}; ${rest}${known.unknown}. ${time}`;
}
