import fc from 'fast-check';
import { isSecret, Secret } from '../../src/secrets/secret.ts';

/** What trips shells, SQL, terminals, YAML, templates and those who count; each tries to leave `/pwned` behind. */
const pieces = [
  `'`,
  `"`,
  '`touch /pwned`',
  '$(touch /pwned)',
  ';touch /pwned;',
  '|touch /pwned',
  '&touch /pwned&',
  `'; touch /pwned; '`,
  `"; touch /pwned; "`,
  '\ntouch /pwned\n',
  '\r\ntouch /pwned\r\n',
  '\n\n[Service]\nExecStart=/bin/touch /pwned\n',
  '\0',
  '\u001b]52;c;cHduZWQ=\u0007',
  '\u001b[2J',
  '\u009b2J',
  '\u202e',
  '\u2066',
  '\u2028',
  '\ud800',
  '\udfff',
  '\u007f',
  '\t',
  '../',
  '/../../pwned',
  './',
  '//',
  '-',
  '--',
  '-rf',
  '--help',
  '~',
  '*',
  '?',
  '[x]',
  '{a,b}',
  '\\',
  '\\n',
  '%s%n',
  '%h',
  '!!',
  '#',
  '=',
  ':',
  ',',
  '{{x}}',
  '${HOME}',
  '$HW',
  'END\n',
  '<<END',
  '\nEOF\n',
  'ä',
  '日本',
  ' ',
  '',
  'a',
  '0',
];

/** Hostile text; now and then a million characters of it. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 4 })
      .map((some) => some.join('')),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1 }) },
  { weight: 2, arbitrary: fc.constantFrom(...pieces) },
);

/** Beside, before, behind and in the place of what is good: formats that look at the start or the end only. */
function around(good: string): fc.Arbitrary<string> {
  return hostileText.chain((bad) =>
    fc.constantFrom(bad, good + bad, bad + good, `${good}${bad}${good}`, `/srv/${bad}`),
  );
}

/** A copy of plain data with one of its texts, which may be a key or a Secret, made hostile; that text beside it. */
export function withOneHostile(data: object): fc.Arbitrary<readonly [unknown, string]> {
  const places: ((bad: (good: string) => string) => unknown)[] = [];
  const collect = (value: unknown, put: (copy: unknown) => unknown): void => {
    if (typeof value === 'string') places.push((bad) => put(bad(value)));
    else if (isSecret(value)) places.push((bad) => put(new Secret(bad(value.reveal()))));
    else if (Array.isArray(value)) {
      value.forEach((item, index) => collect(item, (copy) => put(value.with(index, copy))));
    } else if (
      typeof value === 'object' &&
      value !== null &&
      Object.getPrototypeOf(value) === Object.prototype
    ) {
      for (const [key, item] of Object.entries(value)) {
        // The entries of a release come from readRelease, not from a person.
        if (key === 'entries' || key === 'digest') continue;
        collect(item, (copy) => put({ ...value, [key]: copy }));
        if (typeof item === 'object') places.push((bad) => put({ ...value, [bad(key)]: item }));
      }
    }
  };
  collect(data, (copy) => copy);
  return fc.nat({ max: Math.max(places.length - 1, 0) }).chain((at) => {
    let good = '';
    places[at]?.((value) => (good = value));
    return around(good).map((bad) => [places[at]?.(() => bad) ?? data, bad] as const);
  });
}
