import fc from 'fast-check';
import type { FaultSite } from './recovery.ts';

/** When a run is broken off: after a share of its usual time, or as soon as a host has a certain request. */
export type Moment = { readonly share: number } | { readonly request: number };

/** What a run is like that nobody disturbs. */
export interface Usual {
  readonly seconds: number;
  readonly requests: number;
}

export const seed = Number(process.env['HOSTWRIGHT_SEED'] ?? Date.now() % 1_000_000);

export function nameOf(moment: Moment): string {
  return 'share' in moment
    ? `after ${Math.round(moment.share * 100)} % of its time`
    : `in request ${moment.request}`;
}

/** One number at random in each of `count` equal parts of 0 to 1: all of a run gets its turn. */
export function spread(count: number, salt: number): readonly number[] {
  const jitter = fc.noBias(fc.integer({ min: 0, max: 999 }));
  return fc
    .sample(jitter, { seed: seed + salt, numRuns: count })
    .map((thousandths, index) => (index + thousandths / 1000) / count);
}

/** The first two requests read; a run is broken off in one of those that follow. */
export function requestAt(share: number, { requests }: Usual): Moment {
  return { request: Math.min(requests, 3 + Math.floor(share * (requests - 2))) };
}

/** Resolves when the host has got a request of that number or a later one of some session. */
export async function reaches(site: FaultSite, host: string, request: number): Promise<void> {
  await site.hosts.ssh(
    host,
    `end=$(($(date +%s) + 240))
until ls /run/hostwright/session.*/ 2>/dev/null | awk -F. '/script$/ && $1 >= ${request} { f = 1 } END { exit !f }'; do
  [ "$(date +%s)" -lt "$end" ] || exit 1
  sleep 0.01
done`,
  );
}

/** Starts `apply` and calls `breakOff` at that moment; gives how the run ended, and whether that came first. */
export async function breakOffAt(
  site: FaultSite,
  usual: Usual,
  moment: Moment,
  breakOff: (child: ReturnType<FaultSite['hosts']['start']>) => void,
): Promise<{ readonly inTime: boolean }> {
  const [host = ''] = site.names;
  const reached = 'request' in moment ? reaches(site, host, moment.request) : undefined;
  const child = site.hosts.start('apply', '--yes', ...site.words());
  const state = { ended: false };
  const ended = new Promise<void>((done) => {
    child.once('exit', () => {
      state.ended = true;
      done();
    });
  });
  const due =
    reached ??
    new Promise<void>((done) =>
      setTimeout(done, 1000 * usual.seconds * ('share' in moment ? moment.share : 1)),
    );
  await Promise.race([due, ended]);
  const inTime = !state.ended;
  breakOff(child);
  await ended;
  return { inTime };
}
