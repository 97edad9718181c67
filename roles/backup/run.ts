import { sh, type ActionHost } from 'hostwright';
import { program } from './sender.ts';
import type { Variables } from './variables.ts';

/** Seconds that a copy, a test or a restore may take. */
const longest = 12 * 3600;

/** The key goes with the request, so that every host can read backups for as long as that takes. */
export function keyOf({ vars }: ActionHost<Variables>): string {
  return `${vars.backup_test_key.reveal()}\n`;
}

/**
 * Runs a verb of the program in a unit of its own: however it ends, a scratch server ends with it and its files go.
 * Gives what it said.
 */
export async function run(
  host: ActionHost<Variables>,
  verb: string,
  ...words: readonly string[]
): Promise<string> {
  const unit = `hostwright-backup-${verb}-by-hand`;
  const clean = `ExecStopPost=${program} clean ${verb}`;
  return await host.run(
    sh`systemd-run --quiet --wait --pipe --collect --unit=${unit} -p IgnoreSIGPIPE=no -p ${clean} ${program} ${verb} ${words} 2>"$HW/said" || { code=$?; cat "$HW/said" >&2; exit "$code"; }
cat "$HW/said"`,
    { stdin: keyOf(host), timeout: longest },
  );
}

export const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
