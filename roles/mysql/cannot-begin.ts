import type { SiteHost } from 'hostwright';

/** A host that may be asked by this run. */
export interface Member {
  readonly host: SiteHost;
  /** Of `observes`, where there is one. */
  readonly answer: string | undefined;
}

export function namesOf(members: readonly { readonly host: SiteHost }[]): string {
  return members.map(({ host }) => host.name).join(', ');
}

/** Why nobody begins, with the table of who has what: a line for each member. */
export function cannotBegin(noun: 'cluster' | 'group', reason: string, table: readonly string[]): string {
  return [`a ${noun} cannot be begun: ${reason}`, ...table].join('\n');
}

/** The line of a member that has not answered. */
export const noAnswer = 'did not answer, or is not part of this run';

export function unknownWithout(missing: readonly Member[]): string {
  return `whether there is one is not known without ${namesOf(missing)}. Run apply for all of them together`;
}
