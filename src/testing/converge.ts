import { isDeepStrictEqual } from 'node:util';
import { compare } from '../plan/compare.ts';
import { parseProbes, probeBatches } from '../plan/probe.ts';
import type { Resource } from '../resources/resource.ts';
import { Unreadable, type Change, type State } from '../resources/state.ts';
import { isSecret } from '../secrets/secret.ts';
import type { Script } from '../transport/shell.ts';
import type { Answer } from '../transport/transport.ts';
import { placed } from './plan.ts';
import type { Root } from './root.ts';

/** What the probe of its type finds of a resource, on a host that declares only that and `others`. */
export async function probe(
  root: Root,
  resource: Resource,
  others: readonly Resource[] = [],
): Promise<State | null> {
  const declared = placed(resource);
  const batches = probeBatches([declared], [declared, ...others.map((other) => placed(other))]);
  const answers: Answer[] = [];
  for (const { probe: section } of batches) {
    keepsSecrets(resource, section.script);
    const answer = await root.run(section.script, section.stdin);
    if (answer.code !== 0) throw new Error(`the probe fails: ${said(answer)}`);
    answers.push(answer);
  }
  const actual = parseProbes(batches, answers).get(declared.id);
  if (actual === undefined || actual instanceof Unreadable) throw new Error(actual?.reason ?? 'no state');
  return actual;
}

function said({ code, stderr }: Answer): string {
  return stderr.toString('utf8').trim() || `exit status ${code}`;
}

function changeOf(resource: Resource, actual: State | null): Change | undefined {
  const { id, type, desired } = placed(resource);
  const difference = compare(type, desired, actual);
  return difference === undefined ? undefined : { id, desired, actual, ...difference };
}

function keepsSecrets({ type, attributes }: Resource, shown: Script | string): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (isSecret(value) && String(shown).includes(value.reveal()))
      throw new Error(`the secret ${name} of a ${type.name} can be seen in a script, a title or a change`);
  }
}

/** Runs the steps of changes of one type, as they are, in one go each; the answer that failed, if any. */
async function runSteps(
  root: Root,
  changes: readonly Change[],
  resource: Resource,
): Promise<Answer | undefined> {
  for (const step of resource.type.apply(changes, { declared: () => [] })) {
    if ('converse' in step) throw new Error('a conversation needs a controller: apply it to a host');
    keepsSecrets(resource, step.script);
    keepsSecrets(resource, step.title);
    const answer = await root.run(step.script, step.stdin);
    if (answer.code !== 0) return answer;
  }
  return undefined;
}

function names(change: Change | undefined): string {
  return change?.attributes.map(({ name }) => name).join(', ') || (change?.action ?? '');
}

async function expectNoChange(
  root: Root,
  resource: Resource,
  after: string,
  others: readonly Resource[] = [],
): Promise<void> {
  const left = changeOf(resource, await probe(root, resource, others));
  if (left !== undefined) throw new Error(`${left.id} still differs ${after}: ${names(left)}`);
}

/**
 * Brings a resource to what it declares, and expects all that every type promises: the probe sees a
 * difference before and none after, and a second application is harmless. `others` are declared beside it. Gives the
 * change that was made.
 */
export async function converge(
  root: Root,
  resource: Resource,
  others: readonly Resource[] = [],
): Promise<Change> {
  const change = changeOf(resource, await probe(root, resource, others));
  if (change === undefined) throw new Error('there is nothing to change: the case shows nothing');
  keepsSecrets(resource, JSON.stringify(change));
  for (const time of ['first', 'second']) {
    const failed = await runSteps(root, [change], resource);
    if (failed !== undefined) throw new Error(`the ${time} application fails: ${said(failed)}`);
    await expectNoChange(root, resource, `after the ${time} application`, others);
  }
  return change;
}

/** Applies changes of one type together, as a plan does with those that need no order. */
export async function convergeTogether(root: Root, resources: readonly Resource[]): Promise<void> {
  const [first] = resources;
  if (first === undefined) throw new Error('no resources');
  const changes: Change[] = [];
  for (const resource of resources) {
    const change = changeOf(resource, await probe(root, resource));
    if (change === undefined) throw new Error(`there is nothing to change of ${placed(resource).id}`);
    changes.push(change);
  }
  const failed = await runSteps(root, changes, first);
  if (failed !== undefined) throw new Error(`the application fails: ${said(failed)}`);
  for (const resource of resources) await expectNoChange(root, resource, 'after the application');
}

function revealed(state: State | null): unknown {
  if (state === null) return null;
  const entries = Object.entries(state);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, isSecret(value) ? { secret: value.reveal() } : value]),
  );
}

/** The application must fail and change nothing that the probe sees. Gives what it says on standard error. */
export async function refuse(root: Root, resource: Resource): Promise<string> {
  const before = await probe(root, resource);
  const change = changeOf(resource, before);
  if (change === undefined) throw new Error('there is nothing to change: the case shows nothing');
  const failed = await runSteps(root, [change], resource);
  if (failed === undefined) throw new Error('it was applied');
  const after = await probe(root, resource);
  if (!isDeepStrictEqual(revealed(after), revealed(before))) {
    throw new Error(`it fails half done: ${JSON.stringify(before)} became ${JSON.stringify(after)}`);
  }
  return failed.stderr.toString('utf8');
}
