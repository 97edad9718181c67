import { sh, type Script } from '../../transport/shell.ts';

/**
 * Reads regular files with one process for all, links followed, `limit` bytes of each at most. Between them stands
 * the name of the section's own folder, which has a random part and so is in none of them. Only for folders where
 * root alone can write.
 */
export function readContents(paths: readonly string[], limit: number): Script {
  return sh`echo "$HW" >"$HW/mark"
there=''
set --
for file in ${paths}; do
  if [ -f "$file" ]; then there="$there"1; set -- "$@" "$HW/mark" "$file"; else there="$there"0; fi
done
echo "$HW $there"
[ $# -eq 0 ] || head -q -c ${limit} -- "$@" 2>/dev/null || :`;
}

/** The contents of those of `paths` that are there. RangeError on output that is not of `readContents`. */
export function parseContents(output: Buffer, paths: readonly string[]): ReadonlyMap<string, Buffer> {
  const end = output.indexOf('\n');
  const [, mark, there = ''] =
    /^(\/\S+) ([01]*)$/.exec(output.subarray(0, Math.max(end, 0)).toString()) ?? [];
  if (mark === undefined || there.length !== paths.length)
    throw new RangeError('unexpected contents of files');
  const found = new Map<string, Buffer>();
  let at = end + 1;
  for (const path of paths.filter((_, index) => there[index] === '1')) {
    const from = at + mark.length + 1;
    if (output.subarray(at, from).toString() !== `${mark}\n`)
      throw new RangeError('contents of files are cut off');
    const next = output.indexOf(`${mark}\n`, from);
    at = next < 0 ? output.length : next;
    found.set(path, output.subarray(from, at));
  }
  if (at !== output.length) throw new RangeError('there are more contents than files');
  return found;
}
