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
import { askOne } from '../transport/ask.ts';
import type { Transport } from '../transport/transport.ts';
import type { Outcome } from './host-run.ts';

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

/** Keeps a record on the host; E_REMOTE where it cannot. */
export async function writeRecord(transport: Transport, record: Applied): Promise<void> {
  const { code, stderr } = await askOne(transport, writeApplied(record));
  if (code === 0) return;
  throw new HostwrightError('E_REMOTE', 'the record of applied resources cannot be written', {
    place: { host: transport.host },
    found: `/var/lib/hostwright/applied: ${stderr.toString('utf8').trim()}`,
    hint: 'the changes stay, but drift on this host shows as a new configuration until the next successful apply',
  });
}
