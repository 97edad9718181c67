import { inspect } from 'node:util';
import { HostwrightError, HostwrightErrors, type ErrorDetails } from '../errors.ts';
import { isSecret, Secret } from '../secrets/secret.ts';

// What structured cloning would not take, or would take the secret or the code out of, is an object with this key.
const tag = '\0hostwright';

type Tagged =
  | { readonly [tag]: 'secret'; readonly value: string }
  | {
      readonly [tag]: 'error';
      readonly code: HostwrightError['code'];
      readonly message: string;
      readonly stack: string | undefined;
      readonly details: ErrorDetails;
    }
  | { readonly [tag]: 'errors'; readonly errors: readonly unknown[] }
  /** An object that has the key itself. */
  | { readonly [tag]: 'entries'; readonly entries: readonly (readonly [string, unknown])[] };

function isTagged(value: object): value is Tagged {
  return tag in value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Of what caused an error only what is shown of it crosses. */
function causeOf(cause: unknown): unknown {
  if (cause === undefined) return undefined;
  if (!(cause instanceof Error)) return inspect(cause);
  const { name, message, stack } = cause;
  return Object.assign(new Error(message), { name, stack });
}

function toTagged(error: HostwrightError): Tagged {
  const { code, message, stack, place, found, expected, hint, cause } = error;
  const details = { place, found, expected, hint, cause: causeOf(cause) };
  const given = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
  return { [tag]: 'error', code, message, stack, details: given };
}

/**
 * A value as it may be cloned: lists, maps, plain objects and bytes with Secrets and errors of ours in them.
 * What is there twice is there twice afterwards. TypeError for a function or an object of another class.
 */
export function toWire(value: object): object {
  const known = new Map<object, unknown>();
  const encode = (one: unknown): unknown => {
    if (typeof one === 'function') throw new TypeError('a function cannot go to another process');
    if (typeof one !== 'object' || one === null || one instanceof Uint8Array) return one;
    if (!known.has(one)) known.set(one, encodeObject(one));
    return known.get(one);
  };
  const encodeObject = (one: object): object => {
    if (isSecret(one)) return { [tag]: 'secret', value: one.reveal() } satisfies Tagged;
    if (one instanceof HostwrightErrors)
      return { [tag]: 'errors', errors: one.errors.map(encode) } satisfies Tagged;
    if (one instanceof HostwrightError) return toTagged(one);
    if (Array.isArray(one)) return one.map(encode);
    if (one instanceof Map) return new Map([...one].map(([key, item]) => [key, encode(item)]));
    if (!isPlain(one)) throw new TypeError(`a ${one.constructor.name} cannot go to another process`);
    const entries = Object.entries(one).map(([key, item]) => [key, encode(item)] as const);
    return isTagged(one) ? ({ [tag]: 'entries', entries } satisfies Tagged) : Object.fromEntries(entries);
  };
  return encodeObject(value);
}

/** The value that toWire was given. Equal texts, such as what all hosts have from a group, share their memory. */
export function fromWire(wire: unknown): unknown {
  const known = new Map<object, unknown>();
  const texts = new Map<string, string>();
  const shared = (text: string): string => {
    const same = texts.get(text);
    if (same === undefined) texts.set(text, text);
    return same ?? text;
  };
  const decode = (one: unknown): unknown => {
    if (typeof one === 'string') return shared(one);
    if (typeof one !== 'object' || one === null || one instanceof Uint8Array) return one;
    if (!known.has(one)) known.set(one, isTagged(one) ? untag(one) : decodeObject(one));
    return known.get(one);
  };
  const decodeObject = (one: object): unknown => {
    if (Array.isArray(one)) return one.map(decode);
    if (one instanceof Map) return new Map([...one].map(([key, item]) => [key, decode(item)]));
    return Object.fromEntries(Object.entries(one).map(([key, item]) => [key, decode(item)]));
  };
  const untag = (one: Tagged): unknown => {
    switch (one[tag]) {
      case 'secret':
        return new Secret(one.value);
      case 'error': {
        const error = new HostwrightError(one.code, one.message, one.details);
        return one.stack === undefined ? error : Object.assign(error, { stack: one.stack });
      }
      case 'errors':
        return new HostwrightErrors(
          one.errors.map(decode).filter((error) => error instanceof HostwrightError),
        );
      case 'entries':
        return Object.fromEntries(one.entries.map(([key, item]) => [key, decode(item)]));
      default:
        return one satisfies never;
    }
  };
  return decode(wire);
}
