import { HostwrightError } from '../errors.ts';
import type { Requirement } from '../resources/capabilities/order.ts';
import type { DeclaredResource } from '../resources/resource.ts';
import type { Section } from '../transport/sections.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import type { HostPlan, PlannedChange } from './host-plan.ts';

/** Something that a change needs and that nothing in the plan provides: the host may have it. */
export interface Open {
  readonly change: PlannedChange;
  readonly requirement: Requirement;
}

function isDeclared(resource: DeclaredResource): boolean {
  return resource.type.want(resource.desired) !== null;
}

/** A declared resource is what is needed, or makes it on its way. */
function provides({ type, desired }: DeclaredResource, requirement: Requirement): boolean | 'perhaps' {
  return type.want(desired) !== null && (type.order?.provides?.(desired, requirement) ?? 'perhaps');
}

/** What is only reloaded or removed provides nothing new. */
function mayProvide({ resource, action }: PlannedChange, requirement: Requirement): boolean {
  if (action === 'reload' || action === 'restart' || action === 'delete') return false;
  return provides(resource, requirement) !== false;
}

function requirementsOf(change: PlannedChange): readonly Requirement[] {
  const { resource, action, attributes, knownAfter } = change;
  if (knownAfter !== undefined || !isDeclared(resource)) return [];
  const differs = new Set(attributes.map(({ name }) => name));
  return (resource.type.order?.requires?.(change.desired) ?? []).filter(
    ({ kind }) =>
      action === 'create' ||
      (kind === 'user' && differs.has('owner')) ||
      (kind === 'group' && differs.has('group')),
  );
}

/** What is left to ask the host for: nothing on one that is as declared. */
export function openRequirements({ resources, changes }: HostPlan): readonly Open[] {
  const all = [...changes.values()];
  return all.flatMap((change) =>
    requirementsOf(change)
      .filter((requirement) => !resources.some((resource) => provides(resource, requirement) === true))
      .filter((requirement) => !all.some((other) => other !== change && mayProvide(other, requirement)))
      .map((requirement) => ({ change, requirement })),
  );
}

function isThere({ kind, name }: Requirement): Script {
  if (kind === 'user') return sh`getent passwd ${name} >/dev/null`;
  if (kind === 'group') return sh`getent group ${name} >/dev/null`;
  // That there is none has shown when the service was read.
  return kind === 'unit' ? sh`false` : sh`[ -d ${name} ]`;
}

/** Prints the numbers of those that are not there. */
export function askFor(open: readonly Open[]): Section {
  return {
    script: lines(open.map(({ requirement }, index) => sh`${isThere(requirement)} || echo ${index}`)),
  };
}

function unmet(host: string, { change, requirement: { kind, name } }: Open): HostwrightError {
  return new HostwrightError('E_REFUSED', `${change.id} needs the ${kind} ${name}, which does not exist`, {
    place: { host, resource: change.id },
    found: 'neither the host nor the plan has it',
    hint: `correct its name, or declare ${kind}('${name}') or a package that provides it`,
  });
}

/** E_REFUSED for each change that would fail, from what `askFor` printed. */
export function unmetErrors(host: string, open: readonly Open[], output: Buffer): readonly HostwrightError[] {
  const missing = new Set(output.toString('utf8').split('\n'));
  return open.filter((_, index) => missing.has(String(index))).map((one) => unmet(host, one));
}
