import { expect, test } from 'vitest';
import * as api from '../../src/index.ts';
import { documentation } from './document.ts';
import { examples } from './examples.ts';
import { samples } from './samples.ts';
import { foundTypes, resourceTypes } from './types.ts';

test('docs/resources.md says what the schemas say (npm run docs writes it)', async () => {
  await expect(documentation(resourceTypes)).toMatchFileSnapshot('../../docs/resources.md');
});

test.each(foundTypes.map(({ type, beside }) => [type.name, beside] as const))(
  'the constructor of %s is part of the public API',
  (name, beside) => {
    const published: readonly unknown[] = Object.values(api);
    const hint = `export the function that makes a ${name} in src/index.ts`;
    expect(
      beside.some((value) => typeof value === 'function' && published.includes(value)),
      hint,
    ).toBe(true);
  },
);

test.each(resourceTypes.map((type) => [type.name, type] as const))(
  'there are samples of %s',
  (name, type) => {
    const own = samples.filter((sample) => sample.type === type);
    expect(own, `add resources of the type ${name} to test/resources/samples.ts`).not.toHaveLength(0);
  },
);

test.each(Object.entries(examples))(
  'the example of %s is of that type and passes its schema',
  (name, resources) => {
    expect(resources[0]?.type.name).toBe(name);
    for (const { type, attributes } of resources) type.schema.parse(attributes);
  },
);

test('only types have examples', () => {
  const names = resourceTypes.map((type) => type.name);
  expect(Object.keys(examples).filter((name) => !names.includes(name))).toEqual([]);
});
