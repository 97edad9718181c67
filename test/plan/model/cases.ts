import * as fc from 'fast-check';
import type { DeclaredResource } from '../../../src/resources/resource.ts';
import type { ResourceId } from '../../../src/resources/state.ts';
import {
  directoryType,
  documentType,
  packageType,
  placed,
  recordType,
  serviceType,
  type Place,
} from './types.ts';
import { install, makeDirectory, readBelow, remove, write, type World } from './world.ts';

/** What is declared, and how the host is before. */
export interface Case {
  readonly resources: readonly DeclaredResource[];
  readonly world: World;
}

const servers = ['alpha', 'beta'] as const;

/** Paths that hold something in one case or another, directories before what is in them. */
const paths = servers.flatMap((name) => [
  `/etc/${name}`,
  `/etc/${name}/conf`,
  `/etc/${name}/stock`,
  `/etc/${name}/d`,
  `/etc/${name}/d/one`,
  `/etc/${name}/d/stock`,
]);

const damage = fc.oneof(
  fc.record({ at: fc.constantFrom(...paths), as: fc.constantFrom('directory', 'document', 'nothing') }),
  fc.record({ at: fc.constantFrom(...servers), as: fc.constantFrom('stopped', 'disabled', 'outdated') }),
);
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function spoil(world: World, { at, as }: Damage): void {
  const daemon = world.daemons.get(at);
  if (as === 'stopped' && daemon !== undefined) daemon.running = false;
  if (as === 'disabled' && daemon !== undefined) daemon.enabled = false;
  if (as === 'outdated' && daemon !== undefined) daemon.loaded = 'something else';
  if (as === 'nothing') remove(world, at);
  try {
    if (as === 'directory') {
      if (world.entries.get(at)?.kind === 'document') remove(world, at);
      makeDirectory(world, at);
    }
    // A package refuses to be installed where something is in the way of its directories.
    if (as === 'document' && (world.packages.has(at.split('/')[2] ?? '') || at.endsWith('/conf')))
      write(world, at, 'by hand');
  } catch {
    // Nothing can be there.
  }
}

const worlds = fc
  .record({
    installed: fc.subarray([...servers, 'gamma']),
    damages: fc.array(damage, { maxLength: 6 }),
    records: fc.subarray(servers.map((name) => `${name}/greeting`)),
  })
  .map(({ installed, damages, records }): World => {
    const world: World = {
      entries: new Map([['/etc', { kind: 'directory' }]]),
      packages: new Set(),
      daemons: new Map(),
      records: new Map(records.map((key) => [key, 'an old one'])),
    };
    for (const name of installed) install(world, name);
    for (const one of damages) spoil(world, one);
    return world;
  });

const places: readonly Place[] = [
  { role: 'first', play: 0 },
  { role: 'second', play: 0 },
  { role: 'third', play: 1 },
];
const place = fc.constantFrom(...places);

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> =>
  fc.array(arbitrary, { maxLength: 1 });

/** What is declared of one server: its package, its files, its service, and what it holds. */
function serverResources(name: string): fc.Arbitrary<readonly DeclaredResource[]> {
  const folder = `/etc/${name}`;
  const text = fc.constantFrom('old', 'new', undefined);
  const brought: readonly ResourceId[] = [`package:${name}`];
  const document = (path: string): fc.Arbitrary<DeclaredResource> =>
    fc.record({ text, place }).map((it) => placed(documentType, { path, text: it.text }, it.place, []));
  const gone = (type: 'document' | 'directory', path: string): fc.Arbitrary<DeclaredResource> =>
    place.map((at) =>
      type === 'document'
        ? placed(documentType, { path, absent: true }, at, brought)
        : placed(directoryType, { path, absent: true }, at, brought),
    );
  return fc
    .record({
      base: fc.tuple(
        place.map((at) => placed(packageType, { name }, at, [])),
        place.map((at) => placed(directoryType, { path: folder }, at, [])),
      ),
      conf: optional(document(`${folder}/conf`)),
      stock: optional(fc.oneof(document(`${folder}/stock`), gone('document', `${folder}/stock`))),
      below: fc.oneof(
        fc.tuple(
          place.map((at) => placed(directoryType, { path: `${folder}/d` }, at, [])),
          document(`${folder}/d/one`),
        ),
        fc.tuple(gone('directory', `${folder}/d`)),
        fc.tuple(gone('document', `${folder}/d/stock`)),
        fc.constant([]),
      ),
      service: optional(
        fc.record({
          running: fc.boolean(),
          enabled: fc.boolean(),
          validates: fc.boolean(),
          reads: fc.constantFrom([folder], [`${folder}/d`], [`${folder}/conf`, `${folder}/d`]),
          place,
        }),
      ).map((list) =>
        list.map(({ place: at, ...rest }) => placed(serviceType, { name, ...rest }, at, brought)),
      ),
      record: fc.record({
        value: fc.constantFrom('an old one', 'a new one'),
        talks: fc.boolean(),
        absent: fc.boolean(),
        place,
      }),
      withRecord: fc.boolean(),
    })
    .map(({ base, conf, stock, below, service, record, withRecord }) => {
      const { place: at, ...rest } = record;
      const runs = service.some(({ desired }) => 'running' in desired && desired.running === true);
      const needs: readonly ResourceId[] = [`service:${name}`];
      const records =
        withRecord && runs ? [placed(recordType, { server: name, key: 'greeting', ...rest }, at, needs)] : [];
      return [...base, ...conf, ...stock, ...below, ...service, ...records];
    });
}

