import type { ResourceId } from '../resources/state.ts';
import { ask } from '../transport/ask.ts';
import { notBegun, type Section } from '../transport/sections.ts';
import type { Answer } from '../transport/transport.ts';
import type { HostRun } from './host-run.ts';
import { failureText } from './failure-text.ts';

/** EX_TEMPFAIL: a script has changed nothing because another program holds a lock. Its last output names the program. */
const busy = 75;

/** Seconds to try again for, where the script does not say `wait SECONDS` on its standard output. */
const defaultPatience = 600;

interface Piece {
  readonly resources: readonly ResourceId[];
  readonly section: Section;
}

function patienceOf(answer: Answer): number {
  return Number(/^wait (\d+)$/m.exec(answer.stdout.toString('utf8'))?.[1] ?? defaultPatience);
}

/**
 * Runs pieces of work and then the probes, in one request. What others are in the way of is tried again, with
 * the probes, until they are done or it has waited long enough; meanwhile it is reported for whom. The scripts
 * themselves wait a while before they give up, so that the host is not asked all the time.
 */
export async function askUntilFree(
  run: HostRun,
  work: readonly Piece[],
  probes: readonly Section[],
  timeout: number,
): Promise<readonly Answer[]> {
  const started = performance.now();
  const pieces = work.map(({ section }) => section);
  let answers = await ask(run.transport, [...pieces, ...probes], { timeout, stoppable: pieces.length });
  let said = '';
  for (;;) {
    const waited = Math.round((performance.now() - started) / 1000);
    const waiting = [...work.keys()].filter((index) => {
      const answer = answers[index];
      return answer?.code === busy && waited < patienceOf(answer);
    });
    const [first] = waiting;
    const blocked = first === undefined ? undefined : answers[first];
    if (blocked === undefined || run.signal.aborted) {
      // A waiting script has changed nothing.
      return answers.map((answer, index) =>
        waiting.includes(index) ? { ...answer, code: notBegun } : answer,
      );
    }
    const title = `waiting: ${failureText(blocked)}`;
    // Reported once, so that the live view shows the whole waiting time.
    if (title !== said) run.report({ type: 'step', host: run.plan.host, title });
    said = title;
    const sections = waiting.flatMap((index) => work[index]?.section ?? []);
    const stoppable = sections.length;
    const again = await ask(run.transport, [...sections, ...probes], { timeout, stoppable });
    answers = [
      ...work.map((_, index) => again[waiting.indexOf(index)] ?? answers[index]),
      ...again.slice(sections.length),
    ].flatMap((answer) => answer ?? []);
  }
}
