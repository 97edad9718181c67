import { basename, dirname } from 'node:path/posix';
import type { DeclaredPaths } from '../resource.ts';
import { shownPath, type Entry } from './listing.ts';
import { dropInNames, unitFolders, unitNames, vendorPaths } from './unit-files.ts';

function isDropIn({ path, kind }: Entry): boolean {
  return path.endsWith('.conf') && (kind === 'f' || kind === 'l');
}

/** A link within the folders of units is an alias or a mask, which `enabled` is about. */
function isWholeUnit({ path, kind, text }: Entry): boolean {
  if (kind !== 'l') return kind === 'f';
  const target = text.slice(path.length + 4);
  return target !== '/dev/null' && !/^(\.\.\/|[^/]+$|\/(usr\/)?lib\/systemd\/)/.test(target);
}

/** With `*` and `?`, on a path or the name of a file. */
function matches(path: string, pattern: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(pattern.startsWith('/') ? path : basename(path));
}

/** LXC writes these at boot, and services do not start in its containers without them. */
const ofContainers = ['/run/systemd/system/*.d/zzz-lxc-*.conf'];

/**
 * What nobody declares and makes a unit another one: drop-ins, and a whole unit over that of a package. Where neither a
 * package nor a role brings the unit, an undeclared one is what there is. `below` lists what lies at a path.
 */
export function overridesOf(
  unit: string,
  below: (path: string) => readonly Entry[],
  host: DeclaredPaths,
  keep: readonly string[] = [],
): readonly string[] {
  const isBrought =
    vendorPaths(unit).some((path) => below(path).length > 0) ||
    unitFolders.some((folder) => host.owns(`${folder}/${unit}`));
  const dropIns = new Set(dropInNames(unit));
  const found = unitFolders.flatMap((folder) =>
    unitNames(unit).flatMap((name) => {
      const all = below(`${folder}/${name}`);
      if (!dropIns.has(name)) return isBrought ? all.filter(isWholeUnit) : [];
      return all.filter((entry) => isDropIn(entry) && dirname(entry.path) === `${folder}/${name}`);
    }),
  );
  return found
    .map(({ path }) => path)
    .filter((path) => !path.includes('\n') && !host.owns(shownPath(path)))
    .filter((path) => ![...ofContainers, ...keep].some((one) => matches(shownPath(path), one)));
}
