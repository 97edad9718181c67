import type { FilePlace } from '../errors.ts';

/** A value of a variable as YAML gives it; encrypted strings stay strings until they are resolved. */
export type Variable =
  string | number | boolean | null | readonly Variable[] | { readonly [key: string]: Variable };

export interface Host {
  readonly name: string;
  /** Groups that hold the host, itself or through children, without `all`; in Ansible's order. */
  readonly groups: readonly string[];
  /** Variables after Ansible's precedence, `ansible_…` ones included; references are not resolved yet. */
  readonly vars: Readonly<Record<string, Variable>>;
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
  readonly vars: Readonly<Record<string, Variable>>;
}

export interface Inventory {
  /** The file or folder it was read from. */
  readonly source: string;
  /** In the order of the files. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** In the order of the files, behind `all` and `ungrouped`, which are always there. */
  readonly groups: ReadonlyMap<string, Group>;
}
