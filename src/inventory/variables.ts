import { dirname } from 'node:path';
import Handlebars from 'handlebars';
import { HostwrightError, HostwrightErrors } from '../errors.ts';
import type { FilePlace } from '../errors.ts';
import { isSecret } from '../secrets/secret.ts';
import type { Secret } from '../secrets/secret.ts';
import { didYouMean } from '../suggestion.ts';
import { isIpAddress } from './address.ts';
import { hostNames } from './groups.ts';
import type { Host, Inventory } from './model.ts';
import { collectProblems } from './problems.ts';
import type { Problems } from './problems.ts';

/** A variable as roles get it: references resolved, encrypted values decrypted. */
export type Value = string | number | boolean | null | Secret | readonly Value[] | Variables;
export interface Variables {
  readonly [key: string]: Value;
}

/** Renders one handlebars text strictly; a Secret when it contains one. Throws HostwrightError or HostwrightErrors. */
export type Render = (text: string, data: Variables, place: FilePlace) => string | Secret;

export interface Unresolved {
  readonly vars: Variables;
  /** Where each variable is defined, for errors. */
  readonly places: ReadonlyMap<string, FilePlace>;
  /** Names that values may refer to besides variables; they win over variables. */
  readonly magic: Variables;
  readonly render: Render;
}

/** The names that every value may refer to besides variables: those of the host and its groups. */
export function magicVariables(inventory: Inventory, host: Host): Variables {
  return {
    inventory_hostname: host.name,
    inventory_hostname_short: isIpAddress(host.name) ? host.name : (host.name.split('.')[0] ?? host.name),
    group_names: host.groups.toSorted(),
    // Made only when a value uses it: it names every host of the inventory.
    get groups() {
      const groups = [...inventory.groups.keys()];
      return Object.fromEntries(groups.map((name) => [name, hostNames(inventory.groups, name)]));
    },
    inventory_file: host.file,
    inventory_dir: dirname(host.file),
  };
}

interface Reference {
  readonly name: string;
  /** A plain `{{ name }}`, outside any block and without a function. */
  readonly plain: boolean;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function collect(node: unknown, plain: boolean, found: Reference[]): void {
  if (Array.isArray(node)) {
    for (const item of node) collect(item, plain, found);
    return;
  }
  if (!isRecord(node)) return;
  const { type, parts, params } = node;
  if (type === 'PathExpression' && node['data'] === false && node['depth'] === 0 && Array.isArray(parts)) {
    const [name]: unknown[] = parts;
    if (typeof name === 'string') found.push({ name, plain });
    return;
  }
  const bare = type === 'MustacheStatement' && Array.isArray(params) && params.length === 0;
  const inner = type === 'Program' ? plain : plain && bare;
  for (const [key, value] of Object.entries(node)) if (key !== 'loc') collect(value, inner, found);
}

/** The names a text refers to. A text that is not handlebars has none: rendering says what is wrong. */
function references(text: string): Reference[] {
  const found: Reference[] = [];
  try {
    collect(Handlebars.parse(text), true, found);
  } catch {
    return [];
  }
  return found;
}

const SINGLE = /^\{\{\{?\s*([A-Za-z_][\w-]*)((?:\.(?:\[[^\]]+\]|[\w-]+))*)\s*\}\}\}?$/;

/** Root and keys of a text that is exactly one reference: `{{ app.ports.[0] }}`. */
function singleReference(text: string): { readonly name: string; readonly keys: readonly string[] } | null {
  const [, name, rest = ''] = SINGLE.exec(text) ?? [];
  if (name === undefined) return null;
  const keys = [...rest.matchAll(/\.(?:\[([^\]]+)\]|([\w-]+))/g)].map(
    ([, bracketed, bare]) => bracketed ?? bare ?? '',
  );
  return { name, keys };
}

function step(value: Value, key: string): Value | undefined {
  if (typeof value !== 'object' || value === null || isSecret(value)) return undefined;
  return new Map<string, Value>(Object.entries(value)).get(key);
}

/** A value that could not be resolved; its error is already reported. */
class Broken extends Error {}

interface Resolving {
  readonly given: Unresolved;
  readonly problems: Problems;
  readonly done: Map<string, Value | Broken>;
  /** The variables on the way to the current one. */
  readonly way: string[];
}

function fail(resolving: Resolving, message: string, details: { found: string; hint: string }): never {
  const current = resolving.way.at(-1);
  const place = current === undefined ? undefined : resolving.given.places.get(current);
  resolving.problems.report(message, place === undefined ? details : { ...details, place });
  throw new Broken();
}

