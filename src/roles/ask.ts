import { inspect } from 'node:util';
import { HostwrightError, HostwrightErrors, withPlace } from '../errors.ts';
import { createMask, secretsIn } from '../secrets/mask.ts';
import { listed } from './list.ts';
import type { LoadedRole } from './role.ts';
import { placeOfError, placeOfWord, type Member } from './place.ts';

/** A question to a role: what it lists for a host. */
export interface Question<Item> {
  /** The role with its folder and its variables for the host. */
  readonly of: LoadedRole & { readonly vars: Readonly<Record<string, unknown>> };
  readonly member: Member;
  readonly host: string;
  /** Calls the member. */
  readonly ask: () => unknown;
  readonly isItem: (value: unknown) => value is Item;
  /** What an item is: `a resource, as file() and pkg() give it`. */
  readonly expected: string;
}

const longest = 500;

/** Imported names in the words of the file: jiti calls `file` `(0, _hostwright.file)`. */
function inOwnWords(message: string): string {
  return message
    .replaceAll(/\(0\s?,\s*_\w+\.(?:default\.)?(\w+)\)/g, '$1')
    .replaceAll(/\b_hostwright\d*\.(\w+)/g, '$1');
}

/** What was thrown, in one line that fits. */
export function thrownText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${shortly(error)}`;
  return inOwnWords(text).slice(0, longest);
}

/** A value for an error message: never the whole of something large. */
export function shortly(value: unknown): string {
  return inspect(value, {
    depth: 1,
    maxArrayLength: 3,
    maxStringLength: 60,
    breakLength: Infinity,
    compact: true,
  }).slice(0, 160);
}

/** Gives the errors of a role a place: their own, or the line that made them. */
function placed<Item>(error: unknown, { of, member, host }: Question<Item>): Error {
  const { role, folder, vars } = of;
  if (error instanceof HostwrightErrors) {
    return new HostwrightErrors(
      error.errors.map((one) =>
        one.place === undefined
          ? withPlace(one, placeOfError(error, folder) ?? placeOfWord(folder, member))
          : one,
      ),
    );
  }
  const place = placeOfError(error, folder) ?? placeOfWord(folder, member);
  if (error instanceof HostwrightError) return error.place === undefined ? withPlace(error, place) : error;
  return new HostwrightError('E_ROLE', `the role ${role.name} fails on ${host}`, {
    place,
    // A message may quote what it could not read.
    found: createMask(secretsIn(vars))(thrownText(error)),
    cause: error,
  });
}

function refuse<Item>(
  { of, member, host }: Question<Item>,
  found: string,
  expected: string,
): HostwrightError {
  return new HostwrightError('E_ROLE', `invalid result of the role ${of.role.name} on ${host}`, {
    place: placeOfWord(of.folder, member),
    found: createMask(secretsIn(of.vars))(`${member}: ${found}`),
    expected,
  });
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/**
 * The list that a role returns for a host, flat and without the values of false conditions. An exception is an
 * E_ROLE with a place in the files of the role; so is any other result than a list.
 */
export function askRole<Item>(question: Question<Item>): readonly Item[] {
  let answer: unknown;
  try {
    answer = question.ask();
  } catch (error) {
    throw placed(error, question);
  }
  if (isPromise(answer)) {
    // Its rejection must not end the process.
    answer.then(undefined, () => undefined);
    throw refuse(question, 'a Promise', 'a list: a role is a function without async and await');
  }
  if (!Array.isArray(answer)) throw refuse(question, shortly(answer), 'a list');
  return listed<unknown>(answer).map((item, index) => {
    if (question.isItem(item)) return item;
    throw refuse(
      question,
      `item ${index + 1} is ${isPromise(item) ? 'a Promise' : shortly(item)}`,
      question.expected,
    );
  });
}
