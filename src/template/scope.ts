import { HostwrightError } from '../errors.ts';
import { didYouMean } from '../suggestion.ts';
import type { PathExpression, Position } from './ast.ts';
import { describeValue, hasEntries } from './disclosure.ts';

/** A value that is unknown because its text is checked but not rendered. */
export const unknown = Symbol('unknown');

/** `@root`, `@index` and their kin; `each` makes one inside that of its surroundings. */
interface Frame {
  readonly values: ReadonlyMap<string, unknown>;
  readonly outer?: Frame;
}

/** The names in scope at one place of a template. */
export interface Scope {
  readonly file: string;
  /** The value of `this`, then of `../`, `../../` and so on. */
  readonly contexts: readonly [unknown, ...unknown[]];
  /** Names given by `as |item index|`. */
  readonly blockParams: ReadonlyMap<string, unknown>;
  readonly frame: Frame;
  /** False in branches that are checked but not rendered. */
  readonly live: boolean;
  /** The partials that led here, the outermost first. */
  readonly partials: readonly string[];
}

export function rootScope(data: unknown, file: string): Scope {
  return {
    file,
    contexts: [data],
    blockParams: new Map(),
    frame: { values: new Map([['root', data]]) },
    live: true,
    partials: [],
  };
}

/** Handlebars takes no step into a block whose `this` is the same (by `==`) as outside. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return a !== unknown;
  const number = typeof a === 'number' || typeof b === 'number';
  return number && isWord(a) && isWord(b) && Number(a) === Number(b);
}

const isWord = (value: unknown): boolean => typeof value === 'number' || typeof value === 'string';

/** The scope inside a block with another `this`. */
export function enter(scope: Scope, context: unknown): Scope {
  return isSame(context, scope.contexts[0]) ? scope : { ...scope, contexts: [context, ...scope.contexts] };
}

export function withBlockParams(scope: Scope, names: readonly string[], values: readonly unknown[]): Scope {
  if (names.length === 0) return scope;
  const blockParams = new Map(scope.blockParams);
  names.forEach((name, index) => blockParams.set(name, values[index]));
  return { ...scope, blockParams };
}

export function withFrame(scope: Scope, values: Readonly<Record<string, unknown>>): Scope {
  const merged = new Map([...scope.frame.values, ...Object.entries(values)]);
  return { ...scope, frame: { values: merged, outer: scope.frame } };
}

/** An error at a place of the template that `scope` belongs to. */
export function templateError(
  scope: Scope,
  at: { readonly loc: { readonly start: Position } },
  message: string,
  details: { found?: string; expected?: string; hint?: string | undefined } = {},
): HostwrightError {
  const { hint, ...rest } = details;
  const { line, column } = at.loc.start;
  return new HostwrightError('E_TEMPLATE', message, {
    ...rest,
    hint,
    place: { file: scope.file, line, column: column + 1 },
  });
}

// Handlebars' own test for `this.x` and `./x`, which are never block parameters or functions.
const isScoped = (path: PathExpression): boolean => /^\.|this\b/.test(path.original);

/** The name, where the path is one plain name. */
export function plainName(path: PathExpression): string | undefined {
  return path.parts.length === 1 && !path.data && path.depth === 0 && !isScoped(path)
    ? path.parts[0]
    : undefined;
}

/** The value that a path stands for, `unknown` where only a rendering could tell; throws E_TEMPLATE. */
export function resolve(path: PathExpression, scope: Scope): unknown {
  const [head = '', ...rest] = path.parts;
  if (path.data) return rest.reduce(member(path, scope), dataVariable(path, head, scope));
  if (path.depth === 0 && !isScoped(path) && scope.blockParams.has(head)) {
    return rest.reduce(member(path, scope), scope.blockParams.get(head));
  }
  if (path.depth >= scope.contexts.length) {
    throw templateError(scope, path, `"${path.original}" is outside of the template`, {
      hint:
        scope.partials.length > 0
          ? 'a partial sees only its arguments: pass the value as {{> name key=value}}'
          : 'only {{#each}} and {{#with}} open a level for ../',
    });
  }
  return path.parts.reduce(member(path, scope), scope.contexts[path.depth]);
}

function dataVariable(path: PathExpression, name: string, scope: Scope): unknown {
  let frame: Frame | undefined = scope.frame;
  for (let level = 0; level < path.depth; level++) frame = frame?.outer;
  if (frame?.values.has(name)) return frame.values.get(name);
  const known = ['root', 'index', 'key', 'first', 'last'];
  throw templateError(scope, path, `"${path.original}" is not defined here`, {
    hint:
      name !== 'root' && known.includes(name)
        ? '@index, @key, @first and @last exist only inside {{#each}}; write ../ for each outer {{#each}}'
        : (didYouMean(name, known) ?? `defined here: @${known.join(', @')}`),
  });
}

/** One step of a path: the entry of a map or list. */
function member(path: PathExpression, scope: Scope) {
  return (owner: unknown, name: string): unknown => {
    if (owner === unknown) return unknown;
    const holds = hasEntries(owner);
    if (holds && Object.hasOwn(owner, name)) return owner[name];
    // Behind {{#if tls}} a tls.certificate is fine while tls is null, and so is the first of an empty list.
    if (!scope.live && (!holds || (Array.isArray(owner) && /^\d+$/.test(name)))) return unknown;
    const names = holds && !Array.isArray(owner) ? Object.keys(owner) : [];
    const nearby = path.parts.length === 1 ? [...scope.blockParams.keys(), ...names] : names;
    const whole = path.parts.length > 1 ? ` in "${path.original}"` : '';
    throw templateError(scope, path, `"${name}" is not defined${whole}`, {
      ...(holds ? {} : { found: `${describeValue(owner)}, which has no entries` }),
      hint: didYouMean(name, nearby) ?? whatIsThere(nearby),
    });
  };
}

function whatIsThere(names: readonly string[]): string {
  const listed = names.slice(0, 12).join(', ');
  const more = names.length > 12 ? ' …' : '';
  const ask = 'for an entry that may be missing use (lookup map "name")';
  return listed === '' ? ask : `defined here: ${listed}${more}; ${ask}`;
}
