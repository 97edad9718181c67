import type { PlanNode } from '../plan/graph.ts';
import type { ResourceId } from '../resources/state.ts';
import { nextBatch } from './batch.ts';
import { putIn, takeOut } from './drain.ts';
import { executeBatch } from './execute.ts';
import { recordOutcome, type HostRun } from './host-run.ts';
import { isOpen, nodesLeft, readyNodes } from './ready.ts';
import { guardOf } from '../rollback/way-in.ts';

/** The change that stands in the way of a node because it failed or was skipped itself. */
function blockedBy(run: HostRun, before: ReadonlySet<PlanNode>): ResourceId | undefined {
  for (const node of before) {
    const failed = node.members.find((member) => run.outcomes.get(member.id) === 'failed');
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
  const { changes, drain } = run.plan;
  let isOut = false;
  const left = nodesLeft(run);
  try {
    for (;;) {
      for (const [node, before] of left) {
        const culprit = isOpen(run, node) ? blockedBy(run, before) : undefined;
        if (culprit !== undefined) skip(run, node, `needs ${culprit}, which failed`);
      }
      const ready = readyNodes(run, left, play);
      if (ready.length === 0 || run.signal.aborted) return;
      const batch = nextBatch(ready, changes, (change) => guardOf(change, run.login) !== undefined);
      if (!isOut && drain !== undefined && batch.changes.some(({ id }) => drain.changes.has(id)))
        isOut = await takeOut(run, drain);
      await executeBatch(run, batch);
    }
  } catch (error) {
    for (const node of left.keys()) skip(run, node, 'the host was lost');
    throw error;
  } finally {
    if (isOut && drain !== undefined) await putIn(run, drain);
    run.report({ type: 'step', host: run.plan.host, title: null });
  }
}

/** Reports every change of a node that has no outcome yet as skipped. */
function skip(run: HostRun, node: PlanNode, reason: string): void {
  for (const member of node.members) {
    const change = run.plan.changes.get(member.id);
    if (change !== undefined && !run.outcomes.has(member.id))
      recordOutcome(run, change, 'skipped', undefined, reason);
  }
}
