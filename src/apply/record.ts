import { HostwrightError } from '../errors.ts';
import {
  isSameRecord,
  updateApplied,
  writeApplied,
  type Applied,
  type Declarations,
} from '../plan/applied.ts';
import type { HostPlan } from '../plan/host-plan.ts';
import type { ResourceId } from '../resources/state.ts';
import { ask } from '../transport/ask.ts';
import type { Section } from '../transport/sections.ts';
import type { Transport } from '../transport/transport.ts';
import type { Outcome } from './host-run.ts';
import { troubleOf } from './journal.ts';

/**
 * What a host should know of what was applied to it, so that the next plan can tell drift; undefined where
 * `before`, what it knows, says the same.
 */
export function newRecord(
  { resources, changes }: HostPlan,
  { facts, isWhole }: Pick<Declarations, 'facts' | 'isWhole'>,
  before: Applied,
  outcomes: ReadonlyMap<ResourceId, Outcome>,
): Applied | undefined {
  const isConverged = (id: ResourceId): boolean => !changes.has(id) || outcomes.get(id) === 'changed';
  const record = updateApplied(before, { resources, facts, isWhole }, isConverged);
  return isSameRecord(before, record) ? undefined : record;
}

/**
 * Has the host keep a record, and a note for its journal, where there are such: the last that it is asked for. Gives
 * why the note was not written, if it was not; E_REMOTE where the record was not.
 */
export async function writeLast(
  transport: Transport,
  record: Applied | undefined,
  note: Section | undefined,
): Promise<string | undefined> {
  const sections = [...(record === undefined ? [] : [writeApplied(record)]), ...(note ? [note] : [])];
  if (sections.length === 0) return undefined;
  const answers = await ask(transport, sections, { isLast: true });
  const trouble = note === undefined ? undefined : answers.at(-1);
  const [kept] = answers;
  if (record === undefined || kept === undefined || kept.code === 0)
    return trouble === undefined ? undefined : troubleOf(trouble);
  const { stderr } = kept;
  throw new HostwrightError('E_REMOTE', 'the record of applied resources cannot be written', {
    place: { host: transport.host },
    found: `/var/lib/hostwright/applied: ${stderr.toString('utf8').trim()}`,
    hint: 'the changes stay, but drift on this host shows as a new configuration until the next successful apply',
  });
}
