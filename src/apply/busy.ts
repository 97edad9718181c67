import type { ResourceId } from '../resources/state.ts';
import { ask } from '../transport/ask.ts';
import { notBegun, type Section, type SectionAnswer } from '../transport/sections.ts';
import type { Answer } from '../transport/transport.ts';
import type { HostRun } from './host-run.ts';
import { failureText } from './failure-text.ts';
import type { Timing } from './stopwatch.ts';

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

/** What has become of pieces of work, and when each was done; then what the probes said. */
export interface Done {
  readonly answers: readonly Answer[];
  /** One for each piece. */
  readonly timings: readonly Timing[];
}

/** When the pieces of a request ran, as far as the host says; the request took from `sent` to `received`. */
function spansOf(answers: readonly SectionAnswer[], sent: number, received: number) {
  const at = (offset: number): number => Math.min(sent + offset, received);
  return answers.map(({ span }) =>
    span === undefined ? { from: sent, to: received } : { from: at(span.from), to: at(span.to) },
  );
}

/**
 * Runs pieces of work and then the probes, in one request that begins with a note for the journal of the host. What others are in the way of is tried again, with
 * the probes, until they are done or it has waited long enough; meanwhile it is reported for whom. The scripts
 * themselves wait a while before they give up, so that the host is not asked all the time.
 */
export async function askUntilFree(
  run: HostRun,
  work: readonly Piece[],
  probes: readonly Section[],
  { timeout, note }: { readonly timeout: number; readonly note: Section },
): Promise<Done> {
  const { stopwatch } = run;
  const started = stopwatch.now();
  const pieces = work.map(({ section }) => section);
  let [, ...answers] = await ask(run.transport, [note, ...pieces, ...probes], {
    ...{ timeout, stoppable: pieces.length + 1 },
  });
  const first = spansOf(answers.slice(0, pieces.length), started, stopwatch.now());
  const ends = first.map(({ to }) => to);
  const steps = work.map(() => stopwatch.nextStep());
  let said = '';
  for (;;) {
    const waited = Math.round((stopwatch.now() - started) / 1000);
    const waiting = [...work.keys()].filter((index) => {
      const answer = answers[index];
      return answer?.code === busy && waited < patienceOf(answer);
    });
    const [index] = waiting;
    const blocked = index === undefined ? undefined : answers[index];
    if (blocked === undefined || run.signal.aborted) {
      // A waiting script has changed nothing.
      return {
        answers: answers.map((answer, at) => (waiting.includes(at) ? { ...answer, code: notBegun } : answer)),
        timings: first.map(({ from }, at) => ({
          at: from,
          ms: (ends[at] ?? from) - from,
          step: steps[at] ?? 0,
        })),
      };
    }
    const title = `waiting: ${failureText(blocked)}`;
    // Reported once, so that the live view shows the whole waiting time.
    if (title !== said) run.report({ type: 'step', host: run.plan.host, title });
    said = title;
    const sections = waiting.flatMap((index) => work[index]?.section ?? []);
    const stoppable = sections.length;
    const sent = stopwatch.now();
    const again = await ask(run.transport, [...sections, ...probes], { timeout, stoppable });
    // Waiting is a part of what a step takes.
    for (const [at, { to }] of spansOf(again.slice(0, stoppable), sent, stopwatch.now()).entries())
      ends[waiting[at] ?? 0] = to;
    answers = [
      ...work.map((_, index) => again[waiting.indexOf(index)] ?? answers[index]),
      ...again.slice(sections.length),
    ].flatMap((answer) => answer ?? []);
  }
}
