import type { Action, ResourceId } from '../../../src/resources/state.ts';

/** The lab of the test: the users of the database have addresses in their names. */
export const subnet = '10.213.99';

/** What somebody does by hand to a host of the whole site, and how it is seen. */
export interface Damage {
  /** In words, as they stand in docs/drift.md. */
  readonly what: string;
  /** Damages of one round are made together and healed by one apply. */
  readonly round: number;
  readonly host: 'web1' | 'web2' | 'web3';
  readonly role: string;
  readonly resource: ResourceId;
  readonly action: Action;
  /** The attributes that the plan shows: `false → true`, or nothing where the values are not for reading. */
  readonly seen?: Readonly<Record<string, string>>;
  /** What else the plan shows because of it: `service:nginx.service reload`. */
  readonly follows?: readonly `${ResourceId} ${Action}`[];
  /** Only `--deep` sees it; all of a round or none. */
  readonly isDeep?: true;
  /** Shell that does it, as root. */
  readonly breaks: string;
  /** Shell that succeeds while all is well, by other means than those of Hostwright: runs with `set -e`. */
  readonly sound: string;
}
