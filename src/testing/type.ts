import { spawnSync } from 'node:child_process';
import { compare } from '../plan/compare.ts';
import type { Resource, ResourceType } from '../resources/resource.ts';
import type { Action, Change, State } from '../resources/state.ts';
import type { Ask, Conversation, Step } from '../resources/step.ts';
import { asDeclared, placed } from './plan.ts';

const login = { user: 'anna', home: '/home/anna', address: '10.0.0.1', port: 22 };

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

/** What a step runs; of a conversation, what it asks until an empty answer does not do any more. */
async function ofStep(step: Step | Conversation): Promise<readonly string[]> {
  if ('script' in step) return [step.script, step.live].flatMap((script) => script?.text ?? []);
  const asked: string[] = [];
  const ask: Ask = (script) => {
    asked.push(script.text);
    return Promise.resolve(Buffer.alloc(0));
  };
  await step.converse(ask).catch(() => undefined);
  return asked;
}

/**
 * Every script that a type makes of some resources: the probe, the steps from nothing and from something else, and
 * what guards them. `batch` has passed the schema of the type.
 */
export async function scriptsOf(type: ResourceType, batch: readonly object[]): Promise<readonly string[]> {
  const changes = batch.flatMap((desired) => changesOf(type, desired));
  const steps = type.apply(changes, { declared: () => ['nginx.service'] }, changes);
  const guards = changes.flatMap((change) => type.access?.guard?.(change, login) ?? []);
  const { script, also } = type.probe(batch);
  return [
    script.text,
    ...(also === undefined ? [] : [also.script.text]),
    ...(await Promise.all(steps.map(ofStep))).flat(),
    ...guards.flatMap(({ keep, restore }) => [keep.text, restore.text]),
  ];
}

/** What `sh -n` says of each script; '' for nothing. One process each: several would hide an open quote. */
export function syntaxErrors(scripts: readonly string[]): string {
  return scripts
    .map((input) => spawnSync('sh', ['-n'], { input, encoding: 'utf8' }))
    .map(({ error, stderr }) => (error === undefined ? stderr : `sh: ${error.message}\n`))
    .join('');
}

/**
 * Checks what holds for every type, without a host: its schema takes the samples and no attribute that it does not
 * know, their identities differ, a state that is as wanted differs in nothing, and all scripts are valid shell.
 */
export async function checkType(type: ResourceType, samples: readonly Resource[]): Promise<void> {
  if (samples.length === 0) throw new Error(`there are no samples of ${type.name}`);
  const seen = new Set<string>();
  const batch = samples.map((sample) => {
    if (sample.type !== type) throw new Error(`a sample of ${type.name} is a ${sample.type.name}`);
    const { id, desired } = placed(sample);
    if (seen.has(id)) throw new Error(`two samples are called ${id}: the key does not tell them apart`);
    seen.add(id);
    if (type.schema.safeParse({ ...sample.attributes, no_such_attribute: true }).success)
      throw new Error(`${id}: an unknown attribute is accepted: use z.strictObject`);
    if (compare(type, desired, asDeclared(type, desired)) !== undefined)
      throw new Error(`${id}: the state that it wants is not the one that it has`);
    return desired;
  });
  const errors = syntaxErrors(await scriptsOf(type, batch));
  if (errors !== '') throw new Error(`a script of ${type.name} is not valid shell: ${errors}`);
}
