import { describe, expect, test } from 'vitest';
import mysql from '../../roles/mysql/role.ts';
import { Secret } from '../../src/index.ts';
import type { Resource } from '../../src/resources/resource.ts';
import type { Declared } from '../../src/roles/role.ts';
import { generatorOf } from '../../src/secrets/schema.ts';
import { contextOf, hosts, ofType, resourcesOf, type RoleCase } from '../../src/testing/index.ts';

// web2 and web3 are in the group db: web2 is the primary.
const passwords = {
  mysql_replication_password: 'Repl1',
  mysql_seed_password: 'Seed1',
  mysql_observer_password: 'Obs1',
};

function on(host: string, given: RoleCase = {}): readonly Resource[] {
  const address = hosts.find(({ name }) => name === host)?.address ?? '';
  return resourcesOf(mysql, {
    host,
    facts: { addresses: [address] },
    ...given,
    variables: { ...passwords, ...given.variables },
  });
}

function settings(resources: readonly Resource[]): string {
  const file = ofType(resources, 'file').find(
    (one) => 'path' in one && String(one.path).endsWith('/zz-hostwright.cnf'),
  );
  return file !== undefined && 'content' in file ? String(file.content) : '';
}

function users(resources: readonly Resource[]): readonly string[] {
  return ofType(resources, 'mysql_user').flatMap((user) =>
    'absent' in user || !('name' in user) || !('host' in user)
      ? []
      : [`${String(user.name)}@${String(user.host)}`],
  );
}

const [web1] = hosts;
if (web1 === undefined) throw new Error('no hosts');
const shop: Declared = {
  kind: 'database_user',
  name: 'shop',
  database: 'shop',
  password: new Secret('Shop1'),
  from: 'app',
  host: web1,
  role: 'app',
};

