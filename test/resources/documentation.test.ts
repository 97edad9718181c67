import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resourceTypes } from '../../src/resources/registry.ts';
import { documentation } from './document.ts';

test('docs/resources.md says what the schemas say (npm run docs writes it)', async () => {
  await expect(documentation(resourceTypes)).toMatchFileSnapshot('../../docs/resources.md');
});

test('every file of a type is in the registry', () => {
  const folder = new URL('../../src/resources/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const declared = files.flatMap((name) => {
    const found = /ResourceType<\w+> = \{\s+name: '(\w+)'/.exec(readFileSync(new URL(name, folder), 'utf8'));
    return found?.[1] === undefined ? [] : [found[1]];
  });
  expect(resourceTypes.map((type) => type.name).toSorted()).toEqual(declared.toSorted());
});
