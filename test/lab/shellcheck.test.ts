import { expect, test } from 'vitest';
import { compare } from '../../src/plan/compare.ts';
import { resourceTypes } from '../resources/types.ts';
import type { ResourceType } from '../../src/resources/resource.ts';
import type { Action, Change, State } from '../../src/resources/state.ts';
import type { Ask, Conversation, Step } from '../../src/resources/step.ts';
import { samples } from '../resources/samples.ts';
import { shellcheck } from './shellcheck.ts';

function desiredOf(type: ResourceType): readonly object[] {
  return samples
    .filter((sample) => sample.type === type)
    .map((sample) => type.schema.parse(sample.attributes));
}

/** A change from nothing, from something else, and each other action that a type may know. */
function changesOf(type: ResourceType, desired: object): readonly Change[] {
  const id = `${type.name}:${type.key(desired)}` as const;
  const others: readonly (State | null)[] = [null, { kind: 'file', mode: '0000', running: false }];
  const changes = others.flatMap((actual) => {
    const difference = compare(type, desired, actual);
    return difference === undefined ? [] : [{ id, desired, actual, ...difference }];
  });
  const due = (['reload', 'restart'] as const satisfies readonly Action[]).map((action) => ({
    id,
    desired,
    action,
    actual: {},
    attributes: [{ name: action, from: 'due', to: 'not due' }],
  }));
  return type.runtime === undefined ? changes : [...changes, ...due];
}

const login = { user: 'anna', home: '/home/anna', address: '10.0.0.1', port: 22 };

test('shellcheck finds what it should find', () => {
  expect(shellcheck('rm -rf $HW/x')).toContain('SC2086');
});

/** What a step runs; of a conversation, what it asks until an empty answer does not do any more. */
async function scriptsOf(step: Step | Conversation): Promise<readonly string[]> {
  if ('script' in step) return [step.script, step.live].flatMap((script) => script?.text ?? []);
  const asked: string[] = [];
  const ask: Ask = (script) => {
    asked.push(script.text);
    return Promise.resolve(Buffer.alloc(0));
  };
  await step.converse(ask).catch(() => undefined);
  expect(asked).not.toHaveLength(0);
  return asked;
}

test.each(resourceTypes.map((type) => [type.name, type] as const))(
  'the scripts of %s are sound',
  async (name, type) => {
    const batch = desiredOf(type);
    expect(batch, `test/resources/samples.ts has nothing of ${name}`).not.toHaveLength(0);
    const changes = batch.flatMap((desired) => changesOf(type, desired));
    const steps = type.apply(changes, { declared: () => ['nginx.service'] }, changes);
    const scripts = await Promise.all(steps.map(scriptsOf));
    const guards = changes.flatMap((change) => type.access?.guard?.(change, login) ?? []);
    const guarding = guards.flatMap(({ keep, restore }) => [keep.text, restore.text]);
    const found = [type.probe(batch).script.text, ...scripts.flat(), ...guarding].map((script) =>
      shellcheck(script),
    );
    expect(found.filter((text) => text !== '')).toEqual([]);
  },
);
