import { expect, test } from 'vitest';
import { scriptsOf, shellcheck } from '../../src/testing/index.ts';
import { samples } from '../resources/samples.ts';
import { resourceTypes } from '../resources/types.ts';

test('shellcheck finds what it should find', () => {
  expect(shellcheck('rm -rf $HW/x')).toContain('SC2086');
});

test.each(resourceTypes.map((type) => [type.name, type] as const))(
  'the scripts of %s are sound',
  async (_, type) => {
    const own = samples.filter((sample) => sample.type === type);
    const scripts = await scriptsOf(
      type,
      own.map(({ attributes }) => type.schema.parse(attributes)),
    );
    expect(scripts.length).toBeGreaterThan(1);
    expect(scripts.map((script) => shellcheck(script)).filter((text) => text !== '')).toEqual([]);
  },
);
