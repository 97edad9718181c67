import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scriptsOf, syntaxErrors } from '../../src/testing/index.ts';
import { withOneHostile } from './hostile.ts';
import { samples } from './samples.ts';
import { resourceTypes } from './types.ts';

const runs = 60;

describe.each(resourceTypes.map((type) => [type.name, type] as const))('every text of %s', (_, type) => {
  const own = samples.filter((sample) => sample.type === type).map(({ attributes }) => attributes);

  test('is refused with its place, or makes scripts that are sound', async () => {
    let [refused, made] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...own).chain((attributes) => withOneHostile(attributes)),
        async ([attributes]) => {
          const parsed = type.schema.safeParse(attributes);
          if (!parsed.success) {
            refused += 1;
            expect(parsed.error.issues.map(({ message }) => message)).not.toContain('');
            return;
          }
          made += 1;
          expect(syntaxErrors(await scriptsOf(type, [parsed.data]))).toBe('');
        },
      ),
      { numRuns: runs },
    );
    expect(refused + made).toBeGreaterThan(0);
  }, 60_000);
});
