/** An error in a range such as `web[3:1]`. */
export class RangeProblem extends Error {
  override readonly name = 'RangeProblem';
  readonly found: string;
  readonly expected: string;
  readonly hint: string;

  constructor(message: string, found: string, expected: string, hint: string) {
    super(message);
    this.found = found;
    this.expected = expected;
    this.hint = hint;
  }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const MOST_HOSTS = 65_536;
const SHAPE = '[FIRST:LAST] or [FIRST:LAST:STEP], both numbers or both single letters';

function problem(message: string, found: string, hint: string, expected = SHAPE): RangeProblem {
  return new RangeProblem(message, found, expected, hint);
}

function sequence(first: number, last: number, step: number, found: string): number[] {
  if (last < first) {
    throw problem(
      'a host range ends before it begins',
      found,
      'swap the two ends',
      'FIRST at or before LAST',
    );
  }
  const count = Math.floor((last - first) / step) + 1;
  if (count > MOST_HOSTS) {
    throw problem(
      'a host range is too large',
      found,
      'correct the ends of the range',
      `at most ${MOST_HOSTS} hosts`,
    );
  }
  return Array.from({ length: count }, (_, index) => first + index * step);
}

function members(range: string): string[] {
  const found = `[${range}]`;
  const match = /^(\d*|[A-Za-z]):(\d+|[A-Za-z])(?::(\d+))?$/.exec(range);
  if (match === null)
    throw problem('a host range is malformed', found, 'write it like web[1:3] or web[01:10:2]');
  const [, first = '', last = '', stepText = '1'] = match;
  const step = Number(stepText);
  if (step === 0) throw problem('a host range has a step of 0', found, 'remove the step, or use 1');
  const letters = [first, last].filter((end) => /[A-Za-z]/.test(end)).length;
  if (letters === 1)
    throw problem('a host range mixes numbers and letters', found, 'use numbers or letters for both ends');
  if (letters === 2) {
    const indexes = sequence(LETTERS.indexOf(first), LETTERS.indexOf(last), step, found);
    return indexes.map((index) => LETTERS[index] ?? '');
  }
  const padded = first.length > 1 && first.startsWith('0');
  if (padded && first.length !== last.length) {
    const hint = `write both ends with ${Math.max(first.length, last.length)} digits`;
    throw problem(
      'the ends of a host range differ in length',
      found,
      hint,
      'as many digits in LAST as in a zero-padded FIRST',
    );
  }
  const numbers = sequence(Number(first), Number(last), step, found);
  return numbers.map((number) => (padded ? String(number).padStart(first.length, '0') : String(number)));
}

/** The hosts of `web[1:3]-[a:c]`, the last range turning fastest. Throws RangeProblem. */
export function expandRange(text: string): string[] {
  const match = /^([^[\]]*)\[([^[\]]*)\](.*)$/s.exec(text);
  if (match === null) {
    if (!/[[\]]/.test(text)) return [text];
    throw problem('a host range lacks a bracket', text, 'write it like web[1:3]');
  }
  const [, head = '', range = '', tail = ''] = match;
  const tails = expandRange(tail);
  const firsts = members(range);
  if (firsts.length * tails.length > MOST_HOSTS) {
    throw problem(
      'a host range is too large',
      text,
      'correct the ends of the range',
      `at most ${MOST_HOSTS} hosts`,
    );
  }
  return firsts.flatMap((first) => tails.map((rest) => `${head}${first}${rest}`));
}
