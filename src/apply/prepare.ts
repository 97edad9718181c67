import type { PlannedChange } from '../plan/host-plan.ts';
import { ask } from '../transport/ask.ts';
import type { Section } from '../transport/sections.ts';
import { defaultTimeout } from '../transport/transport.ts';
import { isTransaction } from './batch.ts';
import { executeBatch } from './execute.ts';
import { failureText } from './failure-text.ts';
import { recordOutcome, type HostRun } from './host-run.ts';
import { withOrigins } from './origin.ts';
import { nodesLeft, readyNodes } from './ready.ts';
import { transactionSteps } from './steps.ts';
import { beginStep } from './stopwatch.ts';
import { rehearsalSection } from './transaction.ts';

/** Changes that the plan could read. */
function isKnown({ knownAfter, unreadable }: PlannedChange): boolean {
  return knownAfter === undefined && unreadable === undefined;
}

/** Those of a play and before it, that have no outcome. */
function openChanges(run: HostRun, play: number): readonly PlannedChange[] {
  return [...run.plan.changes.values()].filter(
    ({ id, resource }) => resource.play <= play && !run.outcomes.has(id),
  );
}

function earlyChanges(run: HostRun, play: number): readonly PlannedChange[] {
  const { changes } = run.plan;
  return readyNodes(run, nodesLeft(run), play)
    .filter((node) => !isTransaction(node, changes))
    .flatMap(({ members }) => members.flatMap(({ id }) => changes.get(id) ?? []))
    .filter((change) => isKnown(change) && change.resource.type.preparation?.isEarly?.(change) === true);
}

/** The first packages of a run bring the others along. */
function fetches(run: HostRun, play: number): readonly Section[] {
  const open = openChanges(run, play);
  const types = new Set(open.map(({ resource }) => resource.type));
  return [...types].flatMap((type) => {
    const isOwn = ({ resource }: PlannedChange): boolean => resource.type === type;
    const hasBegun = [...run.plan.changes.values()].some(
      (change) => isOwn(change) && run.outcomes.has(change.id),
    );
    const script = hasBegun ? undefined : type.preparation?.fetch?.(open.filter(isOwn));
    return script === undefined ? [] : [{ script }];
  });
}

/** The changes that a service validates as a whole, where nothing before them is left to do. */
function rehearsals(run: HostRun, play: number): readonly (readonly PlannedChange[])[] {
  const { changes } = run.plan;
  return readyNodes(run, nodesLeft(run), play)
    .filter((node) => isTransaction(node, changes))
    .map(({ members }) => members.flatMap(({ id }) => changes.get(id) ?? []))
    .filter((members) => members.every(isKnown));
}

/**
 * Does what a host can do of a play before its turn: makes what nothing uses yet, fetches packages, and tries the
 * new configurations. Nothing that runs notices. What would fail in its turn has failed afterwards.
 */
export async function preparePlay(run: HostRun, play: number): Promise<void> {
  const { host, resources } = run.plan;
  try {
    const early = earlyChanges(run, play);
    if (early.length > 0) await executeBatch(run, { kind: 'plain', changes: early });
    if (run.signal.aborted) return;
    const tried = rehearsals(run, play);
    const sections = [
      ...tried.map((members) => rehearsalSection(transactionSteps(run, members))),
      ...fetches(run, play),
    ];
    if (sections.length === 0) return;
    run.report({ type: 'step', host, title: 'fetch packages, try the new configuration' });
    const end = beginStep(run.stopwatch);
    const answers = await ask(run.transport, sections, { timeout: sections.length * defaultTimeout });
    const timing = end();
    tried.forEach((members, index) => {
      const answer = answers[index];
      if (answer === undefined || answer.code === 0) return;
      const ids = members.map(({ id }) => id);
      const reason = withOrigins(failureText(answer), resources, ids);
      for (const change of members) recordOutcome(run, change, 'failed', timing, reason);
    });
  } finally {
    run.report({ type: 'step', host, title: null });
  }
}
