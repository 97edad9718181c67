import { HostwrightError, HostwrightErrors, type FilePlace } from '../errors.ts';
import type { RawValue, RawVariables } from './model.ts';
import type { Value, Variables } from './variables.ts';
import { decryptValue, isEncrypted } from '../secrets/age.ts';
import type { Secret } from '../secrets/secret.ts';

/** Decrypts the variables of one host; `places` tells where each is defined. */
export type DecryptVariables = (
  vars: RawVariables,
  places: ReadonlyMap<string, FilePlace>,
) => Promise<Variables>;

/**
 * Makes a function that replaces every encrypted string by a Secret, in lists and maps too. A value
 * that many hosts share is decrypted once. `identities` is asked only when there is something to decrypt.
 * Errors are E_SECRET, one for each variable that cannot be decrypted.
 */
export function variableDecrypter(identities: () => Promise<readonly string[]>): DecryptVariables {
  let loaded: Promise<readonly string[]> | undefined;
  const decrypted = new Map<string, Promise<Secret>>();

  const decrypt = (value: string): Promise<Secret> => {
    const known = decrypted.get(value);
    if (known) return known;
    loaded ??= identities();
    const pending = loaded.then((keys) => decryptValue(value, keys));
    decrypted.set(value, pending);
    return pending;
  };

  const resolve = async (value: RawValue): Promise<Value> => {
    if (typeof value === 'string') return isEncrypted(value) ? await decrypt(value) : value;
    if (typeof value !== 'object' || value === null) return value;
    if (isList(value)) return await Promise.all(value.map(resolve));
    const entries = Object.entries(value).map(async ([key, item]) => [key, await resolve(item)] as const);
    return Object.fromEntries(await Promise.all(entries));
  };

  return async (vars, places) => {
    const names = Object.keys(vars);
    const settled = await Promise.allSettled(Object.values(vars).map(resolve));
    const values: Record<string, Value> = {};
    const errors: HostwrightError[] = [];
    settled.forEach((outcome, index) => {
      const name = names[index] ?? '';
      if (outcome.status === 'fulfilled') values[name] = outcome.value;
      else errors.push(withVariable(outcome.reason, name, places.get(name)));
    });
    const [first] = errors;
    if (first) throw errors.length === 1 ? first : new HostwrightErrors(errors);
    return values;
  };
}

function isList(value: readonly RawValue[] | RawVariables): value is readonly RawValue[] {
  return Array.isArray(value);
}

function withVariable(reason: unknown, name: string, place: FilePlace | undefined): HostwrightError {
  if (!(reason instanceof HostwrightError)) throw reason;
  // The identity file has a place of its own.
  if (reason.place !== undefined) return reason;
  return new HostwrightError('E_SECRET', `variable ${name}: ${reason.message}`, {
    place,
    hint: reason.hint,
  });
}
