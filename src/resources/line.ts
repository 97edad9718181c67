import { z } from 'zod';
import { isSecret, Secret } from '../secrets/secret.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import { isOneLine, oneLine, secretValue } from './attribute.ts';
import { asideFunctions } from './shell/aside.ts';
import { enterOf } from './shell/enter.ts';
import { path } from './path.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from './resource.ts';
import { Unreadable, type Attribute, type Change } from './state.ts';
import type { Step } from './step.ts';
import { tooLarge } from './shell/stat.ts';

const schema = z
  .strictObject({
    path: path.describe(
      'The file. An existing file keeps its owner and mode; a new one gets `0644`, or `0600` for a Secret. Links are followed',
    ),
    line: z
      .union([oneLine, secretValue('expected a single line', isOneLine)])
      .optional()
      .describe('The whole line. A Secret is never shown and needs `match`'),
    match: oneLine
      .min(1)
      .optional()
      .describe(
        'A POSIX extended regular expression. The line replaces the first match; all other matching lines are removed',
      ),
    absent: z.boolean().default(false).describe('Removes the line and all lines that match'),
  })
  .refine((item) => item.line !== undefined || (item.absent && item.match !== undefined), {
    message: 'expected "line", or "match" with "absent"',
  })
  .refine((item) => !isSecret(item.line) || item.match !== undefined, {
    message: 'a secret line needs "match", which names it in the plan',
    path: ['match'],
  });

type Line = z.output<typeof schema>;

function text(item: Line): string | undefined {
  return isSecret(item.line) ? item.line.reveal() : item.line;
}

/** The lines of all items, empty where there is none: nothing of them is ever in a script. */
function textOf(items: readonly Line[]): Uint8Array {
  return Buffer.from(items.map((item) => `${text(item) ?? ''}\n`).join(''));
}

/** The words that tell the functions below what an item asks for. */
function words(item: Line): readonly string[] {
  const expression = item.match === undefined ? [] : [item.match];
  return [item.line === undefined ? 'no' : 'yes', ...expression];
}

/** One file for each line, `$HW/line.000000` and on: all bytes stay as they are, which `read` would not warrant. */
const splitLines = sh`split -d -a 6 -l 1 - "$HW/line."`;

function lineFile(index: number): Script {
  return sh`"$HW"/${`line.${String(index).padStart(6, '0')}`}`;
}

/** Bytes of a file that are searched. */
const mostBytes = 16 * 1024 * 1024;

/** Leaves in `$large` a line for each file that is too large, with one process for all. */
function findLarge(batch: readonly Line[]): Script {
  const files = [...new Set(batch.map(({ path: at }) => at))];
  return sh`large="
$(find -L ${files} -maxdepth 0 -type f -size ${`+${mostBytes}c`} 2>/dev/null || :)
"`;
}

/** Prints `none`, `bad WHY`, `large SIZE`, or how often the very line is there and all others that match. */
const findFunction = sh`hw_find_line() {
  line=$1; file=$2; has_line=$3; shift 3
  if [ ! -f "$file" ]; then echo none; return; fi
  case $large in *"
$file
"*) echo "large $(stat -Lc %s -- "$file")"; return ;; esac
  exact=0; status=0
  if [ "$has_line" = yes ]; then exact=$(grep -acFx -f "$line" -- "$file") || [ $? -eq 1 ]; fi
  if [ $# -gt 0 ]; then grep -aE -e "$1" -- "$file" >"$HW/found" 2>"$HW/why" || status=$?; else : >"$HW/found"; fi
  if [ "$status" -gt 1 ]; then echo "bad $(base64 -w0 "$HW/why")"; return; fi
  if [ ! -s "$HW/found" ]; then echo "$exact "; return; fi
  if [ "$has_line" = no ]; then cat "$HW/found"; else grep -avFx -f "$line" "$HW/found" || [ $? -eq 1 ]; fi >"$HW/others"
  echo "$exact $(base64 -w0 "$HW/others")"
}`;

/** Edits "$t". The line is put in by sed's own reading of a file, which takes every byte as it is. */
const editFunction = sh`hw_edit() {
  line=$1; keep=$2; has_line=$3; shift 3
  : >"$HW/found"
  if [ "$has_line" = yes ]; then grep -anFx -f "$line" -- "$t" >>"$HW/found" || [ $? -eq 1 ]; fi
  if [ $# -gt 0 ]; then grep -anE -e "$1" -- "$t" >>"$HW/found" || [ $? -eq 1 ]; fi
  cut -d: -f1 "$HW/found" | sort -nu >"$HW/hits"
  if [ -s "$HW/hits" ]; then
    if [ "$keep" = yes ]; then printf '%sr %s\n' "$(head -n 1 "$HW/hits")" "$line"; fi >"$HW/edit"
    sed 's/$/d/' "$HW/hits" >>"$HW/edit"
    sed -f "$HW/edit" "$t" >"$HW/new"
  else
    cat "$t" >"$HW/new"
    if [ "$keep" = yes ]; then
      if [ -n "$(tail -c 1 "$t" | tr '\0' x)" ]; then echo >>"$HW/new"; fi
      cat "$line" >>"$HW/new"
    fi
  fi
  cat "$HW/new" >"$t"
}`;

