import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { templateFunctions } from '../../src/template/functions.ts';

test('docs/templates.md has every function with what it does, and no other', () => {
  const page = readFileSync(new URL('../../docs/templates.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` *\| (.*?) *\|$/gm)].map(([, name, summary]) => [name, summary]);
  expect(rows).toEqual(Object.entries(templateFunctions).map(([name, { summary }]) => [name, summary]));
});
