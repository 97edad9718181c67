import { dirname, resolve } from 'node:path/posix';
import { formatPlace } from '../errors.ts';
import { pathOf } from '../resources/path.ts';
import type { DeclaredResource } from '../resources/resource.ts';
import type { ResourceId } from '../resources/state.ts';
import { isSecret } from '../secrets/secret.ts';

/** A file that a role declares, with all the names that a program may call it by. */
interface Source {
  readonly resource: DeclaredResource;
  readonly path: string;
  readonly names: readonly string[];
}

/** A file that a message names, and the line that goes with it. */
interface Mention {
  readonly source: Source;
  readonly line: number | undefined;
}

const mostPlaces = 5;

function textOf({ desired }: DeclaredResource): string | undefined {
  const content: unknown = 'content' in desired ? desired.content : undefined;
  if (isSecret(content)) return content.reveal();
  return typeof content === 'string' ? content : undefined;
}

/** Where the links of the host lead, by their own paths. */
function linksOf(resources: readonly DeclaredResource[]): readonly (readonly [string, string])[] {
  return resources.flatMap(({ type, desired }): [string, string][] => {
    const path = type.files?.path?.(desired);
    const to = type.files?.leadsTo?.(desired);
    return path === undefined || to === undefined ? [] : [[path, resolve(dirname(path), to)]];
  });
}

function sourcesOf(resources: readonly DeclaredResource[]): readonly Source[] {
  const links = linksOf(resources);
  return resources.flatMap((resource): Source[] => {
    const path = pathOf(resource);
    if (path === undefined || textOf(resource) === undefined) return [];
    const aliases = links.flatMap(([link, to]) => (to === path ? [link] : []));
    // systemd-analyze looks at a unit in another folder.
    const key = resource.type.key(resource.desired);
    return [{ resource, path, names: [...new Set([path, key, ...aliases])] }];
  });
}

/** `:23`, `: line 5`, `: 12:9`, ` at line: 1`: right behind the name of the file. */
const lineBehind = /^['")\]]*(?::|:?\s+(?:at\s+|on\s+)?line:?)\s*(?:line:?\s*)?(\d+)/;
/** `line 5`, further on in the message. */
const lineLater = /\bline:?\s+(\d+)/g;

/** Where a name stands in a message, on its own and not as part of another one. */
function places(message: string, name: string): readonly number[] {
  const found: number[] = [];
  for (let at = message.indexOf(name); at !== -1; at = message.indexOf(name, at + 1)) {
    const isWhole =
      !/[\w./-]$/.test(message.slice(0, at)) && !/^([\w/-]|\.\w)/.test(message.slice(at + name.length));
    if (isWhole) found.push(at);
  }
  return found;
}

function mentionsOf(message: string, sources: readonly Source[]): readonly Mention[] {
  const found = sources
    .flatMap((source) =>
      source.names.flatMap((name) => places(message, name).map((at) => ({ source, name, at }))),
    )
    .toSorted((a, b) => a.at - b.at);
  return found.flatMap(({ source, name, at }, index): Mention[] => {
    const rest = message.slice(at + name.length, found[index + 1]?.at);
    const behind = lineBehind.exec(rest)?.[1];
    if (behind !== undefined) return [{ source, line: Number(behind) }];
    // `app.service` is also what the journal begins its lines with.
    if (name !== source.path) return [];
    const later = [...rest.matchAll(lineLater)].map(([, line]) => Number(line));
    return later.length === 0 ? [{ source, line: undefined }] : later.map((line) => ({ source, line }));
  });
}

/** MySQL names the setting that it does not like and no file: `unknown variable 'foo=bar'`. */
function settingsOf(message: string, sources: readonly Source[]): readonly Mention[] {
  const names = [...message.matchAll(/\b(?:variable|option) '(?:--)?([\w-]+)/g)].map(([, name = '']) => name);
  return sources.flatMap((source) => {
    const lines = (textOf(source.resource) ?? '').split('\n');
    const hits = lines.flatMap((text, index) => {
      const [setting = ''] = text.split('=');
      return names.includes(setting.trim()) ? [index + 1] : [];
    });
    return hits.map((line) => ({ source, line }));
  });
}

/** Some name no file at all, only a line of what YAML they read: certain where there is one file to read. */
const yamlLine = /(?:\n|\\n)\s+line (\d+):/g;

function onlyFile(message: string, [source, ...others]: readonly Source[]): readonly Mention[] {
  if (source === undefined || others.length > 0) return [];
  return [...message.matchAll(yamlLine)].map(([, line]) => ({ source, line: Number(line) }));
}

/** A file is checked in the folder where it is made. */
const aside = /\/\.hostwright\.\w{6}(?=\/)/g;

function describe({ source: { resource, path }, line }: Mention): string {
  const where = line === undefined ? path : `line ${line} of ${path}`;
  if (resource.origin === undefined) return `${where} comes from the role ${resource.role}`;
  const place = resource.origin(line);
  return `${where} comes from ${formatPlace(place)}`;
}

/**
 * What a program on a host said, with the places in the templates that the files and lines it names are from.
 * Settings and lines that it names without a file are looked for in the files of `changed`.
 */
export function withOrigins(
  said: string,
  resources: readonly DeclaredResource[],
  changed: readonly ResourceId[],
): string {
  const message = said.replaceAll(aside, '');
  const sources = sourcesOf(resources);
  const own = sources.filter(({ resource }) => changed.includes(resource.id));
  const mentions = mentionsOf(message, sources);
  const exact = mentions.filter(({ line }) => line !== undefined);
  // A file that is named without a line may only be among the words of the command that failed.
  const guessed = exact.length > 0 ? [] : [...settingsOf(message, own), ...onlyFile(message, own)];
  const found = [exact, guessed].find((candidates) => candidates.length > 0) ?? mentions;
  const described = new Set(found.map(describe));
  return [message, ...[...described].slice(0, mostPlaces)].join('\n');
}
