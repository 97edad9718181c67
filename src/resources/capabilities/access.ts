import { sh, type Script } from '../../transport/shell.ts';
import type { Change } from '../state.ts';

/** The connection of a run; every change must leave it possible. */
export interface Login {
  /** The login user, before sudo. */
  readonly user: string;
  /** The home directory of that user, if the account is in /etc/passwd. */
  readonly home?: string;
  /** Names of files in /etc/sudoers.d with rules for that user, or for a group of it. */
  readonly sudoers?: readonly string[];
  /** The client address, as the host sees it. */
  readonly address: string;
  /** The port of sshd. */
  readonly port: number;
}

/**
 * A change that may cut the controller off: the host keeps the state of before, and restores it by itself
 * unless a fresh connection confirms the change in time. `keep` and `restore` find the same folder `$HW`.
 */
export interface Guard {
  /** The systemd unit whose enablement is restored. */
  readonly unit?: string;
  /** Files and links that are restored, after a reboot too, and what they lead to; of directories owner, group and mode. */
  readonly paths: readonly string[];
  /** Directories that are restored with everything in them. */
  readonly trees?: readonly string[];
  /** Keeps what runs and is in none of `paths`: tables of the kernel, whether a service is active. */
  readonly keep: Script;
  /** Restores that once `paths` are as before. Not after a reboot, which starts from `paths`. */
  readonly restore: Script;
}

/** Who may use a host, and where a change may end the access of the controller (`rollback/`). */
export interface Access<Desired extends object = object> {
  /** How the host rolls the change back; undefined where it cannot end the access of `login`. */
  guard?(change: Change<Desired>, login: Login | undefined): Guard | undefined;
  /** Why nobody could log in as `login` any more, where that is certain: the plan is refused. */
  endsLogin?(desired: Desired, login: Login): string | undefined;
  /** The groups that it declares an account to be in; the account is what identifies it. */
  memberOf?(desired: Desired): readonly string[];
}

/** Where Debian keeps its users and groups. */
export const accountFiles = [
  '/etc/passwd',
  '/etc/group',
  '/etc/shadow',
  '/etc/gshadow',
  '/etc/nsswitch.conf',
];

/** A guard of files alone. */
export function restoring(paths: readonly string[], trees: readonly string[] = []): Guard {
  return { paths, trees, keep: sh``, restore: sh`` };
}
