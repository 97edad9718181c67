import { describe, expect, test } from 'vitest';
import { hasEntry, withEntry } from '../../src/secrets/entry.ts';

const set = (text: string): string => withEntry(text, 'password', 'age:NEW=', 'all.yml');

describe('setting a variable in the text of a file', () => {
  test.each([
    ['an empty file', '', 'password: age:NEW=\n'],
    ['comments only', '# ours\n', '# ours\npassword: age:NEW=\n'],
    ['a document start', '---\n', '---\npassword: age:NEW=\n'],
    ['a new one', 'a: 1   # why\n', 'a: 1   # why\npassword: age:NEW=\n'],
    ['no line end', 'a: 1', 'a: 1\npassword: age:NEW=\n'],
    [
      'one that is there',
      'a: 0644\npassword: old # why\nb:   "x"\n',
      'a: 0644\npassword: age:NEW= # why\nb:   "x"\n',
    ],
    ['one in quotes', `password: "o'ld"\nb: 1\n`, 'password: age:NEW=\nb: 1\n'],
    ['one of several lines', 'password: |\n  old\n  older\nb: 1\n', 'password: age:NEW=\nb: 1\n'],
    ['one folded', 'password: >-\n  old\n  older\nb: 1\n', 'password: age:NEW=\nb: 1\n'],
    ['a list', 'password:\n  - old\n  - older\nb: 1\n', 'password: age:NEW=\nb: 1\n'],
    ['nothing', 'password:\nb: 1\n', 'password: age:NEW=\nb: 1\n'],
    ['one with a tag', 'password: !!str old\nb: 1\n', 'password: age:NEW=\nb: 1\n'],
    ['one of that name further in', 'a:\n  password: old\n', 'a:\n  password: old\npassword: age:NEW=\n'],
  ])('%s', (_what, before, after) => {
    expect(set(before)).toBe(after);
    expect(set(after)).toBe(after);
    expect(hasEntry(after, 'password', 'all.yml')).toBe(true);
  });

  test.each([
    ['a list', '- a\n'],
    ['a single value', 'word\n'],
    ['what is no YAML', 'a: [\n'],
    ['an entry twice', 'a: 1\na: 2\n'],
    ['braces', '{ a: 1 }\n'],
    ['an anchor that others use', 'password: &p old\nb: *p\n'],
    ['an end of the document', 'a: 1\n...\n'],
  ])('%s is refused and named', (_what, before) => {
    expect(() => set(before)).toThrow(
      expect.objectContaining({ code: 'E_SECRET', place: { file: 'all.yml' } }),
    );
  });
});
