import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import * as shell from '../../src/transport/shell.ts';
import { lines, sh, type Script } from '../../src/transport/shell.ts';
import * as api from '../../src/index.ts';

function said(script: Script): string {
  return execFileSync('sh', ['-c', script.text], { encoding: 'utf8' });
}

test('shell text is made by the tag alone', () => {
  expect(Object.keys(shell).toSorted()).toEqual(['lines', 'quote', 'sh']);
  expect(api).not.toHaveProperty('Script');
  // @ts-expect-error: something of the same shape is no Script.
  const forged: Script = { text: 'echo pwned', toString: () => 'echo pwned' };
  expect(() => said(sh`printf %s ${forged}`)).not.toThrow();
  expect(said(sh`printf %s ${forged}`)).toBe('echo pwned');
  expect(() => Object.assign(sh`true`, { text: 'false' })).toThrow(TypeError);
});

test('the dollar of the shell, backslashes and values stand as they are meant', () => {
  expect(said(sh`name=a.b; printf '%s\n' "\${name%.b}" "${sh`\${name#a.}`}" ${'${name}'}`)).toBe(
    'a\nb\n${name}\n',
  );
  expect(said(lines([sh`printf '\\%s' ${['a', "b'c"]}`, sh`printf ' %s' ${1} ${[]}`]))).toBe("\\a\\b'c 1");
});
