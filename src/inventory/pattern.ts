import { readFile } from 'node:fs/promises';
import { HostwrightError } from '../errors.ts';
import type { ErrorDetails } from '../errors.ts';
import { didYouMean } from '../suggestion.ts';
import { parseAddress } from './address.ts';
import { globExpression } from './glob.ts';
import { hostNames } from './groups.ts';
import type { Host, Inventory } from './model.ts';
import { isInShard, type Shard } from './shard.ts';

function patternError(message: string, details: ErrorDetails): HostwrightError {
  return new HostwrightError('E_PATTERN', message, details);
}

/** The single patterns of `web:&lb:!db` or `web,!db`. Colons separate only where there is no comma. */
export function splitPattern(pattern: string): string[] {
  const parts = pattern.includes(',')
    ? pattern.split(',')
    : parseAddress(pattern) === null
      ? (pattern.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? [])
      : [pattern];
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

interface Subscript {
  readonly start: number;
  /** Included; null for the one item at `start`. */
  readonly end: number | null;
}

function splitSubscript(pattern: string): { readonly name: string; readonly subscript: Subscript | null } {
  const match = pattern.startsWith('~') ? null : /^(.+)\[(?:(-?\d+)|(\d+)[:-](\d*))\]$/.exec(pattern);
  if (match === null) return { name: pattern, subscript: null };
  const [, name = '', index, start, end] = match;
  if (index !== undefined) return { name, subscript: { start: Number(index), end: null } };
  // For Ansible an end of 0 is no end: `web[1:0]` is the second host.
  const last = end === '' || end === undefined ? Infinity : Number(end) || null;
  return { name, subscript: { start: Number(start), end: last } };
}

function applySubscript(
  names: readonly string[],
  subscript: Subscript | null,
  pattern: string,
): readonly string[] {
  if (names.length === 0 || subscript === null) return names;
  const { start, end } = subscript;
  if (end !== null) return names.slice(start, end + 1);
  const name = names.at(start);
  if (name !== undefined) return [name];
  throw patternError(`pattern ${pattern} has an index out of range`, {
    found: `position ${start}`,
    expected: `0 to ${names.length - 1}`,
    hint: `the group has ${names.length} hosts, counted from 0`,
  });
}

function nameExpression(pattern: string): RegExp {
  try {
    // Like Python's match, a regular expression is held to the start of the name only.
    return pattern.startsWith('~') ? new RegExp(`^(?:${pattern.slice(1)})`) : globExpression(pattern);
  } catch (error) {
    throw patternError(`pattern ${pattern} is not a valid regular expression`, {
      found: error instanceof Error ? error.message : String(error),
      hint: 'write a regular expression after ~, such as ~web\\d+',
      cause: error,
    });
  }
}

/** A pattern names a host or group that the inventory does not have. */
export class UnknownHosts extends HostwrightError {}

function unknownName(pattern: string, inventory: Inventory): UnknownHosts {
  const names = [...inventory.groups.keys(), ...inventory.hosts.keys()];
  const colon = pattern.includes(':')
    ? 'a pattern with commas cannot use colons as separators: use commas only'
    : undefined;
  const [first] = inventory.hosts.keys();
  const known = [...inventory.groups.keys()].filter((name) => name !== 'ungrouped').join(', ');
  return new UnknownHosts('E_PATTERN', `pattern ${pattern} matches no host and no group`, {
    found: pattern,
    expected: `a host or group of ${inventory.source}`,
    hint:
      colon ??
      didYouMean(pattern, names) ??
      (first === undefined
        ? 'the inventory has no hosts'
        : `groups: ${known}; \`hostwright inventory graph\` shows their hosts`),
  });
}

/** Hosts that one pattern without `&` and `!` stands for. */
function matchOne(pattern: string, inventory: Inventory): readonly string[] {
  const { name, subscript } = splitSubscript(pattern);
  const expression = nameExpression(name);
  const groups = [...inventory.groups.keys()].filter((group) => expression.test(group));
  const found = groups.flatMap((group) => hostNames(inventory.groups, group));
  if (groups.length === 0 || name.startsWith('~') || /[.?*[]/.test(name)) {
    found.push(...[...inventory.hosts.keys()].filter((host) => expression.test(host)));
  }
  if (found.length === 0 && groups.length === 0) throw unknownName(name, inventory);
  return applySubscript(found, subscript, pattern);
}

/** Evaluates single patterns: first those that add, then `&` that keep, then `!` that take away. */
function evaluate(patterns: readonly string[], inventory: Inventory): string[] {
  const keeps = patterns.filter((pattern) => pattern.startsWith('&'));
  const drops = patterns.filter((pattern) => pattern.startsWith('!'));
  const adds = patterns.filter((pattern) => !/^[&!]/.test(pattern));
  const bare = [...keeps, ...drops].find((pattern) => pattern.length === 1);
  if (bare !== undefined) {
    const hint = "write & or ! directly before a name, and quote the pattern: 'web:!web3'";
    throw patternError('a host pattern is malformed', { found: bare, hint });
  }
  const match = (pattern: string): readonly string[] =>
    inventory.hosts.has(pattern) ? [pattern] : matchOne(pattern, inventory);
  let names = (adds.length === 0 ? ['all'] : adds).flatMap(match);
  for (const pattern of keeps) {
    const kept = new Set(matchOne(pattern.slice(1), inventory));
    names = names.filter((name) => kept.has(name));
  }
  for (const pattern of drops) {
    const dropped = new Set(matchOne(pattern.slice(1), inventory));
    names = names.filter((name) => !dropped.has(name));
  }
  return [...new Set(names)];
}

/**
 * The hosts of a pattern in the order of `ansible PATTERN --list-hosts`; may be empty.
 * Throws E_PATTERN for a part that matches nothing.
 */
export function matchHosts(inventory: Inventory, pattern: string): Host[] {
  const parts = splitPattern(pattern);
  if (parts.length === 0) {
    throw patternError('the host pattern is empty', {
      found: JSON.stringify(pattern),
      hint: 'use all for every host',
    });
  }
  return toHosts(inventory, evaluate(parts, inventory));
}

function toHosts(inventory: Inventory, names: readonly string[]): Host[] {
  return names.flatMap((name) => inventory.hosts.get(name) ?? []);
}

/** The single patterns of `--limit`; `@FILE` stands for the lines of a file, as in Ansible's retry files. */
async function limitPatterns(limit: string): Promise<string[]> {
  const patterns: string[] = [];
  for (const part of splitPattern(limit)) {
    if (!part.startsWith('@')) {
      patterns.push(part);
      continue;
    }
    const file = part.slice(1);
    try {
      const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.trim());
      patterns.push(...lines.filter((line) => line !== ''));
    } catch (error) {
      const found = error instanceof Error ? error.message : String(error);
      const hint = '--limit @FILE names a file with one host or pattern per line';
      throw patternError('the file of --limit cannot be read', {
        place: { file },
        found,
        hint,
        cause: error,
      });
    }
  }
  return patterns;
}

/** The options that select hosts. */
export interface Selection {
  readonly limit?: string | undefined;
  readonly shard?: Shard | undefined;
}

/**
 * The hosts of a run: those of `pattern` that match `limit` too, in the order of `pattern`. With `shard`,
 * only those in the shard, which may be empty. Throws E_PATTERN when `limit` leaves no host.
 */
export async function selectHosts(
  inventory: Inventory,
  pattern: string,
  { limit, shard }: Selection = {},
): Promise<Host[]> {
  const hosts = matchHosts(inventory, pattern);
  const patterns = limit === undefined ? null : await limitPatterns(limit);
  const names = patterns === null ? null : new Set(evaluate(patterns, inventory));
  const selected = names === null ? hosts : hosts.filter((host) => names.has(host.name));
  if (selected.length > 0) {
    return shard === undefined ? selected : selected.filter(({ name }) => isInShard(name, shard));
  }
  const found = limit === undefined ? pattern : `${pattern}, limited to ${limit}`;
  const hint = '`hostwright inventory graph` shows the hosts of each group';
  throw patternError('the pattern and --limit leave no host', { found, expected: 'at least one host', hint });
}
