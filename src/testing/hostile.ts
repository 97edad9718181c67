import { sh } from '../transport/shell.ts';
import type { Root } from './root.ts';

/** One line that every shell would trip over, were it not quoted; good for a file name too. */
export const hostile = `a 'b' "c" \`touch pwned\` $(touch pwned) ; touch pwned & \\ \\n * ? [x] {} ~ # ! ü`;

/** Whether nothing of `hostile` was ever run. */
export async function isUnharmed(root: Root): Promise<boolean> {
  return (await root.ask(sh`find / -xdev -name pwned -print -quit`)) === '';
}
