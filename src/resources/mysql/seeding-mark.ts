import { dirname } from 'node:path/posix';
import { sh, type Script } from '../../transport/shell.ts';

const path = '/var/lib/hostwright/mysql-seeding';

/**
 * How far a copy of the data that is under way has come, in a file on the host: a copy that broke off must not
 * pass for data. `emptied`: nothing was left of the own data; what is there since then is of the copy.
 * It gives up no transaction: that is asked and compared anew each time.
 */
export type Seeding = 'begun' | 'emptied';

export function noteSeeding(seeding: Seeding): Script {
  return sh`mkdir -p ${dirname(path)}
echo ${seeding} >${path}`;
}

/** Prints `seeding` and how far, where there is a note. */
export const readSeeding = sh`if [ -e ${path} ]; then printf 'seeding %s\n' "$(cat ${path})"; fi`;

export const endSeeding = sh`rm -f ${path}`;

/** How far, from the rows of an answer; undefined where no copy is under way. */
export function parseSeeding(rows: readonly string[]): Seeding | undefined {
  const found = rows.find((row) => row.startsWith('seeding '));
  if (found === undefined) return undefined;
  return found === 'seeding emptied' ? 'emptied' : 'begun';
}
