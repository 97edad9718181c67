import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import mysql from '../../roles/mysql/role.ts';
import { sh, z } from '../../src/index.ts';
import { openRoot, type Root } from '../../src/testing/index.ts';
import { ofType, resourcesOf } from '../../src/testing/index.ts';

const passwords = {
  mysql_replication_password: 'Repl1',
  mysql_seed_password: 'Seed1',
  mysql_observer_password: 'Obs1',
};
const [server] = ofType(
  resourcesOf(mysql, { host: 'web2', facts: { addresses: ['10.0.0.2'] }, variables: passwords }),
  'package',
);
const { afterFailure } = z.object({ afterFailure: z.array(z.string()) }).parse(server);

/** What MySQL 9.7 says; the shutdown came before the system views. */
const log = {
  initialization:
    '2026-11-21T06:06:24.2Z 0 [System] [MY-015017] [Server] MySQL Server Initialization - start.',
  views: '2026-11-21T06:06:26.1Z 0 [ERROR] [MY-010943] [Server] System views initialization failed.',
  unusable:
    '2026-11-21T06:06:26.1Z 0 [ERROR] [MY-013236] [Server] The designated data directory /var/lib/mysql/ is unusable. You can remove all files that the server added to it.',
  notEmpty:
    '2026-11-21T06:06:24.2Z 0 [ERROR] [MY-010457] [Server] --initialize specified but the data directory has files in it. Aborting.',
  start: '2026-11-21T06:06:35.0Z 0 [System] [MY-015015] [Server] MySQL Server - start.',
  end: '2026-11-21T06:06:29.6Z 0 [System] [MY-015018] [Server] MySQL Server Initialization - end.',
};

let root: Root;

beforeAll(async () => {
  root = await openRoot();
});

afterAll(async () => {
  await root.close();
});

beforeEach(async () => {
  await root.ask(sh`rm -rf /var/lib/mysql /var/log/mysql
mkdir -p /var/lib/mysql/mysql /var/lib/mysql/sys /var/lib/mysql/performance_schema '/var/lib/mysql/#innodb_redo' /var/log/mysql
touch /var/lib/mysql/ibdata1 /var/lib/mysql/auto.cnf`);
});

/** How much is left in /var/lib/mysql after the package could not be installed. */
async function left(...said: readonly string[]): Promise<number> {
  await root.ask(sh`printf '%s\n' ${said} >/var/log/mysql/error.log; ${afterFailure} >&2`);
  return Number(await root.ask(sh`find /var/lib/mysql -mindepth 1 | wc -l`));
}

describe('the data of MySQL, when its package could not be configured', () => {
  test('go where the initialization that made them has failed', async () => {
    expect(await left(log.initialization, log.views, log.unusable, log.end)).toBe(0);
  });

  test.each([
    ['no log is there', []],
    ['the initialization went well', [log.initialization, log.end]],
    ['they were there before', [log.initialization, log.notEmpty, log.unusable, log.end]],
    ['a server has run on them since', [log.initialization, log.views, log.unusable, log.end, log.start]],
  ])('stay where %s', async (_, said) => {
    expect(await left(...said)).toBe(6);
  });

  test('stay where there is a database among them', async () => {
    await root.ask(sh`mkdir /var/lib/mysql/shop`);
    expect(await left(log.initialization, log.views, log.unusable, log.end)).toBe(7);
  });

  test('stay where the package has been configured before', async () => {
    await root.ask(
      sh`printf '%s\n' 'Package: mysql-server' 'Status: install ok half-configured' 'Priority: optional' 'Architecture: all' 'Version: 9.7.4-2' 'Config-Version: 9.7.4-1' 'Maintainer: nobody <nobody@example.org>' 'Description: a database' '' >>/var/lib/dpkg/status`,
    );
    expect(await left(log.initialization, log.views, log.unusable, log.end)).toBe(6);
  });
});
