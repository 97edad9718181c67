import { z } from 'zod';
import { sh } from '../transport/shell.ts';
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

function stateIn(contents: ReadonlyMap<string, Buffer>, sysctl: Sysctl) {
  const read = (path: string): string | null => contents.get(path)?.toString('utf8') ?? null;
  const [running, file] = [read(runningIn(sysctl)), read(persistedIn(sysctl))];
  if (sysctl.absent && file === null) return null;
  const persisted = file === persistedText(sysctl) ? (sysctl.value ?? '') : file;
  return { value: running === null ? null : normalize(running), persisted };
}

export const sysctlType = defineResource({
  name: 'sysctl',
  summary: 'A kernel parameter, now and after the next boot',
  schema,
  key: (sysctl) => sysctl.name,
  want: (sysctl) => {
    if (sysctl.absent) return null;
    const value = sysctl.value ?? '';
    return { value, persisted: value };
  },
  probe: (batch) => ({
    script: readContents(filesOf(batch), mostBytes),
    parse: (output) => {
      const contents = parseContents(output, filesOf(batch));
      return batch.map((sysctl) => stateIn(contents, sysctl));
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
printf '%s' ${persistedText(desired)} | hw_replace 0644 ${file}`;
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
