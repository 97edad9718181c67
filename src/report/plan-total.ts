import type { Action } from '../resources/resource.ts';
import type { ChangeEvent, HostSummary, Planned } from './event.ts';
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

/**
 * `Plan: 14 to create, 2 reloads on 3 hosts; 131 as they should be. 0.8 s`, or that there is nothing to do.
 * Hosts that could not be planned are named: of them nothing is known.
 */
export function planTotal(
  changes: readonly ChangeEvent[],
  planned: Planned,
  broken: ReadonlySet<string> = new Set(),
): string {
  const { hosts } = planned;
  const time = duration(planned.seconds * 1000);
  const unreachable = hostsThat(hosts, (host) => host.unreachable);
  const faulty = [...broken].map(printable).filter((name) => !unreachable.includes(name));
  const unknown = remark(unreachable, 'unreachable') + remark(faulty, 'not planned');
  const known = Object.keys(hosts).filter((name) => hosts[name]?.unreachable === false && !broken.has(name));
  const resources = total(hosts, 'resources');
  if (Object.keys(hosts).length === 0)
    return `Nothing to do: no host is in this part of the inventory. ${time}`;
  if (changes.length === 0) {
    if (known.length === 0) return `Plan: nothing is known${unknown}. ${time}`;
    const where = `${count(resources, 'resource')} on ${count(known.length, 'host')}`;
    return `Nothing to do: ${where} ${resources === 1 ? 'is' : 'are'} as they should be${unknown}. ${time}`;
  }
  const parts = words.flatMap(([action, word]) => {
    const number = changes.filter((change) => change.action === action).length;
    return number === 0 ? [] : [word(number)];
  });
  const changing = new Set(changes.map(({ host }) => host)).size;
  const rest = `${resources - changes.length} as they should be`;
  return `Plan: ${parts.join(', ')} on ${count(changing, 'host')}; ${rest}${unknown}. ${time}`;
}
