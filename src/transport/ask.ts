import { HostwrightError } from '../errors.ts';
import {
  parseSections,
  sectionsRequest,
  type Section,
  type SectionAnswer,
  type SectionsOptions,
} from './sections.ts';
import type { Answer, Lock, Transport } from './transport.ts';

export interface AskOptions extends SectionsOptions {
  /** Taken before the first section runs. */
  readonly lock?: Lock;
  /** No other request will follow. */
  readonly isLast?: true;
}

/** Runs sections on a host in one round trip; gives the answer of each. */
export async function ask(
  transport: Transport,
  sections: readonly Section[],
  { lock, isLast, ...options }: AskOptions = {},
): Promise<readonly SectionAnswer[]> {
  const request = sectionsRequest(sections, options);
  const answer = await transport.request({ ...request, ...(lock && { lock }), ...(isLast && { isLast }) });
  return parseSections(transport.host, answer, sections.length);
}

/** As `ask`, for one section. */
export async function askOne(transport: Transport, section: Section, options?: AskOptions): Promise<Answer> {
  const [answer] = await ask(transport, [section], options);
  if (answer !== undefined) return answer;
  throw noAnswer(transport.host);
}

/** Of a section that was asked for. */
export function noAnswer(host: string): HostwrightError {
  return new HostwrightError('E_REMOTE', 'no answer', { place: { host } });
}