/** Needs beyond those that follow: from one resource to another, by their position. */
const links = fc.array(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 30 })), { maxLength: 4 });

function isCircular(edges: ReadonlyMap<string, readonly string[]>): boolean {
  const done = new Set<string>();
  const visit = (id: string, trail: ReadonlySet<string>): boolean => {
    if (trail.has(id)) return true;
    if (done.has(id)) return false;
    done.add(id);
    const longer = new Set([...trail, id]);
    return (edges.get(id) ?? []).some((next) => visit(next, longer));
  };
  return [...edges.keys()].some((id) => visit(id, new Set()));
}

/** What is said outright, in the words of the declarations alone: who comes after whom. */
export function outright(resources: readonly DeclaredResource[]): ReadonlyMap<string, readonly string[]> {
  const ids = new Map(resources.map((resource) => [resource.id, resource]));
  const edges = new Map<string, string[]>(resources.map(({ id, needs }) => [id, [...needs]]));
  for (const { id, type, desired } of resources) {
    for (const earlier of type.order?.after?.(desired) ?? []) {
      const other = ids.get(earlier);
      if (other === undefined) continue;
      if (other.type.want(other.desired) === null) edges.get(earlier)?.push(id);
      else edges.get(id)?.push(earlier);
    }
  }
  return edges;
}

/** With what services read, and those that validate as one with what they validate. */
function isOrderable(resources: readonly DeclaredResource[]): boolean {
  const edges = new Map([...outright(resources)].map(([id, earlier]) => [id, [...earlier]]));
  for (const service of resources) {
    const reads = (service.type.runtime?.triggers(service.desired) ?? []).flatMap(({ paths: read }) => read);
    for (const member of resources) {
      const path = member.type.files?.path?.(member.desired);
      if (path === undefined || !reads.some((tree) => path === tree || path.startsWith(`${tree}/`))) continue;
      edges.get(service.id)?.push(member.id);
    }
  }
  const validators = new Map<string, string>();
  for (const service of resources) {
    const trees = service.type.runtime?.transaction?.(service.desired)?.trees ?? [];
    for (const member of resources) {
      const path = member.type.files?.path?.(member.desired);
      const isTree = member.type.name === 'directory' && path !== undefined && trees.includes(path);
      if (
        path !== undefined &&
        !isTree &&
        trees.some((tree) => path === tree || path.startsWith(`${tree}/`))
      ) {
        validators.set(member.id, service.id);
        edges.get(service.id)?.push(member.id);
      }
    }
  }
  const head = (id: string): string => validators.get(id) ?? id;
  const heads = new Map<string, string[]>();
  for (const [id, earlier] of edges) {
    const others = earlier.map(head).filter((other) => other !== head(id));
    heads.set(head(id), [...(heads.get(head(id)) ?? []), ...others]);
  }
  return !isCircular(edges) && !isCircular(heads);
}

function linked(
  resources: readonly DeclaredResource[],
  pairs: readonly (readonly [number, number])[],
): readonly DeclaredResource[] {
  return pairs.reduce((sofar, [from, to]) => {
    const [later, earlier] = [sofar[from % sofar.length], sofar[to % sofar.length]];
    if (later === undefined || earlier === undefined || later === earlier) return sofar;
    const more = sofar.map((one) => (one === later ? { ...one, needs: [...one.needs, earlier.id] } : one));
    return isOrderable(more) ? more : sofar;
  }, resources);
}

const declared = fc
  .tuple(
    serverResources('alpha'),
    serverResources('beta'),
    optional(place.map((at) => placed(packageType, { name: 'gamma' }, at, []))),
    links,
  )
  .chain(([alpha, beta, gamma, pairs]) => {
    const all = [...alpha, ...beta, ...gamma];
    return fc
      .shuffledSubarray(all, { minLength: all.length, maxLength: all.length })
      .map((shuffled) => linked(shuffled, pairs));
  });

function described({ resources, world }: Case): string {
  const declared = resources.map(
    ({ id, desired, needs, role, play }) =>
      `${role} of play ${play} declares ${id} ${JSON.stringify(desired)}${needs.map((need) => ` after ${need}`).join('')}`,
  );
  const there = [
    [...world.entries].map(([path, entry]) => `${path} is a ${JSON.stringify(entry)}`),
    [...world.packages].map((name) => `${name} is installed`),
    [...world.daemons].map(([name, daemon]) => `${name} is a service ${JSON.stringify(daemon)}`),
    [...world.records].map(([key, value]) => `${key} is ${value}`),
  ];
  return `\n${[...declared, ...there.flat()].map((line) => `  ${line}\n`).join('')}`;
}

/** What runs has read what lies there, unless it was damaged otherwise. */
function settled({ resources, world }: Case): Case {
  for (const { type, desired, id } of resources) {
    const daemon = world.daemons.get(id.slice('service:'.length));
    const [trigger] = type.runtime?.triggers(desired) ?? [];
    if (daemon?.loaded === 'of the package' && trigger !== undefined)
      daemon.loaded = readBelow(world, trigger.paths);
  }
  return { resources, world };
}

export const cases: fc.Arbitrary<Case> = fc
  .record({ resources: declared, world: worlds })
  .map((made) => Object.assign(settled(made), { [fc.toStringMethod]: () => described(made) }));
