import type { z } from 'zod';
import type { Resource } from '../resources/resource.ts';
import type { Secret } from '../secrets/secret.ts';
import type { Listed } from './list.ts';

/** What a host says of itself, read together with the lock. */
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
  /** A container has its clock and most kernel parameters from the host around it. */
  readonly container?: boolean;
  /** The connection that this run came in by; whatever changes, it must stay possible. */
  readonly connection?: {
    /** Who logged in, before sudo. */
    readonly user: string;
    /** The home directory of that user, where the host has the account in a file of its own. */
    readonly home?: string;
    /** Where it comes from, as the host sees it. */
    readonly address: string;
    /** The port of sshd that it came in at. */
    readonly port: number;
  };
}

/** A host of the inventory as roles see it. */
export interface SiteHost {
  readonly name: string;
  /** The address other hosts of the site use: `private_address`, else `ansible_host`, else the name. */
  readonly address: string;
  readonly groups: readonly string[];
}

/** For whom a port is open. */
export type Source = 'internet' | { readonly group: string } | { readonly address: string };

/** All hosts of a group may connect. */
export const group = (name: string): Source => ({ group: name });
/** One address or network (`10.0.0.0/24`) may connect. */
export const address = (cidr: string): Source => ({ address: cidr });

/** A port that a role listens on; the firewall opens these and nothing else. */
export interface Listen {
  readonly port: number;
  /** Default `tcp`. */
  readonly protocol?: 'tcp' | 'udp';
  readonly from: Source;
  /** What a person reads in the plan: `node metrics for monitoring`. */
  readonly why: string;
}

/** Something a role of another host may want to know: a backend, a scrape target. */
export interface Declaration {
  /** `backend`, `scrape`, or a word of your own roles. */
  readonly kind: string;
  readonly [attribute: string]: unknown;
}

/** A declaration with who made it; `role` is what the declaration itself says where it has a word of that name. */
export type Declared<D extends Declaration = Declaration> = D & {
  readonly host: SiteHost;
  readonly role: string;
};

export interface Site {
  /** Hosts of a group in inventory order; E_ROLE where there is no such group. */
  hosts(groupName: string): readonly SiteHost[];
  /** What all roles of all hosts declared, in inventory order, what they derived behind it. */
  declared<D extends Declaration>(kind: D['kind']): readonly Declared<D>[];
  /** What `host` listens on, of all its roles. */
  listens(host: string): readonly (Listen & { readonly role: string })[];
}

/** What a role knows while it declares: its variables and the inventory, no facts. */
export interface DeclareContext<Vars> {
  readonly vars: Vars;
  readonly host: SiteHost;
  readonly site: Pick<Site, 'hosts'>;
}

/** What a role knows while it says what follows from the declarations of all roles. */
export interface DeriveContext<Vars> extends DeclareContext<Vars> {
  readonly site: Pick<Site, 'hosts' | 'declared'>;
}

export interface RoleContext<Vars> {
  readonly vars: Vars;
  readonly host: SiteHost;
  readonly facts: Facts;
  readonly site: Site;
  /**
   * Renders `templates/NAME` with `data` (strict: an undefined name is E_TEMPLATE with its place).
   * Looks beside the user's own roles first, then in Hostwright's.
   */
  readonly template: (name: string, data: Readonly<Record<string, unknown>>) => string | Secret;
  /** Bytes of a file of the project, by a path relative to the role's own folder. */
  readonly asset: (path: string) => Buffer;
  /** The folder of site.yml, absolute, for variables that hold paths of the user. */
  readonly projectFolder: string;
}

export interface Role<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** Every variable the role reads, with its default and `.describe()`; unknown ones are errors. */
  readonly variables: Schema;
  readonly declares?: (context: DeclareContext<z.output<Schema>>) => Listed<Declaration>;
  /** Declarations that follow from those of other roles; it sees what `declares` says, and no derived ones. */
  readonly derives?: (context: DeriveContext<z.output<Schema>>) => Listed<Declaration>;
  readonly listens?: (context: DeriveContext<z.output<Schema>>) => Listed<Listen>;
  /** A pure function: it touches no host and reads no clock. */
  readonly resources: (context: RoleContext<z.output<Schema>>) => Listed<Resource>;
}

/** The way to write a role: `export default defineRole({ … })` in `roles/NAME/role.ts`. */
export function defineRole<Schema extends z.ZodObject>(role: Role<Schema>): Role<Schema> {
  return role;
}
