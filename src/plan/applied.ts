import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { DeclaredResource } from '../resources/resource.ts';
import type { ResourceId, Wanted } from '../resources/state.ts';
import type { HostFacts } from '../roles/role.ts';
import { replaceFunctions } from '../resources/shell/replace.ts';
import { isSecret } from '../secrets/secret.ts';
import { sh } from '../transport/shell.ts';
import type { Section } from '../transport/sections.ts';

/**
 * What was last applied to a host, kept on the host itself: a digest of the declared state of each resource, and the
 * facts that the roles made the declarations of. It tells why a resource differs.
 */
export interface Applied {
  readonly resources: ReadonlyMap<string, AppliedResource>;
  /** Undefined where nothing was applied yet, and in records of earlier versions. */
  readonly facts?: KnownFacts;
}

export interface AppliedResource {
  readonly digest: string;
  /** It held a secret: what is there is not for showing, whatever is declared now. */
  readonly isSecret: boolean;
}

/** Facts that came later, or are of another form than they were, are left out: as if they had not changed. */
const factsSchema = z
  .object({
    os: z.string(),
    codename: z.string(),
    architecture: z.string(),
    hostname: z.string(),
    kernel: z.string(),
    processors: z.number(),
    memory: z.number(),
    addresses: z.array(z.string()).readonly(),
    interface: z.string(),
    ipv6: z.enum(['none', 'off', 'on']),
    container: z.boolean(),
  } satisfies Record<keyof HostFacts, z.ZodType>)
  .partial();

export type KnownFacts = z.output<typeof factsSchema>;
export type FactName = keyof KnownFacts;
export const factNames = factsSchema.keyof().options;

const file = '/var/lib/hostwright/applied';

/** Of the state that a resource should have. The file is for root alone, who can read the secrets anyway. */
export function declaredDigest({ type, desired }: DeclaredResource): AppliedResource {
  return digestOf(type.want(desired));
}

function digestOf(want: Wanted | null): AppliedResource {
  const plain =
    want === null
      ? null
      : Object.entries(want)
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => [name, isSecret(value) ? value.reveal() : value]);
  const digest = createHash('sha256').update(JSON.stringify(plain)).digest('hex').slice(0, 32);
  return { digest, isSecret: want !== null && Object.values(want).some((value) => isSecret(value)) };
}

/** Of what was removed. */
const { digest: absent } = digestOf(null);

/** Whether a resource was applied, and not removed by a later run. */
export const hasApplied =
  ({ resources }: Applied) =>
  (id: ResourceId): boolean =>
    (resources.get(id)?.digest ?? absent) !== absent;

export const readApplied: Section = { script: sh`cat ${file} 2>/dev/null || :` };

function parseFactsLine(line: string): KnownFacts | undefined {
  const [, text] = /^facts (\{.*\})$/.exec(line) ?? [];
  if (text === undefined) return undefined;
  try {
    return factsSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Lines of another form are passed over: the worst that comes of it is drift that is called new. */
export function parseApplied(output: Buffer): Applied {
  const lines = output.toString('utf8').split('\n');
  const resources = lines.flatMap((line): [string, AppliedResource][] => {
    const [, digest, mark, id] = /^([0-9a-f]{32})(\*?) (.+)$/.exec(line) ?? [];
    return digest === undefined || id === undefined ? [] : [[id, { digest, isSecret: mark === '*' }]];
  });
  const facts = lines.map(parseFactsLine).find((found) => found !== undefined);
  return { resources: new Map(resources), ...(facts && { facts }) };
}

export function writeApplied({ resources, facts }: Applied): Section {
  const lines = [...resources].map(
    ([id, { digest, isSecret: mark }]) => `${digest}${mark ? '*' : ''} ${id.replaceAll('\n', ' ')}\n`,
  );
  const text = [...(facts === undefined ? [] : [`facts ${JSON.stringify(facts)}\n`]), ...lines].join('');
  const script = sh`${replaceFunctions}
mkdir -p -m 0700 /var/lib/hostwright
hw_replace 0600 ${file}`;
  return { script, stdin: Buffer.from(text) };
}

/** What a run has declared for a host, and of which facts. */
export interface Declarations {
  readonly resources: readonly DeclaredResource[];
  readonly facts: HostFacts;
  /** Of all roles of the host, not only of some. */
  readonly isWhole: boolean;
}

/**
 * The record after a run: what is converged is as declared now; the rest keeps what was there, also what this
 * run did not look at because it was for some roles only. The facts are of what was applied: new ones replace them
 * together with what was declared of them, once all of that is converged.
 */
export function updateApplied(
  before: Applied,
  { resources: declared, facts, isWhole }: Declarations,
  isConverged: (id: ResourceId) => boolean,
): Applied {
  const converged = declared.filter((resource) => isConverged(resource.id));
  const resources = new Map([
    ...before.resources,
    ...converged.map((resource): [string, AppliedResource] => [resource.id, declaredDigest(resource)]),
  ]);
  const isNew = isWhole && converged.length === declared.length && !isSame(before.resources, resources);
  return { resources, facts: before.facts === undefined || isNew ? facts : before.facts };
}

function isSame(a: Applied['resources'], b: Applied['resources']): boolean {
  return (
    a.size === b.size &&
    [...a].every(
      ([id, { digest, isSecret: mark }]) => b.get(id)?.digest === digest && b.get(id)?.isSecret === mark,
    )
  );
}

export function isSameRecord(a: Applied, b: Applied): boolean {
  return isSame(a.resources, b.resources) && JSON.stringify(a.facts) === JSON.stringify(b.facts);
}
