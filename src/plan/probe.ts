import { declaredPaths } from '../resources/declared-paths.ts';
import type { DeclaredResource, Joint, Probe, ResourceType } from '../resources/resource.ts';
import { parseRights, rightsOf, rightsProbe } from '../resources/shell/rights.ts';
import { Unreadable, type Actual, type ResourceId } from '../resources/state.ts';
import type { Section } from '../transport/sections.ts';
import type { Answer } from '../transport/transport.ts';

/** Resources of one type, and how to read them. */
interface Part {
  readonly type: Pick<ResourceType, 'name'>;
  readonly resources: readonly DeclaredResource[];
  readonly probe: Probe;
  /** What it reads is more of resources that an earlier part has read. */
  readonly adds?: true;
}

/** What one section reads: resources of one type, or of several whose probes have the same Joint. */
export interface ProbeBatch {
  readonly probe: Section;
  readonly parts: readonly Part[];
  readonly joint: Joint | undefined;
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => unknown): readonly (readonly Item[])[] {
  const groups = new Map<unknown, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** Who else may use what is declared, read of all types by one process. */
function rightsPart(resources: readonly DeclaredResource[]): readonly Part[] {
  const pathsOf = ({ type, desired }: DeclaredResource): readonly string[] =>
    type.want(desired) === null ? [] : (type.files?.modeIsAll?.(desired) ?? []);
  const due = resources.filter((resource) => pathsOf(resource).length > 0);
  if (due.length === 0) return [];
  const parse = (output: Buffer): readonly Actual[] => {
    const found = parseRights(output);
    return due.map((resource) => ({ ...rightsOf(pathsOf(resource), found) }));
  };
  const probe = { ...rightsProbe([...new Set(due.flatMap(pathsOf))]), parse };
  return [{ type: { name: 'rights' }, resources: due, probe, adds: true }];
}

/** `declared` are all of the host: what some types find depends on what else is declared. */
export function probeBatches(
  resources: readonly DeclaredResource[],
  declared: readonly DeclaredResource[] = resources,
): readonly ProbeBatch[] {
  const paths = declaredPaths(declared);
  const parts = grouped(resources, ({ type }) => type).flatMap((due): Part[] => {
    const type = due[0]?.type;
    if (type === undefined) return [];
    const isWhole = type.comparison?.together === true;
    const batch = isWhole ? declared.filter((resource) => resource.type === type) : due;
    const desired = batch.map((resource) => resource.desired);
    const probe = type.probe(desired, paths);
    const own = { type, resources: batch, probe };
    return probe.also === undefined ? [own] : [own, { ...own, probe: probe.also, adds: true }];
  });
  return grouped([...parts, ...rightsPart(resources)], ({ probe }) => probe.joint ?? probe).flatMap(
    (some): ProbeBatch[] => {
      const probes = some.map(({ probe }) => probe);
      const [first] = probes;
      if (first === undefined) return [];
      const { joint } = first;
      return [{ probe: joint === undefined ? first : joint.section(probes), parts: some, joint }];
    },
  );
}

/** Characters of what a script said that fit into a plan. */
const mostWords = 300;

function statesOf({ type, resources, probe }: Part, answer: Answer | undefined): readonly Actual[] {
  const unreadable = (reason: string): readonly Actual[] => resources.map(() => new Unreadable(reason));
  if (answer?.code !== 0) {
    const words = answer?.stderr.toString('utf8').trim().slice(-mostWords) ?? '';
    return unreadable(words === '' ? `exit status ${answer?.code ?? 'unknown'}` : words);
  }
  try {
    return probe.parse(answer.stdout);
  } catch (error) {
    // It may quote the whole answer.
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, mostWords);
    return unreadable(`unexpected output of the ${type.name} probe: ${reason}`);
  }
}

/** What each probe found, by resource: Unreadable where its script failed, or answered in another form. */
export function parseProbes(
  batches: readonly ProbeBatch[],
  answers: readonly Answer[],
): ReadonlyMap<ResourceId, Actual> {
  const found = new Map<ResourceId, Actual>();
  batches.forEach(({ parts, joint }, index) => {
    const answer = answers[index];
    const own = joint === undefined || answer === undefined ? [answer] : joint.answers(answer, parts.length);
    parts.forEach((part, at) => {
      const states = statesOf(part, own[at]);
      part.resources.forEach(({ id }, of) => {
        const state = states[of] ?? null;
        found.set(id, part.adds === true ? together(found.get(id) ?? null, state) : state);
      });
    });
  });
  return found;
}

/** What is not there, or cannot be read, has nothing beside. */
function together(state: Actual, more: Actual): Actual {
  if (state === null || more === null || state instanceof Unreadable) return state;
  return more instanceof Unreadable ? more : { ...state, ...more };
}
