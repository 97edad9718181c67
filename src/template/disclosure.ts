import { inspect } from 'node:util';
import { isSecret, type Secret } from '../secrets/secret.ts';

/** A secret in the data of one rendering; reading its value is noted. */
export class DisclosedSecret {
  readonly #secret: Secret;
  readonly #note: () => void;

  constructor(secret: Secret, note: () => void) {
    this.#secret = secret;
    this.#note = note;
  }

  disclose(): string {
    this.#note();
    return this.#secret.reveal();
  }

  /** For the function `json`. */
  toJSON(): string {
    return this.disclose();
  }

  toString(): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}

/** Data of one rendering: `value` is what the template sees, `disclosed` tells whether a secret became text. */
export interface Disclosure {
  readonly value: unknown;
  disclosed(): boolean;
}

/**
 * A copy of `data` for one rendering. It contains only own properties, and no functions. An empty secret becomes '', so that `if` treats it as false.
 */
export function disclose(data: unknown): Disclosure {
  let noted = false;
  const note = (): void => {
    noted = true;
  };
  const copies = new Map<object, unknown>();

  const copy = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const known = copies.get(value);
    if (known !== undefined) return known;
    if (isSecret(value)) {
      const secret = value.reveal() === '' ? '' : new DisclosedSecret(value, note);
      copies.set(value, secret);
      return secret;
    }
    if (Array.isArray(value)) {
      const list = incomparable<unknown[]>([]);
      copies.set(value, list);
      for (const item of value) list.push(copy(item));
      return list;
    }
    const map = incomparable<Record<string, unknown>>({});
    copies.set(value, map);
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    for (const [key, item] of entries) if (typeof item !== 'function') setEntry(map, String(key), copy(item));
    return map;
  };

  return { value: copy(data), disclosed: () => noted };
}

/**
 * Handlebars compares the values of nested blocks by `==`, by which ['a'] is 'a' and their levels become
 * one; with this only the same list or map is the same.
 */
function incomparable<Value extends object>(value: Value): Value {
  return Object.defineProperty(value, Symbol.toPrimitive, { value: () => Symbol('no single value') });
}

/** Sets an entry of any name, `__proto__` too. */
export function setEntry(map: object, name: string, value: unknown): void {
  Object.defineProperty(map, name, { value, enumerable: true, writable: true, configurable: true });
}

/** Whether a value has entries that a template can name: a map or a list. */
export function hasEntries(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !(value instanceof DisclosedSecret);
}

/** What a value is, in words for a message; never the value itself. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'an unset value';
  if (value === null) return 'null';
  if (value instanceof DisclosedSecret) return 'a secret';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
