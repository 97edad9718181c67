import type { PlanNode } from '../plan/graph.ts';
import type { DeclaredResource } from '../resources/resource.ts';
import type { HostRun } from './host-run.ts';

/** The nodes of a host that have changes without an outcome, each with every node before it, at any distance. */
export type Left = ReadonlyMap<PlanNode, ReadonlySet<PlanNode>>;

function ancestors(node: PlanNode, seen = new Set<PlanNode>()): ReadonlySet<PlanNode> {
  for (const earlier of node.after) {
    if (seen.has(earlier)) continue;
    seen.add(earlier);
    ancestors(earlier, seen);
  }
  return seen;
}

function openMembers({ plan, outcomes }: HostRun, node: PlanNode): readonly DeclaredResource[] {
  return node.members.filter((member) => plan.changes.has(member.id) && !outcomes.has(member.id));
}

export function isOpen(run: HostRun, node: PlanNode): boolean {
  return openMembers(run, node).length > 0;
}

export function nodesLeft(run: HostRun): Left {
  return new Map(
    run.plan.nodes.filter((node) => isOpen(run, node)).map((node) => [node, ancestors(node)] as const),
  );
}

/** Those of `left` that a play may change now: all that comes before them is done. */
export function readyNodes(run: HostRun, left: Left, play: number): readonly PlanNode[] {
  const waiting = new Set([...left.keys()].filter((node) => isOpen(run, node)));
  return [...waiting].filter(
    (node) =>
      openMembers(run, node).every((member) => member.play <= play) &&
      [...(left.get(node) ?? [])].every((earlier) => !waiting.has(earlier)),
  );
}
