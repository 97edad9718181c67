import { basename, dirname } from 'node:path/posix';
import { z } from 'zod';
import { lines, sh } from '../transport/shell.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from './resource.ts';
import { parseContents, readContents } from './shell/contents.ts';
import { replaceFunctions } from './shell/replace.ts';
import { each } from './step.ts';

/** sysctl.d(5): where the first separator is a slash the name is a path; otherwise dots and slashes swap. */
function kernelPath(name: string): string {
  if (/^[^.]*\//.test(name)) return name;
  return name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}

function dotted(name: string): string {
  return kernelPath(name).replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}

function normalize(value: string): string {
  return value.trim().replace(/\s+/g, ' ');
}

const schema = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^\w+([./](?!\.\.?([./]|$))[\w:@-]+)+$/,
        'expected the name of a kernel parameter, such as "net.ipv4.ip_forward"',
      )
      .transform(dotted)
      .describe('Such as `net.ipv4.ip_forward`; write a dot inside a part as a slash'),
    value: z
      .union([z.number().int(), z.string().regex(/^[^\n\0]*\S[^\n\0]*$/, 'expected a value of one line')])
      .transform((value) => normalize(String(value)))
      .optional()
      .describe('White space between words does not matter'),
    absent: z
      .boolean()
      .default(false)
      .describe('Removes the persisted value; the running value stays until the next boot'),
  })
  .refine((sysctl) => sysctl.absent || sysctl.value !== undefined, {
    message: 'expected a value',
    path: ['value'],
  });

type Sysctl = z.output<typeof schema>;

/** Behind every other file, 99-sysctl.conf included: the last one read wins. */
function persistedIn({ name }: Sysctl): string {
  return `/etc/sysctl.d/zz-${name.replaceAll('/', '~')}.conf`;
}

function persistedText({ name, value = '' }: Sysctl): string {
  return `${name} = ${value}\n`;
}

function runningIn({ name }: Sysctl): string {
  return `/proc/sys/${kernelPath(name)}`;
}

function filesOf(batch: readonly Sysctl[]): readonly string[] {
  return batch.flatMap((sysctl) => [runningIn(sysctl), persistedIn(sysctl)]);
}

/** Bytes of a value or file that are read; the kernel takes none of that size. */
const mostBytes = 64 * 1024;

/** Where files are that systemd-sysctl reads; of several of one name the first counts, and then they go by name. */
const folders = ['/etc/sysctl.d', '/run/sysctl.d', '/usr/local/lib/sysctl.d', '/usr/lib/sysctl.d'];

/** ufw sets these when it starts, after systemd. */
const lastFile = '/etc/ufw/sysctl.conf';

/** A line that sets a parameter by its name, which a pattern for many never wins over. */
const assignment = '^[[:space:]]*-?[[:alnum:]_][^#;*=]*=';

/** Prints the path of each file, and each line that sets something behind the path, then an empty line. */
const listAssignments = sh`for folder in ${folders}; do
  for file in "$folder"/*.conf; do
    if [ -e "$file" ]; then set -- "$@" "$file"; fi
  done
done
printf '%s:\n' "$@"
grep -aHsE -e ${assignment} "$@" ${lastFile} /dev/null || :
echo`;

interface Assignment {
  readonly file: string;
  readonly name: string;
  readonly value: string;
}

/** In the order in which they take effect: of the first file of each name, and these by name. */
function parseAssignments(text: string): readonly Assignment[] {
  const listed = [...text.matchAll(/^(\/[^:\n]*):$/gm)].map(([, file = '']) => file);
  const first = new Map<string, string>();
  for (const folder of folders) {
    for (const file of listed) {
      if (dirname(file) === folder && !first.has(basename(file))) first.set(basename(file), file);
    }
  }
  const rank = ({ file }: Assignment): string => (file === lastFile ? '\uFFFF' : basename(file));
  return [...text.matchAll(/^(\/[^:\n]*):\s*-?(\w[^=\n]*?)\s*=(.*)$/gm)]
    .map(([, file = '', name = '', value = '']) => ({ file, name: dotted(name), value: normalize(value) }))
    .filter(({ file }) => file === lastFile || first.get(basename(file)) === file)
    .toSorted((a, b) => Number(rank(a) > rank(b)) - Number(rank(a) < rank(b)));
}