function edit(at: string, items: readonly Line[]): Script {
  return lines([
    splitLines,
    editFunction,
    enterOf(at),
    sh`f=$hw_file
if [ -e "./$f" ] && [ ! -f "./$f" ]; then printf '%s\n' ${`${at} is not a regular file`} >&2; exit 1; fi`,
    asideFunctions,
    // A copy that is edited, with the owner, mode and ACL of what is there: not what `hw_replace` makes.
    sh`hw_aside
t=./$f
if [ -e "../$f" ]; then cp -P --preserve=all -- "../$f" "$t"; [ ! -L "$t" ]; else : >"$t"; chmod ${items.some((item) => isSecret(item.line)) ? '0600' : '0644'} "$t"; fi`,
    ...items.map(
      (item, index) => sh`hw_edit ${lineFile(index)} ${item.absent ? 'no' : 'yes'} ${words(item)}`,
    ),
    sh`if [ -e "../$f" ]; then ! cmp -s "$t" "../$f" || exit 0; elif [ ! -s "$t" ]; then exit 0; fi
hw_place "$t" "../$f"`,
  ]);
}

function step(at: string, changes: readonly Change<Line>[]): Step {
  const items = changes.map((change) => change.desired);
  return {
    resources: changes.map((change) => change.id),
    title: `edit ${at}`,
    script: edit(at, items),
    stdin: textOf(items),
  };
}

function masked(item: Line, found: string): Attribute {
  return isSecret(item.line) ? new Secret(found) : found;
}

function parseLine(answer: string, item: Line) {
  if (answer === 'none') return null;
  const [, exact, others] = /^(\d+) ([A-Za-z0-9+/=]*)$/.exec(answer) ?? [];
  if (exact === undefined || others === undefined) throw new RangeError(`unexpected answer "${answer}"`);
  const found = Buffer.from(others, 'base64').toString('utf8').replace(/\n$/, '');
  const line = Number(exact) > 0 ? [text(item) ?? ''] : [];
  if (others === '') return line.length === 0 ? null : { line: masked(item, line.join('')) };
  return { line: masked(item, (item.absent ? [...line, found] : [found]).join('\n')) };
}

export const lineType = defineResource({
  name: 'line',
  summary: 'One line of a text file; the other lines stay unchanged',
  schema,
  key: (item) => `${item.path} ${item.match ?? text(item) ?? ''}`,
  want: (item) => (item.absent ? null : { line: item.line ?? '' }),
  probe: (batch) => ({
    script: lines([
      splitLines,
      findFunction,
      findLarge(batch),
      ...batch.map((item, index) => sh`hw_find_line ${lineFile(index)} ${item.path} ${words(item)}`),
    ]),
    stdin: textOf(batch),
    parse: (output) => {
      const answers = output.toString('utf8').split('\n');
      return batch.map((item, index) => {
        const answer = answers[index] ?? '';
        const [, size] = /^large (\d+)$/.exec(answer) ?? [];
        if (size !== undefined) return tooLarge(item.path, size, mostBytes);
        if (!answer.startsWith('bad ')) return parseLine(answer, item);
        return new Unreadable(Buffer.from(answer.slice(4), 'base64').toString('utf8').trim());
      });
    },
  }),
  apply: (changes) => {
    const files = new Set(changes.map((change) => change.desired.path));
    return [...files].map((at) =>
      step(
        at,
        changes.filter((change) => change.desired.path === at),
      ),
    );
  },
  order: {
    after: (item) => [`file:${item.path}`],
    provides: () => false,
    foresee: (item, actual, planned) => {
      const file = planned(`file:${item.path}`);
      const isRewritten = file?.attributes.some(({ name }) => name === 'kind' || name === 'content') ?? false;
      return isRewritten ? null : actual;
    },
  },
  files: { path: (item) => item.path, isPart: true },
});

/** A line of a file: `line('/etc/default/ufw', { line: 'IPV6=yes', match: '^IPV6=' })`. */
export function line(
  at: string,
  attributes: Omit<z.input<typeof schema>, 'path'>,
  options?: ResourceOptions,
): Resource {
  return declare(lineType, { path: at, ...attributes }, options);
}
