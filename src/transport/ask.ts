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
}

/** Runs sections on a host in one round trip; gives the answer of each. */
export async function ask(
  transport: Transport,
  sections: readonly Section[],
  { lock, ...options }: AskOptions = {},
): Promise<readonly SectionAnswer[]> {
  const request = sectionsRequest(sections, options);
  const answer = await transport.request(lock === undefined ? request : { ...request, lock });
  return parseSections(transport.host, answer, sections.length);
}

/** As `ask`, for one section. */
export async function askOne(transport: Transport, section: Section, options?: AskOptions): Promise<Answer> {
  const [answer] = await ask(transport, [section], options);
  if (answer !== undefined) return answer;
  throw new HostwrightError('E_REMOTE', 'no answer', { place: { host: transport.host } });
}
