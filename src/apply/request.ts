import { parseSections, sectionsRequest, type Section } from '../transport/sections.ts';
import type { Answer, Transport } from '../transport/transport.ts';

/** Milliseconds of a step that names no timeout. */
export const defaultTimeout = 5 * 60_000;

/** `stoppable` of the first sections are left out when the run is interrupted meanwhile. */
export async function ask(
  transport: Transport,
  sections: readonly Section[],
  timeout: number,
  stoppable = 0,
): Promise<readonly Answer[]> {
  const answer = await transport.request(sectionsRequest(sections, { timeout, stoppable }));
  return parseSections(transport.host, answer, sections.length);
}

/** The command's own last words. */
export function failureText(answer: Answer): string {
  const words = answer.stderr.toString('utf8').trim() || answer.stdout.toString('utf8').trim();
  return words === '' ? `exit status ${answer.code}` : words.slice(-2000);
}