function failUnknown(resolving: Resolving, name: string, names: readonly string[], path: string): never {
  const hint = didYouMean(name, names) ?? 'define it, or write \\{{ for literal braces';
  const current = resolving.way.at(-1) ?? '';
  fail(resolving, `variable ${current} refers to undefined ${path}`, {
    found: `{{ ${path} }}`,
    hint,
  });
}

function failCircle(resolving: Resolving, name: string): never {
  const circle = [...resolving.way.slice(resolving.way.indexOf(name)), name];
  // Every variable of the circle fails with this one error.
  for (const member of circle) resolving.done.set(member, new Broken());
  fail(resolving, 'variables refer to each other in a cycle', {
    found: circle.join(' → '),
    hint: `set one of ${[...new Set(circle)].join(', ')} to a plain value`,
  });
}

function lookUp(name: string, resolving: Resolving): Value | undefined {
  const { given, done, way } = resolving;
  if (Object.hasOwn(given.magic, name)) return given.magic[name];
  const known = done.get(name);
  if (known instanceof Broken) throw known;
  if (known !== undefined) return known;
  const value = Object.hasOwn(given.vars, name) ? given.vars[name] : undefined;
  if (value === undefined) return undefined;
  if (way.includes(name)) failCircle(resolving, name);
  way.push(name);
  try {
    const resolved = resolve(value, resolving);
    done.set(name, resolved);
    return resolved;
  } catch (error) {
    if (error instanceof Broken) done.set(name, error);
    throw error;
  } finally {
    way.pop();
  }
}

function nameList({ given }: Resolving): string[] {
  return [...Object.keys(given.vars), ...Object.keys(given.magic)];
}

function resolveSingle(name: string, keys: readonly string[], resolving: Resolving): Value {
  let value = lookUp(name, resolving);
  if (value === undefined) failUnknown(resolving, name, nameList(resolving), name);
  const path = [name];
  for (const key of keys) {
    const names = typeof value === 'object' && value !== null && !isSecret(value) ? Object.keys(value) : [];
    path.push(key);
    const next: Value | undefined = step(value, key);
    if (next === undefined) failUnknown(resolving, key, names, path.join('.'));
    value = next;
  }
  return value;
}

function errorsOf(error: unknown): readonly HostwrightError[] {
  if (error instanceof HostwrightErrors) return error.errors;
  if (error instanceof HostwrightError) return [error];
  throw error;
}

function resolveText(text: string, resolving: Resolving): Value {
  if (!text.includes('{{')) return text;
  const single = singleReference(text);
  if (single !== null) return resolveSingle(single.name, single.keys, resolving);
  const data: Record<string, Value> = {};
  for (const { name, plain } of references(text)) {
    const value = lookUp(name, resolving);
    if (value !== undefined) data[name] = value;
    else if (plain) failUnknown(resolving, name, nameList(resolving), name);
  }
  const current = resolving.way.at(-1) ?? '';
  const place = resolving.given.places.get(current) ?? { file: current };
  try {
    return resolving.given.render(text, data, place);
  } catch (error) {
    for (const one of errorsOf(error)) {
      const { found, expected, hint } = one;
      resolving.problems.report(`variable ${current}: ${one.message}`, {
        place,
        found,
        expected,
        hint,
        cause: one,
      });
    }
    throw new Broken();
  }
}

function resolve(value: Value, resolving: Resolving): Value {
  if (typeof value === 'string') return resolveText(value, resolving);
  if (typeof value !== 'object' || value === null || isSecret(value)) return value;
  if (isList(value)) return value.map((item) => resolve(item, resolving));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, resolving)]));
}

function isList(value: readonly Value[] | Variables): value is readonly Value[] {
  return Array.isArray(value);
}

/**
 * Resolves the references between the variables of one host. A value that is exactly one reference keeps
 * the type of its target. Throws E_VARIABLE, several as HostwrightErrors.
 */
export function resolveVariables(given: Unresolved): Record<string, Value> {
  const problems = collectProblems('E_VARIABLE');
  const resolving: Resolving = { given, problems, done: new Map(), way: [] };
  const resolved: Record<string, Value> = {};
  for (const name of Object.keys(given.vars)) {
    try {
      const value = lookUp(name, resolving);
      if (value !== undefined) resolved[name] = value;
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
    }
  }
  problems.throwAny();
  return resolved;
}
