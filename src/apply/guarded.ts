import { setTimeout as sleep } from 'node:timers/promises';
import { HostwrightError } from '../errors.ts';
import type { PlannedChange } from '../plan/host-plan.ts';
import { probeBatches } from '../plan/probe.ts';
import { ask, askOne, noAnswer } from '../transport/ask.ts';
import type { Transport } from '../transport/transport.ts';
import { recordOutcome, type HostRun } from './host-run.ts';
import { withOrigins } from './origin.ts';
import { failureText } from './failure-text.ts';
import { confirm, type Undo } from '../rollback/arm.ts';
import { rollBackNow } from '../rollback/guarded-step.ts';
import { beginStep } from './stopwatch.ts';
import { verify } from './verify.ts';
import type { Work } from './work.ts';

/** Milliseconds to wait for a cut-off host after its rollback is due. */
const patience = 30_000;
/** Milliseconds between the first two attempts; then twice that: a firewall may count them. */
const firstPause = 500;

/** Only temporary errors are retried: some hosts count refused keys as an attack. */
function mayPass(error: unknown): boolean {
  return error instanceof HostwrightError && (error.code === 'E_CONNECT' || error.code === 'E_TIMEOUT');
}

/** A connection from the beginning, within `ms` milliseconds; E_CONNECT or what the last attempt failed with. */
async function connectWithin(run: HostRun, ms: number): Promise<Transport> {
  const deadline = performance.now() + ms;
  let last: unknown;
  for (let pause = firstPause; ; pause *= 2) {
    const attempt = run.reconnect();
    const given = new AbortController();
    const late = sleep(Math.max(0, deadline - performance.now()), undefined, { signal: given.signal });
    try {
      const transport = await Promise.race([attempt, late]);
      if (transport !== undefined) return transport;
      // A later result is no longer needed.
      void attempt.then(async (tardy) => tardy.close()).catch(() => undefined);
    } catch (error) {
      last = error;
      if (!mayPass(error)) throw error;
    } finally {
      given.abort();
      await late.catch(() => undefined);
    }
    const rest = deadline - performance.now();
    if (rest <= pause) {
      const message = `no answer within ${Math.round(ms / 1000)} s`;
      throw last ?? new HostwrightError('E_CONNECT', message, { place: { host: run.plan.host } });
    }
    await sleep(pause);
  }
}

/** Makes the host roll the change back now, over `transport`; returns the outcome in words. */
async function rollBackOver(transport: Transport): Promise<string> {
  const answer = await askOne(transport, { script: rollBackNow });
  if (answer.code === 0) return 'the host has rolled it back';
  return `the rollback on the host failed: ${failureText(answer)}`;
}

/** Waits for a host whose connection is lost; returns the state of the change in words. */
async function awaitReturn(run: HostRun, undo: Undo): Promise<string> {
  try {
    const transport = await connectWithin(run, undo.seconds * 1000 + patience);
    try {
      return `the host can be reached again: ${await rollBackOver(transport)}`;
    } finally {
      await transport.close();
    }
  } catch (error) {
    if (!(error instanceof HostwrightError)) throw error;
    return `the host rolls the change back by itself within ${undo.seconds} s, and cannot be reached yet (${error.message})`;
  }
}

/**
 * Carries out a change that may cut off the controller. The change stays only when a fresh connection, with
 * a normal login, has confirmed it; otherwise the host rolls it back, and the change has failed.
 */
export async function executeGuarded(
  run: HostRun,
  changes: readonly PlannedChange[],
  work: Work,
  undo: Undo,
): Promise<void> {
  const end = beginStep(run.stopwatch);
  const fail = (reason: string): void => {
    for (const change of changes) recordOutcome(run, change, 'failed', end(), reason);
  };
  try {
    const note = run.journal.begin(changes);
    const [, answer] = await ask(run.transport, [note, work.section], { timeout: work.timeout });
    if (answer === undefined) throw noAnswer(run.plan.host);
    if (answer.code !== 0) {
      fail(withOrigins(failureText(answer), run.plan.resources, work.resources));
      return;
    }
  } catch (error) {
    if (!(error instanceof HostwrightError)) throw error;
    fail(`${error.message}; ${await awaitReturn(run, undo)}`);
    throw error;
  }
  run.report({
    type: 'step',
    host: run.plan.host,
    title: `${work.title}: confirm it with a fresh connection`,
  });
  try {
    const fresh = await connectWithin(run, undo.seconds * 1000);
    try {
      const batches = probeBatches(
        changes.map((change) => change.resource),
        run.plan.declared,
      );
      const sections = [{ script: confirm(undo) }, ...batches.map(({ probe }) => probe)];
      const [confirmed, ...found] = await ask(fresh, sections);
      if (confirmed?.code === 0) verify(run, changes, new Map(), batches, found, end);
      else fail(confirmed === undefined ? 'no answer' : failureText(confirmed));
    } finally {
      await fresh.close();
    }
  } catch (error) {
    if (!(error instanceof HostwrightError)) throw error;
    const reason = `no fresh connection could be made after it: ${error.message}`;
    try {
      fail(`${reason}; ${await rollBackOver(run.transport)}`);
    } catch (lost) {
      if (!(lost instanceof HostwrightError)) throw lost;
      fail(`${reason}; ${await awaitReturn(run, undo)}`);
      throw lost;
    }
  }
}
