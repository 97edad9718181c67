import { beginNote, endNote, type JournalHead } from '../plan/journal.ts';
import type { RunOrigin } from '../plan/event.ts';
import type { PlannedChange } from '../plan/host-plan.ts';
import type { ResourceId } from '../resources/state.ts';
import type { Section } from '../transport/sections.ts';
import type { Answer } from '../transport/transport.ts';
import type { Outcome } from './host-run.ts';

/** What a host is told to keep of a run. */
export interface HostJournal {
  /** Goes into the request that makes these changes, before all of them. */
  begin(changes: readonly Pick<PlannedChange, 'id' | 'action'>[]): Section;
  /** Goes into the last request; undefined where nothing was begun, and nothing failed. */
  end(
    outcomes: ReadonlyMap<ResourceId, Outcome>,
    end: { readonly ms: number; readonly isInterrupted: boolean },
  ): Section | undefined;
}

export function openJournal(origin: RunOrigin, from: string | undefined): HostJournal {
  const head: JournalHead = { ...origin, verb: 'apply', ...(from !== undefined && { from }) };
  let isBegun = false;
  return {
    begin(changes) {
      const note = beginNote(
        head,
        !isBegun,
        changes.map(({ id, action }) => [id, action]),
      );
      isBegun = true;
      return note;
    },
    end(outcomes, { ms, isInterrupted }) {
      const all = [...outcomes.values()];
      // What was only tried may have failed as well.
      if (!isBegun && !all.includes('failed')) return undefined;
      return endNote(head, {
        isFirst: !isBegun,
        ms,
        ok: all.every((outcome) => outcome === 'changed'),
        ...(isInterrupted && { interrupted: true }),
        outcomes: [...outcomes],
      });
    },
  };
}

/** Why a note was not written, if it was not. */
export function troubleOf({ code, stderr }: Answer): string | undefined {
  if (code === 0) return undefined;
  const [first] = stderr.toString('utf8').trim().split('\n');
  return first || `exit status ${code}`;
}
