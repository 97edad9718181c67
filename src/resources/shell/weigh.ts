import { sh } from '../../transport/shell.ts';

/** Most entries of a folder that are counted: a tree of a million files must not hold up a plan. */
export const mostEntries = 100_000;

/** `hw_weigh` prints how many entries a folder holds, and how many bytes these take on the disk. */
export const weigh = sh`hw_weigh() {
  find "$1" -xdev -mindepth 1 -printf '%b\n' 2>/dev/null | head -n ${mostEntries + 1} |
    awk '{ blocks += $1 } END { printf "%d %.0f", NR, blocks * 512 }'
}`;
