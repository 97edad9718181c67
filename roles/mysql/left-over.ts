import { file, groupState, lines, sh, unit, type Resource, type ResourceId, type Script } from 'hostwright';

/** How a server is opened under `mysql_topology: primary_replica`; a group has no use for it. */
export const opener = 'mysql-open.service';

/** How root of a database host logs in to the others as the user `observer`. */
export const login = '/etc/hostwright/mysql-observer.cnf';

const openerFiles = ['/usr/local/lib/hostwright/mysql-open', '/etc/hostwright/mysql-open.conf', login];

/** Prints what `hasOpener` finds, once: a member has no such unit any more. */
export const openerState: Script = sh`if [ -e /etc/systemd/system/${opener} ]; then echo opener=yes; fi`;

export function hasOpener(answer: string | undefined): boolean {
  return answer?.includes('opener=yes') === true;
}

/** Once the server is a member, which `needs` says. */
export function withoutOpener(answer: string | undefined, needs: readonly ResourceId[]): readonly Resource[] {
  if (!hasOpener(answer)) return [];
  return [
    unit(opener, { absent: true }, { needs: [...needs] }),
    ...openerFiles.map((path) => file(path, { absent: true }, { needs: [...needs] })),
  ];
}

/** What joins a member of a group of MySQL again. */
export const joiner = {
  program: '/usr/local/lib/hostwright/mysql-join',
  service: 'mysql-join.service',
  timer: 'mysql-join.timer',
};

/** Prints something only on a host that is, or was, in a group of MySQL. */
export const memberState: Script = lines([
  sh`if [ -e /etc/systemd/system/${joiner.timer} ]; then`,
  groupState,
  sh`fi`,
]);

/** Once the server is a primary or a replica. */
export function withoutJoiner(answer: string | undefined, needs: readonly ResourceId[]): readonly Resource[] {
  if (answer === undefined || answer === '') return [];
  const options = { needs: [...needs] };
  return [
    unit(joiner.timer, { absent: true }, options),
    unit(joiner.service, { absent: true }, options),
    file(joiner.program, { absent: true }, options),
  ];
}