describe('the role mysql', () => {
  test('makes the first host of db the primary, which alone makes users and databases', () => {
    const [primary, replica] = [on('web2', { declared: [shop] }), on('web3', { declared: [shop] })];
    expect(ofType(primary, 'mysql_replica')).toEqual([]);
    expect(ofType(replica, 'mysql_replica')).toMatchObject([{ primary: 'web2', address: '10.0.0.2' }]);
    expect([...ofType(replica, 'mysql_user'), ...ofType(replica, 'mysql_database')]).toEqual([]);
    expect(users(primary)).toEqual([
      ...['observer', 'replication', 'seed'].flatMap((name) => [`${name}@10.0.0.2`, `${name}@10.0.0.3`]),
      'prometheus@localhost',
      'shop@10.0.0.1',
      'shop@10.0.0.2',
      'shop@10.0.0.3',
    ]);
  });

  test('lets no file open a server, and has each opened by another that follows it', () => {
    for (const flavor of ['mysql', 'mariadb']) {
      for (const host of ['web2', 'web3']) {
        const resources = on(host, { variables: { mysql_flavor: flavor } });
        expect(settings(resources)).toMatch(
          flavor === 'mysql' ? /^super_read_only = ON$/m : /^read_only = ON$/m,
        );
        expect(settings(resources)).not.toMatch(/read_only = OFF/);
        expect(ofType(resources, 'service')).toContainEqual(
          expect.objectContaining({ name: 'mysql-open.service' }),
        );
        expect(ofType(resources, 'unit')).toMatchObject([
          { content: expect.stringContaining(`PartOf=${flavor}.service`) as unknown },
        ]);
      }
    }
    const opens = ofType(on('web3', { variables: { mysql_durability: 'strict' } }), 'file').map((file) =>
      'content' in file ? String(file.content) : '',
    );
    expect(opens).toContainEqual(
      expect.stringContaining(
        'self=10.0.0.3:3306\npatience=18446744073709551615\nserver web2 10.0.0.2 3306\n',
      ),
    );
  });

  test('has commits wait for a replica that says that it has them, where there is one', () => {
    const [primary, replica] = [on('web2'), on('web3')];
    expect(settings(primary)).toMatch(/^rpl_semi_sync_source_wait_point = AFTER_SYNC$/m);
    expect(settings(replica)).toMatch(/^rpl_semi_sync_replica_enabled = ON$/m);
    expect(ofType(primary, 'mysql_primary')).toMatchObject([
      {
        durability: 'fallback',
        others: { self: '10.0.0.2:3306', user: 'observer', servers: [{ name: 'web3', address: '10.0.0.3' }] },
      },
    ]);
    expect(ofType(replica, 'mysql_replica')).toMatchObject([{ semiSync: true }]);
    const alone = on('web2', { hosts: hosts.filter(({ name }) => name !== 'web3') });
    expect(ofType(alone, 'mysql_primary')).toEqual([{ name: 'web2', flavor: 'mysql' }]);
    expect(users(alone)).toEqual(['prometheus@localhost']);
  });

  test('keeps what a replica has received and not yet applied over a crash', () => {
    for (const flavor of ['mysql', 'mariadb']) {
      const text = settings(on('web3', { variables: { mysql_flavor: flavor } }));
      expect(text).toContain('relay_log_recovery = OFF\n');
      expect(text).toContain('sync_relay_log = 1\n');
    }
  });

  test('follows mysql_primary, and says which hosts it may name', () => {
    const variables = { mysql_primary: 'web3' };
    expect(ofType(on('web2', { variables }), 'mysql_replica')).toMatchObject([{ primary: 'web3' }]);
    expect(() => on('web2', { variables: { mysql_primary: 'web1' } })).toThrow(
      'web1, which is not in the group db',
    );
    expect(() => on('web1', { hosts: [web1] })).toThrow('needs a host in the group db');
  });

  test('declares to others where the primary is, what listens, and its certificate', () => {
    const context = contextOf(mysql.variables.parse(passwords), { host: 'web3' });
    expect(mysql.declares?.(context)).toMatchObject([
      { kind: 'certificate', name: 'mysql', group: 'mysql' },
      { kind: 'database', flavor: 'mysql', role: 'replica', port: 3306, checkPort: 9200 },
      { kind: 'metrics', of: 'mysql' },
    ]);
    expect(mysql.listens?.(context)).toMatchObject([
      { port: 3306, from: { group: 'app' } },
      { port: 3306, from: { group: 'db' } },
    ]);
  });

  test('tells who may write only where a proxy asks, and only its group', () => {
    const ofCheck = (given: RoleCase): readonly string[] => [
      ...['unit', 'service'].flatMap((type) =>
        ofType(on('web3', given), type).flatMap((one) => ('name' in one ? String(one.name) : [])),
      ),
      ...users(on('web2', given)),
    ];
    expect(ofCheck({}).filter((name) => name.startsWith('mysql-writer'))).toEqual([]);
    const proxy: Declared = {
      ...{ kind: 'database_proxy', writer: 3307, reader: 3308, group: 'shops' },
      ...{ host: web1, role: 'database_proxy' },
    };
    for (const flavor of ['mysql', 'mariadb']) {
      const given = { declared: [proxy], variables: { mysql_flavor: flavor } };
      expect(ofCheck(given).filter((name) => name.startsWith('mysql-writer'))).toEqual([
        ...['mysql-writer.service', 'mysql-writer.socket', 'mysql-writer.socket', 'mysql-writer'],
        'mysql-writer@localhost',
      ]);
    }
    const socket = ofType(on('web3', { declared: [proxy] }), 'unit').map((one) =>
      'content' in one ? String(one.content) : '',
    );
    expect(socket.join('')).toContain('ListenStream=10.0.0.3:9200\n');
    const context = contextOf(mysql.variables.parse(passwords), { host: 'web3', declared: [proxy] });
    expect(mysql.listens?.(context)).toContainEqual(
      expect.objectContaining({ port: 9200, from: { group: 'shops' } }),
    );
  });

  test('gives the replication a certificate, and no more than it needs', () => {
    expect(ofType(on('web2'), 'mysql_user')).toContainEqual(
      expect.objectContaining({ name: 'replication', tls: 'x509', grants: { '*.*': ['REPLICATION SLAVE'] } }),
    );
    for (const flavor of ['mysql', 'mariadb']) {
      for (const user of ofType(on('web2', { variables: { mysql_flavor: flavor } }), 'mysql_user')) {
        expect(JSON.stringify(user)).not.toMatch(/"ALL|SUPER|GRANT OPTION/);
      }
    }
  });

  test('listens on the address of the host and nowhere else, over TLS', () => {
    for (const flavor of ['mysql', 'mariadb']) {
      const text = settings(on('web2', { variables: { mysql_flavor: flavor } }));
      expect(text).toContain('bind_address = 10.0.0.2\n');
      expect(text).toContain('require_secure_transport = ON');
    }
    // Behind a translation of addresses the host does not carry the one that others use.
    expect(settings(on('web2', { facts: { addresses: ['192.168.0.9'] } }))).toContain('bind_address = *\n');
  });

  test('gives each server a number of its own that does not change', () => {
    const number = (text: string): string | undefined => /^server_id = (\d+)$/m.exec(text)?.[1];
    const [first, second] = [number(settings(on('web2'))), number(settings(on('web3')))];
    expect(first).not.toBe(second);
    expect(number(settings(on('web2', { hosts: hosts.toReversed() })))).toBe(first);
    const twin = { mysql_server_id: Number(second) };
    expect(() => on('web2', { variables: twin })).toThrow('web2 and web3 get the same server id');
  });

  test('sizes the buffer pool by the memory, in steps, unless it is told', () => {
    const pool = (given: RoleCase): string | undefined =>
      /^innodb_buffer_pool_size = (.+)$/m.exec(settings(on('web2', given)))?.[1];
    expect(pool({ facts: { memory: 4 * 2 ** 30 } })).toBe('1024M');
    expect(pool({ facts: { memory: 4 * 2 ** 30 - 70_000_000 } })).toBe('896M');
    expect(pool({ facts: { memory: 256 * 2 ** 20 } })).toBe('128M');
    expect(pool({ variables: { mysql_innodb_buffer_pool_size: '3G' } })).toBe('3G');
  });

  test('puts other settings behind its own, so that they win', () => {
    const text = settings(
      on('web2', { variables: { mysql_settings: { max_connections: 9, slow_query_log: true } } }),
    );
    expect(text.lastIndexOf('max_connections = 9')).toBeGreaterThan(text.indexOf('max_connections = 200'));
    expect(text).toContain('slow_query_log = ON\n');
  });

  test('takes mysql from sid at low priority, and mariadb from the release', () => {
    expect(ofType(on('web2'), 'apt_repository')).toMatchObject([{ name: 'sid', pin: { priority: 50 } }]);
    expect(ofType(on('web2'), 'package')).toMatchObject([{ name: 'mysql-server', release: 'sid' }]);
    const mariadb = on('web2', { variables: { mysql_flavor: 'mariadb' } });
    expect(ofType(mariadb, 'apt_repository')).toEqual([]);
    expect(ofType(mariadb, 'package')).toMatchObject([{ name: 'mariadb-server' }]);
  });

  test('takes mysql from a repository that is named: its own packages in every version, and no other', () => {
    const mysql_repository = {
      uri: 'https://repo.mysql.com/apt/debian',
      components: ['mysql-9.7-lts'],
      key: '/usr/share/keyrings/mysql.gpg',
      origin: 'MySQL',
    };
    const made = on('web2', { facts: { codename: 'trixie' }, variables: { mysql_repository } });
    expect(ofType(made, 'apt_repository')).toMatchObject([
      {
        name: 'mysql',
        uris: ['https://repo.mysql.com/apt/debian'],
        suites: ['trixie'],
        components: ['mysql-9.7-lts'],
        signedBy: '/usr/share/keyrings/mysql.gpg',
        pin: { release: 'o=MySQL', priority: 990, others: -1, packages: expect.arrayContaining(['mysql-*']) },
      },
    ]);
    const [server] = ofType(made, 'package');
    expect(server).toMatchObject({ name: 'mysql-community-server' });
    expect(server).not.toHaveProperty('release');
    expect(JSON.stringify(server)).toContain("dpkg-query -W -f '${Config-Version}' mysql-community-server");
  });

  test('lets AppArmor have the server read its certificate, before the package loads its profile', () => {
    const made = on('web2');
    const rules = 'file:/etc/apparmor.d/abstractions/mysql.d/hostwright';
    expect(made.find(({ type }) => type.name === 'package')?.needs).toContain(rules);
    const text = ofType(made, 'file').find((one) => 'path' in one && rules.endsWith(String(one.path)));
    for (const name of ['ca.crt', 'mysql.crt', 'mysql.key']) {
      expect(text).toMatchObject({ content: expect.stringContaining(`/etc/hostwright/pki/${name} r,`) });
    }
    const mariadb = ofType(on('web2', { variables: { mysql_flavor: 'mariadb' } }), 'file');
    expect(JSON.stringify(mariadb)).not.toContain('apparmor');
  });

  test('validates a configuration as the user of the server, and takes up a certificate without a restart', () => {
    const validates = {
      mysql: [
        'sh',
        '-euc',
        expect.stringMatching(/\nexec runuser -u mysql -- mysqld [^\n]*--validate-config$/),
      ],
      mariadb: expect.arrayContaining(['runuser', 'mysql']),
    };
    for (const [flavor, validate] of Object.entries(validates)) {
      const [service] = ofType(on('web2', { variables: { mysql_flavor: flavor } }), 'service');
      expect(service).toMatchObject({
        restartOn: ['/etc/mysql', '/etc/my.cnf', '/etc/alternatives/my.cnf'],
        reloadOn: ['/etc/hostwright/pki/mysql.crt', '/etc/hostwright/pki/ca.crt'],
        validate,
      });
    }
  });

  test('makes what the variables name: databases, users of a group and of an address', () => {
    const resources = on('web2', {
      variables: {
        mysql_databases: ['logs', { name: 'shop', charset: 'latin1' }],
        mysql_users: [
          { name: 'report', password: 'R1', from: 'db', grants: { 'shop.*': ['SELECT'] } },
          { name: 'backup', password: 'B1', address: '10.0.9.%', grants: { '*.*': ['SELECT'] } },
        ],
      },
    });
    expect(ofType(resources, 'mysql_database')).toMatchObject([
      { name: 'logs' },
      { name: 'shop', charset: 'latin1' },
      { name: 'test', absent: true },
    ]);
    expect(users(resources)).toEqual(
      expect.arrayContaining(['report@10.0.0.2', 'report@10.0.0.3', 'backup@10.0.9.%']),
    );
  });

  test('a host that is known by name only may connect from any address', () => {
    const byName = hosts.map((host) => ({ ...host, address: `${host.name}.internal` }));
    expect(users(on('web2', { hosts: byName, declared: [shop] }))).toContain('shop@%');
  });

  test('a database named test is kept where somebody declares it', () => {
    const databases = ofType(on('web2', { variables: { mysql_databases: ['test'] } }), 'mysql_database');
    expect(databases).toEqual([{ name: 'test', flavor: 'mysql' }]);
  });

  test('its own passwords are made on first use', async () => {
    const { shape } = mysql.variables;
    for (const schema of [
      shape.mysql_replication_password,
      shape.mysql_seed_password,
      shape.mysql_observer_password,
    ]) {
      // CHANGE REPLICATION SOURCE takes 32 characters at most.
      expect(await generatorOf(schema)?.()).toMatch(/^\w{20,32}$/);
    }
  });

  test.each([
    [{ mysql_flavor: 'postgres' }],
    [{ mysql_port: 0 }],
    [{ mysql_innodb_buffer_pool_size: 'big' }],
    [{ mysql_settings: { 'a b': 1 } }],
    [{ mysql_settings: { general_log_file: 'x\nuser = root' } }],
    [{ mysql_users: [{ name: 'a', password: 'x', grants: {} }] }],
  ])('refuses %j', (variables) => {
    expect(mysql.variables.safeParse({ ...passwords, ...variables }).success).toBe(false);
  });

  test('has in force what its option file says, with the settings of the user and of no plugin', () => {
    const given = { variables: { mysql_settings: { 'max-connections': 9, init_connect: 'SET a = 1' } } };
    const [declared] = ofType(on('web2', given), 'mysql_settings');
    const found = declared !== undefined && 'settings' in declared ? (declared.settings as object) : {};
    expect(found).toMatchObject({
      max_connections: '9',
      init_connect: 'SET a = 1',
      require_secure_transport: 'ON',
      log_bin: 'binlog',
    });
    expect(Object.keys(found)).not.toContain('plugin_load_add');
  });
});
