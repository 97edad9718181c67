import type { Alert, Labels } from './answers.ts';

const order = ['critical', 'warning'];

function same(one: Labels, other: Labels): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

export interface Sorted {
  /** The worst first, then the oldest. */
  readonly firing: readonly Alert[];
  /** They hold, and fire when that lasts. */
  readonly pending: readonly Alert[];
  /** Nobody is told of them: they follow from another one, or are silenced. */
  readonly suppressed: readonly Alert[];
}

export function sortAlerts(alerts: readonly Alert[], suppressed: readonly Labels[]): Sorted {
  const rank = ({ labels }: Alert): number => {
    const found = order.indexOf(labels['severity'] ?? '');
    return found === -1 ? order.length : found;
  };
  const sorted = alerts.toSorted((a, b) => rank(a) - rank(b) || a.activeAt.localeCompare(b.activeAt));
  const firing = sorted.filter(({ state }) => state === 'firing');
  const isSuppressed = ({ labels }: Alert): boolean => suppressed.some((one) => same(one, labels));
  return {
    firing: firing.filter((alert) => !isSuppressed(alert)),
    pending: sorted.filter(({ state }) => state === 'pending'),
    suppressed: firing.filter(isSuppressed),
  };
}
