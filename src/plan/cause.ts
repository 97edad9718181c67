import type { DeclaredResource } from '../resources/resource.ts';
import type { ResourceId } from '../resources/state.ts';
import type { Facts } from '../roles/role.ts';
import { declaredDigest, factNames, type Applied, type FactName } from './applied.ts';
import type { ChangedFact, ChangeEvent } from './event.ts';
import type { PlannedChange } from './host-plan.ts';

/** Why a resource is not as declared. */
export type Cause = Pick<ChangeEvent, 'cause' | 'facts'>;

export interface History {
  /** What was last applied to the host. */
  readonly applied: Applied;
  readonly facts: Facts;
  /** What the roles declare for the host if these are its facts. Pure. */
  readonly declare: (facts: Facts) => readonly DeclaredResource[];
}

type Digests = ReadonlyMap<ResourceId, string>;

/** What would be declared with other facts; undefined where the roles refuse them. */
function declaredWith({ declare, facts }: History, others: object): Digests | undefined {
  try {
    return new Map(
      declare({ ...facts, ...others }).map((resource) => [resource.id, declaredDigest(resource).digest]),
    );
  } catch {
    return undefined;
  }
}

/** The facts that are others now than at the last apply, as they were. */
function changedFacts({ applied, facts }: History): ReadonlyMap<FactName, unknown> {
  const before = factNames.map((name) => [name, applied.facts?.[name]] as const);
  return new Map(
    before.filter(
      ([name, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(facts[name]),
    ),
  );
}

const mebibyte = 2 ** 20;

/** A list is shown by what has gone and what has come. */
function shown(name: FactName, before: unknown, now: unknown): ChangedFact {
  const values = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
  const without = (some: readonly unknown[], others: readonly unknown[]): string | null => {
    const rest = some.filter((value) => !others.includes(value));
    return rest.length === 0 ? null : rest.join(', ');
  };
  const text = (value: unknown): unknown =>
    name === 'memory' ? `${Math.round(Number(value) / mebibyte)} MiB` : value;
  const [old, recent] = [values(text(before)), values(text(now))];
  return { name, from: without(old, recent), to: without(recent, old) };
}

/**
 * Tells why the resources of a host differ. With the declaration of the last apply it is drift. With another one that
 * the facts of that time would not have led to, it is these facts; else somebody has changed the configuration.
 */
export function causes(history: History): (change: PlannedChange) => Cause {
  const { applied, facts } = history;
  const changed = changedFacts(history);
  const known = new Map<string, Digests | undefined>();
  const before = (names: readonly FactName[]): Digests | undefined => {
    const key = names.join(' ');
    if (!known.has(key)) {
      const others = Object.fromEntries(names.map((name) => [name, changed.get(name)]));
      known.set(key, declaredWith(history, others));
    }
    return known.get(key);
  };
  return (change) => {
    const { id, resource, isTriggered, knownAfter } = change;
    if (isTriggered === true || knownAfter !== undefined) return { cause: 'configuration' };
    const { digest } = declaredDigest(resource);
    const last = applied.resources.get(id)?.digest;
    if (last === digest || resource.type.comparison?.deep === true) return { cause: 'drift' };
    if (changed.size === 0) return { cause: 'configuration' };
    const names = [...changed.keys()];
    const then = before(names);
    if (then === undefined || then.get(id) !== last) return { cause: 'configuration' };
    const alone = names.filter((name) => before([name])?.get(id) !== digest);
    const deciding = alone.length === 0 ? names : alone;
    return {
      cause: 'fact',
      facts: deciding.map((name) => shown(name, changed.get(name), facts[name])),
    };
  };
}
