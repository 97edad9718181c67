import { aptRepository, directory, file, pkg, type Resource, type RoleContext } from 'hostwright';
import type { Variables } from './variables.ts';

/** The package with the server, which makes the first data when it is configured. */
export function packageOf({ mysql_flavor: flavor, mysql_repository: repository }: Variables): string {
  if (flavor === 'mariadb') return 'mariadb-server';
  return repository?.package ?? 'mysql-server';
}

/** Of one that is not Debian's: nothing but the server and what belongs to it, in every version that it has. */
const priority = { own: 990, others: -1 };

function source({ vars, facts }: RoleContext<Variables>): readonly Resource[] {
  const { mysql_repository: repository } = vars;
  if (repository !== undefined) {
    const { uri, suite = facts.codename, components, key, origin, packages } = repository;
    return [
      aptRepository('mysql', {
        uris: [uri],
        suites: [suite],
        components,
        signedBy: key,
        pin: { release: `o=${origin}`, packages, priority: priority.own, others: priority.others },
      }),
    ];
  }
  if (facts.codename === 'sid') return [];
  return [
    aptRepository('sid', {
      uris: [vars.mysql_repository_uri],
      suites: ['sid'],
      pin: { release: 'n=sid', priority: 50 },
    }),
  ];
}

/**
 * The package has the server shut itself down at the end of its initialization, which at times comes before the last
 * step of that: MySQL calls the data unusable, and the package, when it is configured once more, takes them as they
 * are. Only what such an initialization has just made is removed, never the data of a server that ran.
 */
const removeUnusableData = (
  name: string,
): string => `[ -z "$(dpkg-query -W -f '\${Config-Version}' ${name} 2>/dev/null)" ] || exit 0
awk '/MY-015015|MY-015017/ { unusable = 0; others = 0 } /MY-010457/ { others = 1 } /MY-013236/ { unusable = 1 }
  END { exit !unusable || others }' /var/log/mysql/error.log 2>/dev/null || exit 0
[ -z "$(find /var/lib/mysql -mindepth 1 -maxdepth 1 -type d ! -name mysql ! -name performance_schema ! -name sys ! -name '#*')" ] || exit 0
! grep -q ' /var/lib/mysql/' /proc/self/mountinfo || exit 0
find /var/lib/mysql -mindepth 1 -xdev -delete
echo 'the initialization of MySQL failed, and what it had made is removed'`;

/**
 * The profiles of AppArmor in the packages of MySQL let the server read its certificate below /etc/mysql alone. They
 * include this folder; so the file is there before the package loads its profile.
 */
const profiles = '/etc/apparmor.d/abstractions';
const rules = `${profiles}/mysql.d/hostwright`;

/** Where MySQL comes from, and the package. */
export function packages(context: RoleContext<Variables>): readonly Resource[] {
  const { vars, facts } = context;
  const name = packageOf(vars);
  if (vars.mysql_flavor === 'mariadb') return [pkg(name)];
  const isSid = vars.mysql_repository === undefined && facts.codename !== 'sid';
  return [
    ...source(context),
    ...['/etc/apparmor.d', profiles, `${profiles}/mysql.d`].map((path) => directory(path)),
    file(rules, { content: context.template('mysql/apparmor.hbs', {}) }),
    pkg(
      name,
      {
        ...(isSid ? { release: 'sid' } : {}),
        afterFailure: ['sh', '-c', removeUnusableData(name)],
      },
      { needs: [`file:${rules}`] },
    ),
  ];
}
