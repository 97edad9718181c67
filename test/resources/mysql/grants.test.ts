import { describe, expect, test } from 'vitest';
import {
  changeGrants,
  declaredGrants,
  grants,
  parseGrants,
  showGrants,
} from '../../../src/resources/mysql/grants.ts';

const account = "'app'@'10.0.0.1'";
const to = 'TO `app`@`10.0.0.1`';

// What MySQL 9.7 shows.
const mysql = [
  `GRANT PROCESS ON *.* ${to} WITH GRANT OPTION`,
  `GRANT BACKUP_ADMIN ON *.* ${to} WITH GRANT OPTION`,
  `GRANT ALL PRIVILEGES ON \`shop\\_1\`.* ${to}`,
  `GRANT SELECT, INSERT (\`a\`, \`b, c\`) ON \`mysql\`.\`user\` ${to}`,
  `GRANT \`boss\`@\`%\` ${to}`,
];
// What MariaDB 11.8 shows, without the hash.
const mariadb = [
  `GRANT BINLOG MONITOR, REPLICATION SLAVE ADMIN ON *.* ${to} REQUIRE X509 WITH MAX_USER_CONNECTIONS 5 GRANT OPTION`,
];

describe('grants', () => {
  test('are read by level, with columns, roles and the right to grant', () => {
    expect(showGrants(parseGrants(mysql))).toBe(
      [
        String.raw`ALL PRIVILEGES on shop\_1.*`,
        'BACKUP_ADMIN, GRANT OPTION, PROCESS on *.*',
        'INSERT (`a`, `b, c`), SELECT on mysql.user',
        'to be undone: REVOKE `boss`@`%` FROM `app`@`10.0.0.1`',
      ].join('; '),
    );
    expect(showGrants(parseGrants(mariadb))).toBe(
      'BINLOG MONITOR, GRANT OPTION, REPLICATION SLAVE ADMIN on *.*',
    );
    expect(showGrants(parseGrants([`GRANT USAGE ON *.* ${to}`]))).toBe('none');
  });

  test('of a user that has what is declared are left alone, whatever order and case', () => {
    const declared = grants.parse({ '*.*': ['process', 'backup_admin'], 'shop_1.*': ['all'] });
    const shown = parseGrants([
      `GRANT PROCESS ON *.* ${to}`,
      `GRANT BACKUP_ADMIN ON *.* ${to}`,
      `GRANT ALL PRIVILEGES ON \`shop\\_1\`.* ${to}`,
    ]);
    const desired = declaredGrants(declared, 'mysql');
    expect(changeGrants(account, shown, desired)).toEqual([]);
    expect(showGrants({ granted: desired, others: [] })).toBe(showGrants(shown));
  });

  test('an underscore in the name of a database is no wildcard, in that of a table it is none anyway', () => {
    const desired = declaredGrants(grants.parse({ 'a_b.*': ['SELECT'], 'a_b.c_d': ['SELECT'] }), 'mysql');
    expect([...desired.keys()]).toEqual([
      String.raw`\`a\_b\`.*`.replaceAll(String.raw`\``, '`'),
      '`a_b`.`c_d`',
    ]);
  });

  test('take away what is not declared and nothing else, column by column and role by role', () => {
    const desired = declaredGrants(grants.parse({ '*.*': ['PROCESS'], 'mysql.user': ['SELECT'] }), 'mysql');
    expect(changeGrants(account, parseGrants(mysql), desired)).toEqual([
      'REVOKE `boss`@`%` FROM `app`@`10.0.0.1`',
      `REVOKE BACKUP_ADMIN ON *.* FROM ${account}`,
      `REVOKE GRANT OPTION ON *.* FROM ${account}`,
      `REVOKE ALL PRIVILEGES ON \`shop\\_1\`.* FROM ${account}`,
      `REVOKE INSERT (\`a\`, \`b, c\`) ON \`mysql\`.\`user\` FROM ${account}`,
    ]);
  });

  test('give some of ALL PRIVILEGES again when the rest goes, and never take from what becomes all', () => {
    const all = parseGrants([`GRANT ALL PRIVILEGES ON \`shop\`.* ${to}`]);
    const some = declaredGrants(grants.parse({ 'shop.*': ['SELECT'] }), 'mysql');
    expect(changeGrants(account, all, some)).toEqual([
      `REVOKE ALL PRIVILEGES ON \`shop\`.* FROM ${account}`,
      `GRANT SELECT ON \`shop\`.* TO ${account}`,
    ]);
    const few = parseGrants([`GRANT SELECT, INSERT ON \`shop\`.* ${to} WITH GRANT OPTION`]);
    const everything = declaredGrants(grants.parse({ 'shop.*': ['ALL'] }), 'mysql');
    expect(changeGrants(account, few, everything)).toEqual([
      `REVOKE GRANT OPTION ON \`shop\`.* FROM ${account}`,
      `GRANT ALL PRIVILEGES ON \`shop\`.* TO ${account}`,
    ]);
  });

  test('a partial revoke is given back, a proxy taken away', () => {
    const shown = parseGrants([
      'REVOKE SELECT ON `mysql`.* FROM `app`@`10.0.0.1`',
      `GRANT PROXY ON \`boss\`@\`%\` ${to}`,
    ]);
    expect(changeGrants(account, shown, new Map())).toEqual([
      'GRANT SELECT ON `mysql`.* TO `app`@`10.0.0.1`',
      'REVOKE PROXY ON `boss`@`%` FROM `app`@`10.0.0.1`',
    ]);
  });

  test('names that MariaDB shows as others are the same', () => {
    const desired = declaredGrants(
      grants.parse({ '*.*': ['REPLICATION CLIENT', 'REPLICA MONITOR'] }),
      'mariadb',
    );
    expect(showGrants({ granted: desired, others: [] })).toBe('BINLOG MONITOR, SLAVE MONITOR on *.*');
  });

  test.each([
    [{ '*.*': ['ALL'] }, 'only root has all on *.*'],
    [{ '*.*': ['all privileges'] }, 'only root has all on *.*'],
    [{ shop: ['SELECT'] }, 'expected "*.*"'],
    [{ 'sh`op.*': ['SELECT'] }, 'expected "*.*"'],
    [{ 'shop.*': ['SELECT ON *.* TO root; --'] }, 'expected a privilege'],
    [{ 'shop.*': [] }, 'Too small'],
  ])('%j is refused: %s', (given, problem) => {
    expect(
      JSON.stringify(grants.safeParse(given).error?.issues.map(({ message, ...issue }) => [message, issue])),
    ).toContain(JSON.stringify(problem).slice(1, -1));
  });
});
