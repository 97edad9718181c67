import { expect, describe, it } from 'vitest';
import { HostwrightError } from '../../src/errors.ts';
import { withAdded, withVariable, type NewValue } from '../../src/inventory/edit.ts';

/** The place of the first key of that name. */
function placeIn(text: string, name: string) {
  const lines = text.split('\n');
  const line = lines.findIndex((one) => new RegExp(`(^|[\\s{,"'?])${name}["']?\\s*:`).test(one));
  const column = (lines[line] ?? '').search(new RegExp(`["']?\\b${name}\\b`)) + 1;
  return { file: 'db.yml', line: line + 1, column };
}

const set = (text: string, value: NewValue = 'web3', name = 'primary') =>
  withVariable(text, name, value, placeIn(text, name));

function refusal(change: () => string): object {
  try {
    return { changed: change() };
  } catch (error) {
    if (error instanceof HostwrightError) return error;
    throw error;
  }
}

describe('a variable is set where it stands', () => {
  it.each([
    [
      'plain, with comments around',
      '# a\nx: 1\nprimary: web2   # the one\n\n# end',
      '# a\nx: 1\nprimary: web3   # the one\n\n# end',
    ],
    ['in single quotes', "primary: 'web2'\n", "primary: 'web3'\n"],
    ['in double quotes', 'primary: "web2"\n', 'primary: "web3"\n'],
    ['with a quoted key', '"primary": web2\n', '"primary": web3\n'],
    [
      'in a flow mapping',
      'vars: { a: [1, 2], primary: web2, b: 3 }\n',
      'vars: { a: [1, 2], primary: web3, b: 3 }\n',
    ],
    ['in JSON', '{"primary": "web2", "n": 1}', '{"primary": "web3", "n": 1}'],
    [
      'deep in an inventory',
      'all:\n  children:\n    db:\n      vars:\n        primary: web2\n        z: "a: b"\n',
      'all:\n  children:\n    db:\n      vars:\n        primary: web3\n        z: "a: b"\n',
    ],
    ['with Windows line ends', 'a: 1\r\nprimary: web2\r\nb: 2\r\n', 'a: 1\r\nprimary: web3\r\nb: 2\r\n'],
    ['without a value', 'primary:\nb: 2\n', 'primary: web3\nb: 2\n'],
    ['without a value, with a comment', 'primary:  # none\nb: 2\n', 'primary: web3  # none\nb: 2\n'],
    ['as a block', 'primary: |\n  web2\nb: 2\n', 'primary: web3\nb: 2\n'],
    ['as a folded block at the end', 'b: 2\nprimary: >-\n  web2\n  web1', 'b: 2\nprimary: web3'],
    ['as a list', 'primary: [a, b]\nb: 2\n', 'primary: web3\nb: 2\n'],
    ['as a template', 'primary: "{{ first }}"\nb: 2\n', 'primary: "web3"\nb: 2\n'],
    [
      'as an alias, whose anchor stays',
      'first: &one web2\nprimary: *one\n',
      'first: &one web2\nprimary: web3\n',
    ],
    ['with an anchor that nobody uses', 'primary: &one web2\nb: 2\n', 'primary: &one web3\nb: 2\n'],
    ['with a tag', 'primary: !!str web2\n', 'primary: !!str web3\n'],
    ['in a document with marks', '---\nprimary: web2\n...\n', '---\nprimary: web3\n...\n'],
    ['beside encrypted values', 'secret: age:AAAA\nprimary: web2\n', 'secret: age:AAAA\nprimary: web3\n'],
    ['with a long word of another alphabet before', 'ä: ö # ü\nprimary: web2\n', 'ä: ö # ü\nprimary: web3\n'],
  ])('%s', (_, before, after) => {
    expect(set(before)).toBe(after);
  });

  it.each([
    ['yes', 'primary: "yes"\n'],
    ['012', 'primary: "012"\n'],
    ['a: b # c', 'primary: "a: b # c"\n'],
    ['web3.example.org', 'primary: web3.example.org\n'],
    ['', 'primary: ""\n'],
    [3306, 'primary: 3306\n'],
    [false, 'primary: false\n'],
  ])('so that %s is read as what it is', (value, after) => {
    expect(set('primary: web2\n', value)).toBe(after);
  });
});

describe('a variable is not set', () => {
  it.each([
    ['where it is encrypted', 'primary: age:AAAA\n', 'an encrypted value'],
    [
      'where others have it by its anchor',
      'primary: &one web2\nother: *one\n',
      'a value that others depend on',
    ],
    [
      'where others merge it',
      'a: &base\n  primary: web2\nb:\n  <<: *base\n',
      'a value that is used in several places',
    ],
    [
      'where it is an anchor of what others merge',
      'primary: &base { x: 1 }\nb:\n  <<: *base\n',
      'a value that others depend on',
    ],
  ])('%s', (_, text, found) => {
    expect(refusal(() => set(text))).toMatchObject({
      ...{ code: 'E_INVENTORY', found, place: { file: 'db.yml', line: placeIn(text, 'primary').line } },
      message: 'primary cannot be set without changing something else',
    });
  });
});

describe('a variable is added', () => {
  it.each([
    ['to a file that is not there', '', 'primary: web3\n'],
    ['to one of comments', '# nothing yet', '# nothing yet\nprimary: web3\n'],
    ['at the end of others', 'a: 1\nb:\n  - c', 'a: 1\nb:\n  - c\nprimary: web3\n'],
    ['after an empty document', '---\n', '---\nprimary: web3\n'],
  ])('%s', (_, before, after) => {
    expect(withAdded(before, 'primary', 'web3', 'db.yml')).toBe(after);
  });

  it.each([['{ a: 1 }\n'], ['a: |\n  text\n...\n'], ['[1, 2]\n'], ['{"a": 1}\n']])('not to %s', (text) => {
    expect(refusal(() => withAdded(text, 'primary', 'web3', 'db.yml'))).toMatchObject({
      ...{ code: 'E_INVENTORY', place: { file: 'db.yml' } },
    });
  });
});
