import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compare } from '../../src/plan/compare.ts';
import { resourceTypes } from './types.ts';
import type { ResourceType } from '../../src/resources/resource.ts';
import type { Change } from '../../src/resources/state.ts';
import type { Ask } from '../../src/resources/step.ts';
import { withOneHostile } from './hostile.ts';
import { samples } from './samples.ts';

const runs = 60;

/** Every script that a type makes of something: the probe, and the steps from nothing and from something else. */
async function scriptsOf(type: ResourceType, desired: object): Promise<readonly string[]> {
  const scripts = [type.probe([desired]).script.text];
  const ask: Ask = (script) => {
    scripts.push(script.text);
    return Promise.resolve(Buffer.alloc(0));
  };
  for (const actual of [null, { kind: 'file', mode: '0000', running: false }]) {
    const difference = compare(type, desired, actual);
    if (difference === undefined) continue;
    const change: Change = { id: `${type.name}:${type.key(desired)}`, desired, actual, ...difference };
    for (const step of type.apply([change], { declared: () => [] })) {
      if ('script' in step) scripts.push(step.script.text);
      else await step.converse(ask).catch(() => undefined);
    }
  }
  return scripts;
}

/** Syntax of one script each; several in one process would hide a quote that is never closed. */
function syntaxErrors(scripts: readonly string[]): string {
  return scripts.map((input) => spawnSync('dash', ['-n'], { input, encoding: 'utf8' }).stderr).join('');
}

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
          expect(syntaxErrors(await scriptsOf(type, parsed.data))).toBe('');
        },
      ),
      { numRuns: runs },
    );
    expect(refused + made).toBeGreaterThan(0);
  }, 60_000);
});
