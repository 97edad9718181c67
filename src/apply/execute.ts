import { randomUUID } from 'node:crypto';
import { HostwrightError } from '../errors.ts';
import { compare } from '../plan/compare.ts';
import type { PlannedChange } from '../plan/host-plan.ts';
import { parseProbes, probeBatches } from '../plan/probe.ts';
import type { Guard } from '../resources/capabilities/access.ts';
import { Unreadable, type ResourceId } from '../resources/state.ts';
import type { Conversation, Step } from '../resources/step.ts';
import { ask, noAnswer } from '../transport/ask.ts';
import { notBegun } from '../transport/sections.ts';
import { defaultTimeout } from '../transport/transport.ts';
import type { Batch } from './batch.ts';
import { askUntilFree } from './busy.ts';
import { guardedSection } from '../rollback/guarded-step.ts';
import { executeGuarded } from './guarded.ts';
import { interrupted, recordOutcome, type HostRun } from './host-run.ts';
import { withOrigins } from './origin.ts';
import { failureText } from './failure-text.ts';
import { isConversation, isStep, stepsOf, transactionSteps } from './steps.ts';
import { beginStep, type Timing } from './stopwatch.ts';
import { transactionSection } from './transaction.ts';
import type { Undo } from '../rollback/arm.ts';
import { verify, type Failure } from './verify.ts';
import { guardOf } from '../rollback/way-in.ts';
import type { Work } from './work.ts';

/**
 * What was only known after another change is read now: the step must start from what is there. What that
 * other change has already brought into the declared state needs no step.
 */
async function readNow(run: HostRun, changes: readonly PlannedChange[]): Promise<readonly PlannedChange[]> {
  const late = changes.filter((change) => change.knownAfter !== undefined);
  if (late.length === 0) return changes;
  const batches = probeBatches(
    late.map((change) => change.resource),
    run.plan.declared,
  );
  const found = parseProbes(
    batches,
    await ask(
      run.transport,
      batches.map(({ probe }) => probe),
    ),
  );
  return changes.flatMap((change) => {
    if (change.knownAfter === undefined) return [change];
    const actual = found.get(change.id) ?? null;
    if (actual instanceof Unreadable) {
      recordOutcome(run, change, 'failed', undefined, `cannot be read: ${actual.reason}`);
      return [];
    }
    const difference = compare(change.resource.type, change.desired, actual);
    if (difference === undefined) {
      recordOutcome(run, change, 'changed', undefined, `by ${change.knownAfter}`);
      return [];
    }
    return [{ ...change, actual, attributes: difference.attributes }];
  });
}

/** A resource that the plan could not read is not changed. */
function withoutUnreadable(run: HostRun, changes: readonly PlannedChange[]): readonly PlannedChange[] {
  return changes.filter((change) => {
    if (change.unreadable === undefined) return true;
    recordOutcome(run, change, 'failed', undefined, `cannot be read: ${change.unreadable}`);
    return false;
  });
}

function undoOf(run: HostRun, guard: Guard, title: string): Undo {
  return { guard, title, token: randomUUID(), seconds: run.confirmWithin };
}

function workOf(run: HostRun, changes: readonly PlannedChange[], step: Step): Work {
  const { resources, title, script, stdin, timeout = defaultTimeout, isDivisible } = step;
  const change = changes.find(({ id }) => resources.includes(id));
  const guard = change === undefined ? undefined : guardOf(change, run.login);
  if (guard === undefined) {
    const section = stdin === undefined ? { script } : { script, stdin };
    return { resources, title, section, timeout, ...(isDivisible === true && { isDivisible }) };
  }
  const undo = undoOf(run, guard, title);
  return { resources, title, section: guardedSection(step, undo), timeout, undo };
}

/** The files of a batch and the service that validates them, as one piece of work. */
function transactionWork(run: HostRun, changes: readonly PlannedChange[]): Work {
  const made = transactionSteps(run, changes);
  const { service: own } = made;
  // Files alone have no effect until the service reads them.
  const due = changes.find(({ id }) => own?.resources.includes(id) === true);
  const guard = due?.resource.type.access?.guard?.(due, run.login);
  const guarded = guard === undefined || own === undefined ? {} : { undo: undoOf(run, guard, own.title) };
  const steps = [...made.files.map(({ step }) => step), ...(own === undefined ? [] : [own])];
  return {
    ...guarded,
    resources: changes.map((change) => change.id),
    title: own?.title ?? steps.map((step) => step.title).join(', '),
    section: transactionSection({ ...made, ...guarded }),
    timeout: steps.reduce((sum, step) => sum + (step.timeout ?? defaultTimeout), defaultTimeout),
  };
}

function shorten(titles: readonly string[]): string {
  const shown = titles.slice(0, 2).join(', ');
  return titles.length > 2 ? `${shown} and ${titles.length - 2} more` : shown;
}

