import { HostwrightError } from '../errors.ts';
import { declaredPaths } from '../resources/declared-paths.ts';
import type { DeclaredResource, Probe, ResourceType } from '../resources/resource.ts';
import { Unreadable, type Actual, type ResourceId } from '../resources/state.ts';
import type { Answer } from '../transport/transport.ts';

/** Resources of one type, which are read by one script. */
export interface ProbeBatch {
  readonly type: ResourceType;
  readonly resources: readonly DeclaredResource[];
  readonly probe: Probe;
}

/** `declared` are all of the host: what some types find depends on what else is declared. */
export function probeBatches(
  resources: readonly DeclaredResource[],
  declared: readonly DeclaredResource[] = resources,
): readonly ProbeBatch[] {
  const byType = new Map<ResourceType, DeclaredResource[]>();
  for (const resource of resources) {
    const batch = byType.get(resource.type);
    if (batch === undefined) byType.set(resource.type, [resource]);
    else batch.push(resource);
  }
  const paths = declaredPaths(declared);
  return [...byType].map(([type, due]) => {
    const isWhole = type.comparison?.together === true;
    const batch = isWhole ? declared.filter((resource) => resource.type === type) : due;
    return {
      type,
      resources: batch,
      probe: type.probe(
        batch.map(({ desired }) => desired),
        paths,
      ),
    };
  });
}

/** What each probe found, by resource. E_PROBE when a script failed or answers in another form. */
export function parseProbes(
  host: string,
  batches: readonly ProbeBatch[],
  answers: readonly Answer[],
): ReadonlyMap<ResourceId, Actual> {
  const found = new Map<ResourceId, Actual>();
  batches.forEach((batch, index) => {
    const answer = answers[index];
    const words = answer?.stderr.toString('utf8').trim().slice(-1000);
    if (answer === undefined || answer.code !== 0) {
      throw new HostwrightError('E_PROBE', `the ${batch.type.name} resources of ${host} cannot be read`, {
        place: { host },
        found: words === undefined || words === '' ? `exit status ${answer?.code ?? 'unknown'}` : words,
      });
    }
    const states = parseStates(host, batch, answer.stdout);
    batch.resources.forEach((resource, at) => {
      found.set(resource.id, states[at] ?? null);
    });
  });
  return found;
}

/** As parseProbes, but the resources of a script that failed are Unreadable: what there is of others counts. */
export function parseProbesThatAnswer(
  host: string,
  batches: readonly ProbeBatch[],
  answers: readonly Answer[],
): ReadonlyMap<ResourceId, Actual> {
  return new Map(
    batches.flatMap((batch, index) => {
      const answer = answers[index];
      try {
        return [...parseProbes(host, [batch], answer === undefined ? [] : [answer])];
      } catch (error) {
        if (!(error instanceof HostwrightError)) throw error;
        const unreadable = new Unreadable(error.found ?? error.message);
        return batch.resources.map(({ id }): [ResourceId, Actual] => [id, unreadable]);
      }
    }),
  );
}

function parseStates(host: string, batch: ProbeBatch, output: Buffer): readonly Actual[] {
  try {
    return batch.probe.parse(output);
  } catch (cause) {
    throw new HostwrightError('E_PROBE', `unexpected output of the ${batch.type.name} probe on ${host}`, {
      place: { host },
      // It may quote the whole answer.
      found: (cause instanceof Error ? cause.message : String(cause)).slice(0, 500),
      cause,
    });
  }
}