/** What the next boot sets, where another file wins over that of the resource. */
function outdone(sysctl: Sysctl, ordered: readonly Assignment[]): string | undefined {
  const last = ordered.findLast(({ name }) => name === sysctl.name);
  if (last === undefined || last.file === persistedIn(sysctl) || last.value === sysctl.value)
    return undefined;
  return `${last.value} (from ${last.file})`;
}

function stateIn(contents: ReadonlyMap<string, Buffer>, ordered: readonly Assignment[], sysctl: Sysctl) {
  const read = (path: string): string | null => contents.get(path)?.toString('utf8') ?? null;
  const [running, file] = [read(runningIn(sysctl)), read(persistedIn(sysctl))];
  if (sysctl.absent && file === null) return null;
  const own = file === persistedText(sysctl) ? (sysctl.value ?? '') : file;
  const persisted = sysctl.absent ? own : (outdone(sysctl, ordered) ?? own);
  return { value: running === null ? null : normalize(running), persisted };
}

/** The lines that set a parameter, with dots or slashes: an extended regular expression. */
function anySpelling({ name }: Sysctl): string {
  return `^[[:space:]]*-?${name.replaceAll(/[./]/g, '[./]')}[[:space:]]*=`;
}

/**
 * Turns what other files set after that of the resource into comments: those lines never count again, and the rest of
 * the file stays. A file of a package is hidden by one of the same name.
 */
const outdoFunction = sh`hw_outdo() {
  for folder in ${folders}; do
    for conf in "$folder"/*.conf; do
      if LC_ALL=C expr "x\${conf##*/}" '>' "x$2" >/dev/null && grep -qsE -e "$1" "$conf"; then hw_comment "$1" "$conf"; fi
    done
  done
  if grep -qsE -e "$1" ${lastFile}; then hw_comment "$1" ${lastFile}; fi
}
hw_comment() {
  sed -E "s|$1|# &|" "$2" >"$HW/conf"
  case $2 in
    /usr/*) [ -e "/etc/sysctl.d/\${2##*/}" ] || hw_replace 0644 "/etc/sysctl.d/\${2##*/}" <"$HW/conf" ;;
    *) hw_replace 0644 "$2" <"$HW/conf" ;;
  esac
}`;

export const sysctlType = defineResource({
  name: 'sysctl',
  summary:
    'A kernel parameter, now and after the next boot. Lines of other files that would win at the boot become comments',
  schema,
  key: (sysctl) => sysctl.name,
  want: (sysctl) => {
    if (sysctl.absent) return null;
    const value = sysctl.value ?? '';
    return { value, persisted: value };
  },
  probe: (batch) => ({
    script: lines([listAssignments, readContents(filesOf(batch), mostBytes)]),
    parse: (output) => {
      const text = output.toString('latin1');
      const end = text.startsWith('\n') ? 0 : text.indexOf('\n\n') + 1;
      const ordered = parseAssignments(text.slice(0, end));
      const contents = parseContents(output.subarray(end + 1), filesOf(batch));
      return batch.map((sysctl) => stateIn(contents, ordered, sysctl));
    },
  }),
  apply: each((change) => {
    const { id, desired } = change;
    const file = persistedIn(desired);
    const value = desired.value ?? '';
    if (desired.absent) {
      return { resources: [id], title: `forget ${desired.name}`, script: sh`rm -f ${file}` };
    }
    const running = runningIn(desired);
    // First the kernel: a value that it refuses is not kept for the next boot either.
    const script = sh`${replaceFunctions}
if [ "$(tr -s '[:space:]' ' ' <${running} | sed 's/^ //; s/ $//')" != ${value} ]; then printf '%s\n' ${value} >${running}; fi
printf '%s' ${persistedText(desired)} | hw_replace 0644 ${file}
${outdoFunction}
hw_outdo ${anySpelling(desired)} ${basename(file)}`;
    return { resources: [id], title: `set ${desired.name}`, script };
  }),
  order: { provides: () => false },
  files: { path: persistedIn },
});

/** A kernel parameter: `sysctl('net.ipv4.ip_forward', { value: 1 })`. */
export function sysctl(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(sysctlType, { name, ...attributes }, options);
}