/** Runs pieces of work and the probes that verify them in one round trip. */
async function executeWork(
  run: HostRun,
  changes: readonly PlannedChange[],
  work: readonly Work[],
): Promise<void> {
  const covered = changes.filter((change) => work.some((piece) => piece.resources.includes(change.id)));
  if (covered.length === 0) return;
  run.report({
    type: 'step',
    host: run.plan.host,
    title: shorten(work.map((piece) => piece.title)),
    ...(work.length > 1 && { steps: work.length }),
  });
  const [first] = work;
  if (first?.undo !== undefined) {
    await executeGuarded(run, covered, first, first.undo);
    return;
  }
  const batches = probeBatches(
    covered.map((change) => change.resource),
    run.plan.declared,
  );
  const timeout = work.reduce((sum, piece) => sum + piece.timeout, defaultTimeout);
  const { answers, timings } = await askUntilFree(
    run,
    work,
    batches.map(({ probe }) => probe),
    { timeout, note: run.journal.begin(covered) },
  );
  const failures = new Map<ResourceId, Failure>();
  const left = new Set<ResourceId>();
  work.forEach((piece, index) => {
    const answer = answers[index];
    if (answer === undefined || answer.code === 0) return;
    if (answer.code === notBegun) {
      for (const id of piece.resources) left.add(id);
      return;
    }
    const reason = withOrigins(failureText(answer), run.plan.resources, piece.resources);
    const failure = { reason, isDivisible: piece.isDivisible === true };
    for (const id of piece.resources) failures.set(id, failure);
  });
  const timing = (id: ResourceId): Timing | undefined =>
    timings[work.findIndex(({ resources }) => resources.includes(id))];
  const [begun, others] = [
    covered.filter(({ id }) => !left.has(id)),
    covered.filter(({ id }) => left.has(id)),
  ];
  verify(run, begun, failures, batches, answers.slice(work.length), timing);
  for (const change of others) recordOutcome(run, change, 'skipped', undefined, interrupted);
}

/** A change that needs several requests; afterwards it is verified like any other. */
async function executeConversation(
  run: HostRun,
  changes: readonly PlannedChange[],
  conversation: Conversation,
): Promise<void> {
  const own = changes.filter((change) => conversation.resources.includes(change.id));
  run.report({ type: 'step', host: run.plan.host, title: conversation.title });
  const end = beginStep(run.stopwatch);
  const failures = new Map<ResourceId, Failure>();
  let notes = [run.journal.begin(own)];
  try {
    await conversation.converse(async (script, stdin, timeout = defaultTimeout) => {
      const section = stdin === undefined ? { script } : { script, stdin };
      const answers = await ask(run.transport, [...notes, section], { timeout });
      const answer = answers[notes.length];
      notes = [];
      if (answer === undefined) throw noAnswer(run.plan.host);
      if (answer.code !== 0) {
        throw new HostwrightError('E_REMOTE', failureText(answer), { place: { host: run.plan.host } });
      }
      return answer.stdout;
    });
  } catch (error) {
    if (!(error instanceof HostwrightError) || error.code !== 'E_REMOTE') throw error;
    for (const change of own) failures.set(change.id, { reason: error.message, isDivisible: false });
  }
  const timing = end();
  const batches = probeBatches(
    own.map((change) => change.resource),
    run.plan.declared,
  );
  const answers = await ask(
    run.transport,
    batches.map(({ probe }) => probe),
  );
  verify(run, own, failures, batches, answers, () => timing);
}

/** Files and their service go live together or not at all: one that cannot be read holds up the rest. */
async function executeTransaction(
  run: HostRun,
  batch: Batch,
  changes: readonly PlannedChange[],
): Promise<void> {
  const culprit = batch.changes.find((change) => run.outcomes.get(change.id) === 'failed');
  if (culprit === undefined) {
    await executeWork(run, changes, [transactionWork(run, changes)]);
    return;
  }
  for (const change of changes)
    recordOutcome(run, change, 'skipped', undefined, `needs ${culprit.id}, which failed`);
}

/** Carries out one batch; every change in it has an outcome afterwards. */
export async function executeBatch(run: HostRun, batch: Batch): Promise<void> {
  const changes = await readNow(run, withoutUnreadable(run, batch.changes));
  if (changes.length === 0 || run.signal.aborted) return;
  if (batch.kind === 'transaction') {
    await executeTransaction(run, batch, changes);
    return;
  }
  const steps = stepsOf(run, changes);
  await executeWork(
    run,
    changes,
    steps.filter(isStep).map((step) => workOf(run, changes, step)),
  );
  for (const conversation of steps.filter(isConversation)) {
    if (run.signal.aborted) return;
    await executeConversation(run, changes, conversation);
  }
  for (const change of changes.filter(({ id }) => !run.outcomes.has(id)))
    recordOutcome(
      run,
      change,
      'failed',
      undefined,
      `the resource type ${change.resource.type.name} returned no step for this change`,
    );
}
