import type { Unit } from '../plan/graph.ts';
import type { ResourceId } from '../resources/state.ts';
import { nextBatch } from './batch.ts';
import { executeBatch } from './execute.ts';
import { settle, type HostRun } from './host-run.ts';
import { guardOf } from '../rollback/way-in.ts';

/** Every unit before this one, at any distance. */
function ancestors(unit: Unit, seen = new Set<Unit>()): ReadonlySet<Unit> {
  for (const earlier of unit.after) {
    if (seen.has(earlier)) continue;
    seen.add(earlier);
    ancestors(earlier, seen);
  }
  return seen;
}

/** The change that stands in the way of a unit because it failed or was skipped itself. */
function blockedBy(run: HostRun, before: ReadonlySet<Unit>): ResourceId | undefined {
  for (const unit of before) {
    const failed = unit.members.find((member) => run.outcomes.get(member.id) === 'failed');
    if (failed !== undefined) return failed.id;
  }
  return undefined;
}

/**
 * Carries out the changes of one play on one host: what does not depend on a failed resource goes on. What
 * needs something of a later play waits for that one. A failed resource is an outcome; only a lost connection
 * throws, after everything left is reported as skipped.
 */
export async function applyPlay(run: HostRun, play: number): Promise<void> {
  const { units, changes } = run.plan;
  const openMembers = (unit: Unit) =>
    unit.members.filter((member) => changes.has(member.id) && !run.outcomes.has(member.id));
  const isOpen = (unit: Unit): boolean => openMembers(unit).length > 0;
  const isDue = (unit: Unit): boolean => openMembers(unit).every((member) => member.play <= play);
  const before = new Map(units.filter(isOpen).map((unit) => [unit, ancestors(unit)]));
  try {
    for (;;) {
      const open = [...before.keys()].filter(isOpen);
      for (const unit of open) {
        const culprit = blockedBy(run, before.get(unit) ?? new Set());
        if (culprit !== undefined) skip(run, unit, `needs ${culprit}, which failed`);
      }
      const waiting = new Set(open.filter(isOpen));
      const ready = [...waiting].filter(
        (unit) => isDue(unit) && [...(before.get(unit) ?? [])].every((earlier) => !waiting.has(earlier)),
      );
      if (ready.length === 0 || run.signal.aborted) return;
      await executeBatch(
        run,
        nextBatch(ready, changes, (change) => guardOf(change, run.login) !== undefined),
      );
    }
  } catch (error) {
    for (const unit of before.keys()) skip(run, unit, 'the host was lost');
    throw error;
  } finally {
    run.report({ type: 'step', host: run.plan.host, title: null });
  }
}

/** Reports every change of a unit that has no outcome yet as skipped. */
function skip(run: HostRun, unit: Unit, reason: string): void {
  for (const member of unit.members) {
    const change = run.plan.changes.get(member.id);
    if (change !== undefined && !run.outcomes.has(member.id)) settle(run, change, 'skipped', 0, reason);
  }
}
