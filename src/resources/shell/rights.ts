import { sh } from '../../transport/shell.ts';
import type { Section } from '../../transport/sections.ts';

/** Who may use a path, or what a program may do, beyond what owner, group and mode say. */
export interface Rights {
  /** Entries of access control lists: `user:nobody:r--, default:group:staff:rwx`. */
  readonly acl?: string;
  readonly capabilities?: string;
}

/**
 * Reads the rights of any number of paths in one process. Programs for it are not on every host, and `find` and `stat`
 * show none; but tar is there, and lists them of what it would archive. To /dev/null it reads no file.
 */
export function rightsProbe(paths: readonly string[]): Required<Section> {
  return {
    script: sh`tar --null --verbatim-files-from -P --no-recursion --hard-dereference --acls --xattrs --xattrs-include=security.capability --quoting-style=escape -cvvvf /dev/null -T - 2>/dev/null || :`,
    stdin: Buffer.from(paths.map((path) => `${path}\0`).join('')),
  };
}

const escapes: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 };

/** A name as tar writes it: `\n`, `\\`, or the octal number of a byte. */
function unescaped(text: string): string {
  const bytes = text.replaceAll(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3
      ? String.fromCodePoint(Number.parseInt(code, 8))
      : String.fromCodePoint(escapes[code] ?? code.codePointAt(0) ?? 0),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** What goes beyond the mode: users and groups that are named, and what new files in a folder get. */
function beyondMode(acl: string): string {
  const entries = acl.split(',');
  const named = entries.filter((entry) => /^(default:)?(user|group):[^:]+:/.test(entry));
  const beyond = named.length > 0 ? named : entries.filter((entry) => entry.startsWith('default:'));
  return (beyond.length > 0 ? beyond : entries).join(', ');
}

const header = /^[-a-zA-Z?][-rwxsStT]{9}\S* +\S+ +\S+ [\d-]{10} [\d:.]+ (.*)$/;

/** By path, the rights of those that have any. */
export function parseRights(output: Buffer): ReadonlyMap<string, Rights> {
  const found = new Map<string, Rights>();
  let name = '';
  for (const line of output.toString('latin1').split('\n')) {
    const [, , acl] = /^ +(a): (.+)$/.exec(line) ?? [];
    const hasCapability = /^ +x: +\d+ security\.capability$/.test(line);
    if (acl === undefined && !hasCapability) {
      name = header.exec(line)?.[1] ?? name;
      continue;
    }
    const path = unescaped(name).replace(/(.)\/$/, '$1');
    const rights = acl === undefined ? { capabilities: 'of a program' } : { acl: beyondMode(acl) };
    found.set(path, { ...found.get(path), ...rights });
  }
  return found;
}

/** The rights of some paths as attributes of a state; several are told apart by their names. */
export function rightsOf(paths: readonly string[], found: ReadonlyMap<string, Rights>): Rights {
  const of = (name: keyof Rights): string =>
    paths
      .flatMap((path) => {
        const value = found.get(path)?.[name];
        return value === undefined ? [] : [paths.length === 1 ? value : `${path} ${value}`];
      })
      .join('; ');
  const [acl, capabilities] = [of('acl'), of('capabilities')];
  return { ...(acl === '' ? {} : { acl }), ...(capabilities === '' ? {} : { capabilities }) };
}
