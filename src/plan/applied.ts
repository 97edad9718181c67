import { createHash } from 'node:crypto';
import type { DeclaredResource } from '../resources/resource.ts';
import type { ResourceId } from '../resources/state.ts';
import { replaceFunctions } from '../resources/shell/replace.ts';
import { isSecret } from '../secrets/secret.ts';
import { sh } from '../transport/shell.ts';
import type { Section } from '../transport/sections.ts';

/**
 * What was last applied to a host: a digest of the declared state of each resource, kept on the host itself.
 * A resource that differs from a declaration that has not changed since has drifted; otherwise the
 * declaration is new.
 */
export type Applied = ReadonlyMap<string, AppliedResource>;

export interface AppliedResource {
  readonly digest: string;
  /** It held a secret: what is there is not for showing, whatever is declared now. */
  readonly isSecret: boolean;
}

const file = '/var/lib/hostwright/applied';

/** Of the state that a resource should have. The file is for root alone, who can read the secrets anyway. */
export function declaredDigest({ type, desired }: DeclaredResource): AppliedResource {
  const want = type.want(desired);
  const plain =
    want === null
      ? null
      : Object.entries(want)
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => [name, isSecret(value) ? value.reveal() : value]);
  const digest = createHash('sha256').update(JSON.stringify(plain)).digest('hex').slice(0, 32);
  return { digest, isSecret: want !== null && Object.values(want).some((value) => isSecret(value)) };
}

export const readApplied: Section = { script: sh`cat ${file} 2>/dev/null || :` };

/** Lines of another form are passed over: the worst that comes of it is drift that is called new. */
export function parseApplied(output: Buffer): Applied {
  return new Map(
    output
      .toString('utf8')
      .split('\n')
      .flatMap((line): [string, AppliedResource][] => {
        const [, digest, mark, id] = /^([0-9a-f]{32})(\*?) (.+)$/.exec(line) ?? [];
        return digest === undefined || id === undefined ? [] : [[id, { digest, isSecret: mark === '*' }]];
      }),
  );
}

export function writeApplied(applied: Applied): Section {
  const text = [...applied]
    .map(([id, { digest, isSecret: mark }]) => `${digest}${mark ? '*' : ''} ${id.replaceAll('\n', ' ')}\n`)
    .join('');
  const script = sh`${replaceFunctions}
mkdir -p -m 0700 /var/lib/hostwright
hw_replace 0600 ${file}`;
  return { script, stdin: Buffer.from(text) };
}

/**
 * The record after a run: what is converged is as declared now; the rest keeps what was there, also what this
 * run did not look at because it was for some roles only.
 */
export function updateApplied(
  before: Applied,
  declared: readonly DeclaredResource[],
  isConverged: (id: ResourceId) => boolean,
): Applied {
  const converged = declared.filter((resource) => isConverged(resource.id));
  return new Map([
    ...before,
    ...converged.map((resource): [string, AppliedResource] => [resource.id, declaredDigest(resource)]),
  ]);
}

export function isSameRecord(a: Applied, b: Applied): boolean {
  return (
    a.size === b.size &&
    [...a].every(
      ([id, { digest, isSecret: mark }]) => b.get(id)?.digest === digest && b.get(id)?.isSecret === mark,
    )
  );
}
