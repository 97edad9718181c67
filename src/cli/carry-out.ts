import type { HostSummary } from '../plan/event.ts';
import { applyHosts } from '../workers/apply-hosts.ts';
import type { RunHost } from '../workers/plan-hosts.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import type { Interrupts } from './interrupt.ts';
import { reportLost, type OpenRun } from './open-run.ts';
import { hostSummaries, hostSummary, lostStatus } from './summary.ts';

/** What has become of a host. */
function appliedSummary({ lost }: OpenRun): (host: RunHost, name: string) => HostSummary {
  return (host, name) => {
    const { changed, failed, skipped } = host.progress;
    return hostSummary(host, { changed, failed, skipped, unreachable: lost.has(name) });
  };
}

/** Changes the hosts, and says how it ended. The first interruption ends it after the steps in hand. */
export async function carryOut(run: OpenRun, forks: number, interrupts: Interrupts): Promise<ExitStatus> {
  const { site, reporter, lost, clock, origin } = run;
  const { signal } = interrupts;
  interrupts.onTold((isSecond) => reporter.interrupted(isSecond));
  const lostUnderWay = await applyHosts(run, { plays: site.plays, forks, signal });
  for (const [host, error] of lostUnderWay) lost.set(host, [error]);
  reportLost(reporter, new Map([...lostUnderWay].map(([host, error]) => [host, [error]])));
  const hosts = hostSummaries(run, appliedSummary(run));
  const undone = Object.values(hosts).some((host) => host.failed > 0 || host.skipped > 0);
  reporter.report({
    type: 'summary',
    command: 'apply',
    ok: lost.size === 0 && !undone && !signal.aborted,
    ...(signal.aborted && { interrupted: true }),
    seconds: clock.elapsed(),
    run: origin,
    hosts,
  });
  if (signal.aborted) return exitStatus.interrupted;
  const failed = Object.entries(hosts).some(
    ([name, host]) => host.failed > 0 || (host.skipped > 0 && !lost.has(name)),
  );
  return failed ? exitStatus.failed : (lostStatus(lost) ?? exitStatus.ok);
}
