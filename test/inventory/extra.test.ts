import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readExtraVars } from '../../src/inventory/extra.ts';
import { failures } from './failure.ts';
import { tree } from './tree.ts';

test('extra variables come as assignments, YAML, JSON and files, the last one wins', async () => {
  const folder = tree({ 'more.yml': 'mode: 0644\nd: file\n' });
  const vars = await readExtraVars([
    'a=1 b="two words" c=\'x=y\'',
    '{"d": {"e": [true]}}',
    `@${join(folder, 'more.yml')}`,
    '{f: yes}',
  ]);
  const values = Object.fromEntries([...vars].map(([name, { value }]) => [name, value]));
  expect(values).toStrictEqual({ a: '1', b: 'two words', c: 'x=y', d: 'file', mode: 420, f: true });
});

test.each([
  ['word', { found: 'word', expected: 'name=value' }],
  ['./vars.yml', { hint: 'write -e @./vars.yml' }],
  ['@/nowhere.yml', { message: 'the variables file cannot be read' }],
  ['[1]', { found: 'a list of 1' }],
  ['a={{b|c}}', { at: '--extra-vars', message: expect.stringContaining('Jinja') }],
])('%s is refused', async (text, failure) => {
  expect(await failures(() => readExtraVars([text]))).toMatchObject([{ code: 'E_VARIABLE', ...failure }]);
});
