import type { z } from 'zod';
import type { Login } from '../resources/capabilities/access.ts';
import type { Probe, Resource } from '../resources/resource.ts';
import type { ResourceId } from '../resources/state.ts';
import type { Secret } from '../secrets/secret.ts';
import type { AnyAction } from './action.ts';
import type { Listed } from './list.ts';

/** Facts about a host, read together with the lock. */
export interface Facts {
  /** `ID` of os-release: `debian`. */
  readonly os: string;
  /** `VERSION_CODENAME` of os-release: `trixie`. */
  readonly codename: string;
  /** `dpkg --print-architecture`: `amd64`. */
  readonly architecture: string;
  readonly hostname: string;
  readonly kernel: string;
  readonly processors: number;
  /** Bytes. */
  readonly memory: number;
  /** Global addresses of all interfaces, IPv4 and IPv6, without prefix lengths. */
  readonly addresses: readonly string[];
  /** The interface of the IPv4 default route, or the first with a global address. */
  readonly interface: string;
  /**
   * `none`: the kernel has no IPv6, and a program that opens a socket for it fails. `off`: it can, but no interface
   * has a global address, or IPv6 is switched off on some. `on`: it is in use.
   */
  readonly ipv6: 'none' | 'off' | 'on';
  /** A container has its clock and most kernel parameters from the host around it. */
  readonly container?: boolean;
  /** The connection of this run; every change must leave it possible. */
  readonly connection?: Login;
}

/** Facts of the host itself: a run by somebody else finds the same. */
export type HostFacts = Omit<Facts, 'connection'>;

/** A host of the inventory as roles see it. */
export interface SiteHost {
  readonly name: string;
  /** The address other hosts of the site use: `private_address`, else `ansible_host`, else the name. */
  readonly address: string;
  readonly groups: readonly string[];
}

/** Who may connect to a port. */
export type Source = 'internet' | { readonly group: string } | { readonly address: string };

/** All hosts of a group may connect. */
export const hostGroup = (name: string): Source => ({ group: name });
/** One address or network (`10.0.0.0/24`) may connect. */
export const address = (cidr: string): Source => ({ address: cidr });

interface ListenSource {
  readonly from: Source;
  /** Shown in the plan: `node metrics for monitoring`. */
  readonly why: string;
}

/** A port that a role listens on. */
export interface PortListen extends ListenSource {
  readonly port: number;
  /** Default `tcp`. */
  readonly protocol?: 'tcp' | 'udp';
}

/** A protocol without ports that a role speaks. */
export interface ProtocolListen extends ListenSource {
  readonly port?: never;
  readonly protocol: 'vrrp';
}

/** What may come in; the firewall opens these ports and protocols, and nothing else. */
export type Listen = PortListen | ProtocolListen;

/** Information for roles of other hosts: a backend, a scrape target. */
export interface Declaration {
  /** `backend`, `scrape`, or a word of your own roles. */
  readonly kind: string;
  readonly [attribute: string]: unknown;
}

/** A declaration with its host and role; a `role` in the declaration itself takes precedence. */
export type Declared<D extends Declaration = Declaration> = D & {
  readonly host: SiteHost;
  readonly role: string;
};

export interface Site {
  /** Hosts of a group in inventory order; E_ROLE for an unknown group. */
  hosts(groupName: string): readonly SiteHost[];
  /** The declarations of all roles on all hosts, in inventory order; derived ones last. */
  declared<D extends Declaration>(kind: D['kind']): readonly Declared<D>[];
  /** The ports of all roles of `host`. */
  listens(host: string): readonly (Listen & { readonly role: string })[];
}

/** Something to be read on a host before its resources are made, for the roles of all hosts that read it too. */
export interface Observation {
  /** The same on all hosts: `galera`. */
  readonly name: string;
  /** Reads, changes nothing, and takes a moment; what it prints is the answer. Runs as root, with the facts. */
  readonly script: Probe['script'];
}

/** By the name of an observation, and then by host, what was read. A host without an answer is left out. */
export type Observed = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** What was read of hosts, beside facts, before the resources of any are made. */
export interface ReadBefore {
  readonly observed: Observed;
  /** Whether Hostwright has applied a resource to the host. */
  readonly applied: (id: ResourceId) => boolean;
}

/** The input of `declares`: variables and inventory, no facts. */
export interface DeclareContext<Vars> {
  readonly vars: Vars;
  readonly host: SiteHost;
  readonly site: Pick<Site, 'hosts'>;
}

/** The input of `derives` and `listens`: the declarations of all roles too. */
export interface DeriveContext<Vars> extends DeclareContext<Vars> {
  readonly site: Pick<Site, 'hosts' | 'declared'>;
}

export interface RoleContext<Vars> {
  readonly vars: Vars;
  readonly host: SiteHost;
  readonly facts: Facts;
  readonly site: Site;
  /**
   * What `observes` has read, by host. Of this run only: a host that `--limit` leaves out has no answer, and neither
   * has one that cannot be reached. Those with an answer are locked until the run ends.
   */
  readonly observed: (name: string) => ReadonlyMap<string, string>;
  /**
   * Whether an earlier run has applied a resource to the host, and none has removed it since: a role whose variables
   * say that it is no longer wanted declares it `absent`, and nothing that others have made.
   */
  readonly applied: ReadBefore['applied'];
  /**
   * Renders `templates/NAME` with `data` (strict: an undefined name is E_TEMPLATE with its place).
   * Looks beside the user's own roles first, then in Hostwright's.
   */
  readonly template: (name: string, data: Readonly<Record<string, unknown>>) => string | Secret;
  /** Bytes of a file of the project, by a path relative to the role's own folder. */
  readonly asset: (path: string) => Buffer;
  /** The folder of site.yml, absolute, for variables with paths. */
  readonly projectFolder: string;
}

export interface Role<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** Every variable the role reads, with its default and `.describe()`; unknown ones are errors. */
  readonly variables: Schema;
  readonly declares?: (context: DeclareContext<z.output<Schema>>) => Listed<Declaration>;
  /** Declarations made from those of other roles; sees those of `declares`, not derived ones. */
  readonly derives?: (context: DeriveContext<z.output<Schema>>) => Listed<Declaration>;
  readonly listens?: (context: DeriveContext<z.output<Schema>>) => Listed<Listen>;
  /** What roles of other hosts must know of this one before they can say what is to be done there. */
  readonly observes?: (context: DeriveContext<z.output<Schema>>) => Listed<Observation>;
  /**
   * Where the host stands among those of its play, by what was observed: lower ones are changed first, equal ones in
   * the order of the inventory. Default 0.
   */
  readonly rank?: (context: RoleContext<z.output<Schema>>) => number;
  /** A pure function: it contacts no host and reads no clock. */
  readonly resources: (context: RoleContext<z.output<Schema>>) => Listed<Resource>;
  /** What the role can do that is no state, by name: `hostwright do ROLE NAME`. */
  readonly actions?: Readonly<Record<string, AnyAction<z.output<Schema>>>>;
}

/** Defines a role: `export default defineRole({ … })` in `roles/NAME/role.ts`. */
export function defineRole<Schema extends z.ZodObject>(role: Role<Schema>): Role<Schema> {
  return role;
}

/** A role with the folder it was found in. */
export interface LoadedRole {
  readonly role: Role;
  /** Absolute. */
  readonly folder: string;
}
