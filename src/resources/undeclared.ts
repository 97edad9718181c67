import { isUtf8 } from 'node:buffer';
import { lines, sh, type Script } from '../transport/shell.ts';
import type { DeclaredPaths } from './resource.ts';
import { enterFunctions } from './shell/enter.ts';
import { removal } from './shell/removal.ts';
import { sizeText } from './shell/stat.ts';

/** Something below a folder. Paths are bytes, one a character (latin1): they may be no text. */
export interface Entry {
  readonly path: string;
  readonly kind: string;
  /** Bytes. */
  readonly size: number;
}

/** Bytes of a list that is sent: some thirty thousand entries, which nobody put there to be configuration. */
const mostListed = 4 * 1024 * 1024;

/** Prints everything below some folders, for `entriesIn`. No link is followed, and no mount is entered. */
export function listBelow(folders: readonly string[]): Script {
  return sh`find ${folders} -xdev -mindepth 1 -printf '%y %s %p\0' 2>/dev/null | head -c ${mostListed + 1}`;
}

function parseEntry(field: string): Entry {
  const [, kind = '', size, path = ''] = /^(\S) (\d+) (\/.*)$/s.exec(field) ?? [];
  if (size === undefined) throw new RangeError(`unexpected entry "${field.slice(0, 80)}" below a folder`);
  return { path, kind, size: Number(size) };
}

/** What `listBelow` printed; undefined where that is too much. RangeError on any other output. */
export function entriesIn(output: Buffer): readonly Entry[] | undefined {
  if (output.length > mostListed) return undefined;
  const fields = output.toString('latin1').split('\0');
  if (fields.pop() !== '') throw new RangeError('the list of what is below a folder is cut off');
  return fields.map(parseEntry);
}

/** A name with `*` for any part of it and `?` for one character. */
function pattern(text: string): RegExp {
  const escaped = text.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}$`, 's');
}

/** dpkg needs it in a moment, and nothing reads it. */
const ofDpkg = /\.dpkg-(new|tmp)$/;

/** What nobody declares, with all that it holds. */
interface Stranger {
  readonly kind: string;
  readonly count: number;
  readonly bytes: number;
}

function strangersIn(
  folder: string,
  keep: readonly string[],
  entries: readonly Entry[],
  host: DeclaredPaths,
): ReadonlyMap<string, Stranger> {
  const kept = keep.map(pattern);
  const found = new Map<string, Stranger>();
  const kinds = new Map(entries.map(({ path, kind }) => [path, kind]));
  /** The uppermost part of a path that nobody declares; undefined where there is none. */
  const strange = (names: readonly string[], depth = 1): string | undefined => {
    const name = names.slice(0, depth).join('/');
    const text = Buffer.from(name, 'latin1').toString('utf8');
    if (ofDpkg.test(name) || kept.some((one) => one.test(text)) || host.owns(`${folder}/${text}`))
      return undefined;
    if (!host.ownsBelow(`${folder}/${text}`)) return name;
    return depth === names.length ? undefined : strange(names, depth + 1);
  };
  const within = Buffer.from(`${folder}/`).toString('latin1');
  for (const { path, kind, size } of entries) {
    if (!path.startsWith(within)) continue;
    const inside = path.slice(within.length);
    const name = strange(inside.split('/'));
    if (name === undefined) continue;
    const known = found.get(name) ?? { kind: kinds.get(within + name) ?? kind, count: 0, bytes: 0 };
    const count = known.count + (name === inside ? 0 : 1);
    found.set(name, { ...known, count, bytes: known.bytes + (kind === 'f' ? size : 0) });
  }
  return found;
}

function escaped(text: string, characters: RegExp): string {
  return text.replaceAll(
    characters,
    (character) => `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  );
}

/** A name as it is where nothing in it can be mistaken, else in quotes; `unquoted` gives the bytes of both. */
function quoted(name: string): string {
  const bytes = Buffer.from(name, 'latin1');
  const text = bytes.toString('utf8');
  if (!isUtf8(bytes) || /[\p{Cc}\p{Cf}]/u.test(text)) return `"${escaped(name, /[^ !#-[\]-~]/g)}"`;
  return /[\s,"\\()]/u.test(text) ? `"${escaped(text, /["\\]/g)}"` : text;
}

function unquoted(text: string): Buffer {
  if (!text.startsWith('"')) return Buffer.from(text);
  const bytes = Buffer.from(text.slice(1, -1)).toString('latin1');
  const name = bytes.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  );
  return Buffer.from(name, 'latin1');
}

function described(name: string, { kind, count, bytes }: Stranger): string {
  if (kind === 'l') return `${quoted(name)} (link)`;
  if (kind !== 'd') return quoted(name);
  const holds = count === 0 ? 'empty' : `${count} ${count === 1 ? 'entry' : 'entries'}, ${sizeText(bytes)}`;
  return `${quoted(name)}/ (${holds})`;
}

export const nothing = 'nothing';

/**
 * What is below a folder that nobody declares and `keep` does not name, in words: `zzz.cnf, old/ (3 entries, 12 KiB)`.
 * A folder that is declared itself says what becomes of what it holds.
 */
export function undeclaredIn(
  folder: string,
  keep: readonly string[],
  entries: readonly Entry[],
  host: DeclaredPaths,
): string {
  const strangers = [...strangersIn(folder, keep, entries, host)];
  const words = strangers.map(([name, stranger]) => described(name, stranger));
  return words.toSorted().join(', ') || nothing;
}

/** The names, relative to the folder, in what `undeclaredIn` has given. */
export function namesOf(text: string): readonly Buffer[] {
  if (text === nothing) return [];
  const all = text.matchAll(/("[^"]*"|[^\s,"(]+?)(?:\/? \([^)]*\))?(?:, |$)/g);
  return [...all].map(([, name = '']) => unquoted(name));
}

const removeEach = lines([
  removal,
  enterFunctions,
  sh`at=$1
shift
for name in "$@"; do
  if [ ! -e "$at/$name" ] && [ ! -L "$at/$name" ]; then continue; fi
  (
    hw_enter "$at"
    case $name in */*) hw_enter "$PWD/\${name%/*}" ;; esac
    hw_remove "./\${name##*/}"
  )
done`,
]).text;

/** Removes what is below a folder by its names, which come by standard input, each with a NUL behind it. */
export function removeNamed(folder: string): Script {
  return sh`xargs -0 -r sh -euc ${removeEach} sh ${folder}`;
}
