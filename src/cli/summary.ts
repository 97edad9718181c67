import type { HostwrightError } from '../errors.ts';
import type { HostSummary } from '../plan/event.ts';
import type { PlannedHosts, RunHost } from '../workers/plan-hosts.ts';
import { exitStatus, type ExitStatus } from './exit.ts';

export function hostSummary(host: RunHost, counted: Partial<HostSummary> = {}): HostSummary {
  return {
    resources: host.resources,
    changes: host.changes,
    changed: 0,
    failed: 0,
    skipped: 0,
    unreachable: false,
    roundTrips: host.roundTrips,
    ...counted,
  };
}

const unreachableCodes = new Set(['E_CONNECT', 'E_TIMEOUT', 'E_AUTH', 'E_HOST_KEY']);

export function isUnreachable(errors: readonly HostwrightError[]): boolean {
  return errors.every((error) => unreachableCodes.has(error.code));
}

const configurationCodes = new Set<string>(['E_VARIABLE', 'E_ROLE', 'E_RESOURCE', 'E_TEMPLATE', 'E_SECRET']);

/** Whether the error is in the user's files, found only when the resources of a host were made. */
export function isConfiguration(error: Pick<HostwrightError, 'code'>): boolean {
  return configurationCodes.has(error.code);
}

export const lostSummary = (errors: readonly HostwrightError[]): HostSummary => ({
  resources: 0,
  changes: 0,
  changed: 0,
  failed: isUnreachable(errors) ? 0 : 1,
  skipped: 0,
  unreachable: isUnreachable(errors),
  roundTrips: 0,
});

/** The exit status of a run that lost hosts; undefined when it lost none. */
export function lostStatus(lost: ReadonlyMap<string, readonly HostwrightError[]>): ExitStatus | undefined {
  if (lost.size === 0) return undefined;
  if ([...lost.values()].flat().some(isConfiguration)) return exitStatus.configuration;
  return [...lost.values()].every(isUnreachable) ? exitStatus.unreachable : exitStatus.failed;
}

/** The numbers of every host, those first that have a plan. */
export function hostSummaries(
  { hosts, lost }: Pick<PlannedHosts, 'hosts' | 'lost'>,
  summarize: (host: RunHost, name: string) => HostSummary = (host) => hostSummary(host),
): Readonly<Record<string, HostSummary>> {
  const withoutPlan = [...lost].filter(([name]) => !hosts.has(name));
  return Object.fromEntries([
    ...[...hosts].map(([name, host]) => [name, summarize(host, name)] as const),
    ...withoutPlan.map(([name, errors]) => [name, lostSummary(errors)] as const),
  ]);
}
