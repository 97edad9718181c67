import { lines, sh, type Script } from '../../transport/shell.ts';
import { asideFunctions } from './aside.ts';
import { enterFunctions } from './enter.ts';

/**
 * Replaces a file as a whole: `hw_replace MODE PATH [OWNER:GROUP] <FILE`, of root where no owner is said. Readers see
 * the old or the new one, also after a loss of power. It is made in a folder of root's own, so that neither umask, ACL,
 * set-group-ID bit nor owner of the directory affect it, and nothing is left beside it where that fails. A missing
 * directory is made, a link is replaced and not followed, a folder gives way where it is empty.
 *
 * What standard input gives is taken for whole: of a pipe no more than `printf` may stand before it, for `sh` does not
 * see the failure of a command there. Whatever can fail writes to a file in `$HW` first.
 */
export const replaceFunctions: Script = lines([
  enterFunctions,
  asideFunctions,
  sh`hw_replace() (
  hw_enter "\${2%/*}/" make
  hw_aside
  hw_new=./\${2##*/}
  cat >"$hw_new" && chown "\${3:-root:root}" "$hw_new" && chmod "$1" "$hw_new" && sync "$hw_new" || exit
  hw_place "$hw_new" ".$hw_new"
)`,
]);
