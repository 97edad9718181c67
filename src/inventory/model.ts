import type { FilePlace } from '../errors.ts';

/** A value of a variable as YAML gives it; encrypted strings stay strings until they are resolved. */
export type RawValue =
  string | number | boolean | null | readonly RawValue[] | { readonly [key: string]: RawValue };

/**
 * Variables in the second of their three forms: `Definitions` (draft.ts) know their places, these have won by
 * Ansible's precedence, and `Variables` (variables.ts) are decrypted and have no references any more.
 */
export type RawVariables = Readonly<Record<string, RawValue>>;

export interface Host {
  readonly name: string;
  /** Groups that hold the host, itself or through children, without `all`; in Ansible's order. */
  readonly groups: readonly string[];
  /** Variables after Ansible's precedence, `ansible_…` ones included; references are not resolved yet. */
  readonly vars: RawVariables;
  /** Where the winning definition of each variable stands. */
  readonly places: ReadonlyMap<string, FilePlace>;
  /** The file that named the host first. */
  readonly file: string;
}

export interface Group {
  readonly name: string;
  readonly children: readonly string[];
  /** Hosts named in this very group, in the order of the file. */
  readonly hosts: readonly string[];
  /** Of this very group, `group_vars/` included. */
  readonly vars: RawVariables;
}

export interface Inventory {
  /** The file or folder it was read from. */
  readonly source: string;
  /** In the order of the files. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** In the order of the files, behind `all` and `ungrouped`, which are always there. */
  readonly groups: ReadonlyMap<string, Group>;
}
