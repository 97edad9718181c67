import { DisclosedSecret, describeValue, hasEntries } from './disclosure.ts';
import { isText, outputText } from './output.ts';

/** A function that templates may call: `{{join hosts ", "}}`, `{{#if (eq flavor "mysql")}}`. */
export interface TemplateFunction {
  /** The least and the most number of arguments. */
  readonly parameters: readonly [number, number];
  readonly summary: string;
  /** Throws TypeError, with a message for the user, for invalid arguments. */
  call(...values: readonly unknown[]): unknown;
}

/** As handlebars' `if` sees it: an empty list is false, and so are 0, '', null and an unset value. */
export function isTrue(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function comparable(value: unknown): unknown {
  if (value instanceof DisclosedSecret) return value.disclose();
  if (typeof value === 'object' && value !== null) {
    throw new TypeError(`${describeValue(value)} cannot be compared: only single values can`);
  }
  return value;
}

/** The text of a single value as it stands in the rendered text. */
function textOf(value: unknown, what: string): string {
  if (isText(value)) return outputText(value);
  throw new TypeError(`${what} is ${describeValue(value)}, not text`);
}

function spaces(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 100) return value;
  throw new TypeError('the number of spaces is not a whole number from 0 to 100');
}

export const templateFunctions: Readonly<Record<string, TemplateFunction>> = {
  eq: {
    parameters: [2, 2],
    summary: 'true when two single values are the same: `{{#if (eq flavor "mysql")}}`; 1 and "1" are not',
    call: (a, b) => comparable(a) === comparable(b),
  },
  ne: {
    parameters: [2, 2],
    summary: 'true when two single values differ',
    call: (a, b) => comparable(a) !== comparable(b),
  },
  and: {
    parameters: [2, Infinity],
    summary: 'true when every value is true, as `if` sees it',
    call: (...values) => values.every(isTrue),
  },
  or: {
    parameters: [2, Infinity],
    summary: 'true when at least one value is true, as `if` sees it',
    call: (...values) => values.some(isTrue),
  },
  not: {
    parameters: [1, 1],
    summary: 'true when the value is false, as `if` sees it',
    call: (value) => !isTrue(value),
  },
  default: {
    parameters: [2, 2],
    summary:
      'the first value, or the second when the first is null or unset: `{{default (lookup host "rack") "none"}}`',
    call: (value, fallback) => value ?? fallback,
  },
  lookup: {
    parameters: [2, 2],
    summary: 'the entry of a map or list by its name or number; unset, without an error, when there is none',
    call(owner, name) {
      if (owner === null || owner === undefined) return undefined;
      const key = textOf(name, 'the name to look up');
      if (!hasEntries(owner)) throw new TypeError(`${describeValue(owner)} has no entries to look up`);
      return Object.hasOwn(owner, key) ? owner[key] : undefined;
    },
  },
  join: {
    parameters: [2, 2],
    summary: 'the items of a list joined by a separator: `{{join addresses ", "}}`',
    call(list, separator) {
      if (!Array.isArray(list))
        throw new TypeError(`${describeValue(list)} cannot be joined: only a list can`);
      return list.map((item) => textOf(item, 'an item of the list')).join(textOf(separator, 'the separator'));
    },
  },
  json: {
    parameters: [1, 2],
    summary: 'the value as JSON, on one line, or indented by the given number of spaces: `{{json rules 2}}`',
    call(value, indent) {
      if (value === undefined) throw new TypeError('an unset value has no JSON');
      return JSON.stringify(value, null, indent === undefined ? 0 : spaces(indent));
    },
  },
  indent: {
    parameters: [2, 2],
    summary: 'a text with every non-empty line indented by the given number of spaces: `{{indent pem 4}}`',
    call(text, count) {
      const margin = ' '.repeat(spaces(count));
      return textOf(text, 'what to indent').replaceAll(/^(?=.)/gm, margin);
    },
  },
};
