import type { Step } from '../resources/step.ts';
import type { Section } from '../transport/sections.ts';
import { lines, sh } from '../transport/shell.ts';
import { guardFunctions, undoParts, type Undo } from './arm.ts';
import { rollBack, undoUnit } from './unconfirmed.ts';

/** Fails, with what was said, where not all of it could be restored. */
export const rollBackNow = sh`${rollBack}
if systemctl is-failed --quiet ${undoUnit}; then journalctl -q --no-pager -n 10 -u ${undoUnit} >&2; exit 1; fi`;

/** A step that takes effect only once the host can roll it back; one that fails is rolled back at once. */
export function guardedSection(step: Step, undo: Undo): Section {
  const live = step.live ?? step.script;
  const parts = [...undoParts(undo), { name: 'live.sh', bytes: Buffer.from(live.text) }];
  const script = lines([
    ...parts.map((part) => sh`head -c ${part.bytes.length} >"$HW/"${part.name}`),
    guardFunctions(undo),
    step.live === undefined
      ? sh``
      : sh`(${step.script}
)`,
    sh`hw_arm
if ! sh -eu "$HW/live.sh" 9<&-; then
  exec 9<&-
  ${rollBackNow}
  echo 'the previous state is restored' >&2
  exit 1
fi
hw_made`,
  ]);
  const bytes = [...parts.map((part) => part.bytes), step.stdin ?? new Uint8Array()];
  return { script, stdin: Buffer.concat(bytes) };
}
