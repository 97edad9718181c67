import { isWithin } from '../../../src/resources/path.ts';

/** What lies at a path of the host of the model. */
export type Entry = { readonly kind: 'directory' } | { readonly kind: 'document'; readonly text: string };

export interface Daemon {
  running: boolean;
  enabled: boolean;
  /** What it had read at its last start or reload. */
  loaded: string;
}

/** A host in memory: paths, packages, services, and what servers hold. */
export interface World {
  readonly entries: Map<string, Entry>;
  readonly packages: Set<string>;
  readonly daemons: Map<string, Daemon>;
  readonly records: Map<string, string>;
}

/** What packages bring: a service of the same name that starts at once, and documents where there are none. */
export const catalogue: Readonly<Record<string, readonly string[]>> = {
  alpha: ['/etc/alpha/stock', '/etc/alpha/d/stock'],
  beta: ['/etc/beta/stock'],
  gamma: [],
};

export function copyOf(world: World): World {
  return structuredClone(world);
}

export function become(world: World, other: World): void {
  const { entries, packages, daemons, records } = copyOf(other);
  world.entries.clear();
  for (const [path, entry] of entries) world.entries.set(path, entry);
  world.packages.clear();
  for (const name of packages) world.packages.add(name);
  world.daemons.clear();
  for (const [name, daemon] of daemons) world.daemons.set(name, daemon);
  world.records.clear();
  for (const [name, value] of records) world.records.set(name, value);
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

export function remove(world: World, path: string): void {
  for (const at of [...world.entries.keys()]) if (isWithin(at, path)) world.entries.delete(at);
}

/** Like `mkdir -p`: fails where something else is in the way. */
export function makeDirectory(world: World, path: string): void {
  if (path === '' || world.entries.get(path)?.kind === 'directory') return;
  if (world.entries.has(path)) throw new Error(`${path} is in the way`);
  makeDirectory(world, parent(path));
  world.entries.set(path, { kind: 'directory' });
}

export function write(world: World, path: string, text: string): void {
  const above = parent(path);
  if (above !== '' && world.entries.get(above)?.kind !== 'directory') throw new Error(`there is no ${above}`);
  if (world.entries.get(path)?.kind === 'directory') remove(world, path);
  world.entries.set(path, { kind: 'document', text });
}

/** Everything below some paths that a service reads, as one text. */
export function readBelow(world: World, paths: readonly string[]): string {
  return JSON.stringify(
    [...world.entries]
      .filter(([path, entry]) => entry.kind === 'document' && paths.some((tree) => isWithin(path, tree)))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

export function install(world: World, name: string): void {
  if (world.packages.has(name)) return;
  for (const path of catalogue[name] ?? []) {
    makeDirectory(world, parent(path));
    if (!world.entries.has(path)) write(world, path, 'stock');
  }
  world.packages.add(name);
  if (name !== 'gamma') world.daemons.set(name, { running: true, enabled: true, loaded: 'of the package' });
}

export function purge(world: World, name: string): void {
  world.packages.delete(name);
  world.daemons.delete(name);
  for (const path of catalogue[name] ?? []) remove(world, path);
}
