import type {
  Declaration,
  Listen,
  Observation,
  Resource,
  RoleContext,
  Script,
  Site,
  SiteHost,
} from 'hostwright';
import type { Variables } from './variables.ts';

/** What is known before facts are. */
export interface Place {
  readonly vars: Variables;
  readonly host: SiteHost;
  readonly site: Pick<Site, 'hosts'>;
}

/** How the service of a server starts, where that is more than a start. */
export interface Starting {
  readonly start: [string, ...string[]];
  /** Seconds that it may take. */
  readonly startWithin: number;
  /** A start of one that runs. */
  readonly restart: [string, ...string[]];
}

/** How the servers of the group db work together; what all have in common is in server.ts. */
export interface Topology {
  /** Its lines of the option file, behind those that all servers have and before those of the user. */
  settings(context: RoleContext<Variables>): string;
  /** What servers talk to each other by, beside their own port. */
  listens?(place: Place): readonly Listen[];
  /** What servers must know of each other before they start. */
  observes?(place: Place): readonly Observation[];
  starting?(context: RoleContext<Variables>): Starting | undefined;
  /** Fails where the server must not start with its lines, before they are there. */
  guard?(context: RoleContext<Variables>): Script | undefined;
  /** Which servers come first; see `Role`. */
  rank?(context: RoleContext<Variables>): number;
  /** What other roles must know of this host. */
  declares(place: Place): readonly Declaration[];
  /** Who may write, who follows whom, and with them accounts and databases: behind the server that runs. */
  resources(context: RoleContext<Variables>): readonly Resource[];
}
