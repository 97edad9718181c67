import { pathOf } from '../resources/path.ts';
import type { ResourceId } from '../resources/state.ts';
import type { Section } from '../transport/sections.ts';
import { sh } from '../transport/shell.ts';
import type { HostPlan, PlannedChange } from './host-plan.ts';

/** A source of packages, or what may write one: a file below `/etc/apt`, or anything that may do anything. */
function mayAddSource({ resource }: PlannedChange): boolean {
  const { order } = resource.type;
  return (
    order?.stage === 'source' ||
    pathOf(resource)?.startsWith('/etc/apt/') === true ||
    (order?.stage === undefined && order?.provides === undefined)
  );
}

/** The names of packages that are to be installed from the sources that the host has now. */
export function packagesToFind({ changes }: HostPlan): readonly string[] {
  const all = [...changes.values()];
  if (all.some(mayAddSource)) return [];
  return all
    .filter(({ resource, action }) => resource.type.order?.stage === 'package' && action === 'create')
    .map(({ resource, desired }) => resource.type.key(desired));
}

/** Prints those of `names` that the lists on the host do not have; nothing where there are no lists yet. */
export function findPackages(names: readonly string[]): Section {
  if (names.length === 0) return { script: sh`` };
  return {
    script: sh`[ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -print -quit 2>/dev/null)" ] || exit 0
apt-cache policy ${names} 2>/dev/null | sed -n 's/^\([^ ]*\):$/\1/p' >"$HW/known"
printf '%s\n' ${names} | grep -vxF -f "$HW/known" || :`,
  };
}

/**
 * What is to be said of each of these packages, from what `findPackages` printed. No more than a remark: apply brings
 * the lists up to date, and they may have it then.
 */
export function unlistedPackages(output: Buffer): ReadonlyMap<ResourceId, string> {
  const names = output.toString('utf8').split('\n');
  return new Map(
    names
      .filter((name) => name !== '')
      .map((name): [ResourceId, string] => [
        `package:${name}`,
        'no package source of the host lists it: check the name',
      ]),
  );
}
