import type { Visit } from './simulated-host.ts';

/** The most connections that stood at the same time. */
export function mostAtOnce(visits: readonly Visit[]): number {
  const steps = visits
    .flatMap(({ from, until }) => [
      { at: from, by: 1 },
      { at: until ?? Infinity, by: -1 },
    ])
    .toSorted((a, b) => a.at - b.at || a.by - b.by);
  let [now, most] = [0, 0];
  for (const { by } of steps) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

/** Milliseconds that each connection stood, the shortest first. */
export function lengths(visits: readonly Visit[]): readonly number[] {
  return visits.map(({ from, until }) => (until ?? Infinity) - from).toSorted((a, b) => a - b);
}

/** The longest time in which no connection came to its end, from `began` on: whether anybody had to wait for all. */
export function longestPause(visits: readonly Visit[], began: number): number {
  const ends = visits.map(({ until }) => until ?? Infinity).toSorted((a, b) => a - b);
  return Math.max(...ends.map((end, index) => end - (ends[index - 1] ?? began)));
}
