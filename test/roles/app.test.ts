import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import app from '../../roles/app/role.ts';
import { Secret, type DatabaseDeclaration, type Declared, type Resource } from '../../src/index.ts';
import { contextOf, hosts, ofType, resourcesOf } from '../../src/testing/index.ts';

let source: string;

beforeAll(() => {
  source = mkdtempSync(join(tmpdir(), 'hostwright-app-'));
  writeFileSync(join(source, 'main.py'), 'print("hello")\n');
});

afterAll(() => {
  rmSync(source, { recursive: true });
});

function variables(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    app_name: 'shop',
    app_source: source,
    app_command: ['/usr/bin/python3', 'main.py'],
    app_database_password: new Secret('geheim'),
    ...more,
  };
}

function resources(more: Readonly<Record<string, unknown>> = {}, declared: readonly Declared[] = []) {
  return resourcesOf(app, { variables: variables(more), declared });
}

function attributesOf(
  all: readonly Resource[],
  type: string,
  key: string,
): Readonly<Record<string, unknown>> {
  const found = all.find(
    (resource) =>
      resource.type.name === type &&
      resource.type.key(resource.type.schema.parse(resource.attributes)) === key,
  );
  if (found === undefined) throw new Error(`there is no ${type} ${key}`);
  return { ...found.attributes };
}

const databases: readonly Declared<DatabaseDeclaration>[] = hosts.slice(1).map((host, index) => ({
  kind: 'database',
  flavor: 'mysql',
  role: index === 0 ? 'primary' : 'replica',
  port: 3306,
  checkPort: 9200,
  host,
}));

describe('the release', () => {
  it('has the name of what is in it, and is what the link names', () => {
    const [one] = ofType(resources(), 'link');
    writeFileSync(join(source, 'more.py'), '');
    const [other] = ofType(resources(), 'link');
    expect(one).toMatchObject({
      path: '/srv/shop/current',
      to: expect.stringMatching(/^releases\/[0-9a-f]{16}$/),
    });
    expect(other).not.toEqual(one);
  });

  it('restarts the service, and is rehearsed, checked as its user and taken back with its environment', () => {
    const service = attributesOf(
      resources({ app_check: ['python3', 'check.py'] }),
      'service',
      'shop.service',
    );
    expect(service).toMatchObject({
      restartOn: ['/srv/shop/current', '/srv/shop/current/.hostwright-release', '/srv/shop/environment'],
      validate: expect.arrayContaining([
        '--reuid=shop',
        'env',
        '-C',
        '/srv/shop/current',
        'python3',
        'check.py',
      ]),
    });
  });

  it('of a git repository brings git, and needs a version', () => {
    const from = { app_source: 'https://example.org/shop.git' };
    expect(
      ofType(resources({ ...from, app_version: '0123456789abcdef0123456789abcdef01234567' }), 'package'),
    ).toContainEqual({ name: 'git' });
    expect(() => resources(from)).toThrow(
      expect.objectContaining({
        code: 'E_VARIABLE',
        message: 'a git repository needs the variable app_version',
      }),
    );
  });
});

describe('the environment', () => {
  const file = (more?: Readonly<Record<string, unknown>>, declared?: readonly Declared[]) =>
    attributesOf(resources(more, declared), 'file', '/srv/shop/environment');

  it('names the databases by their part in the replication, and is a secret', () => {
    const { content, mode, group } = file({ app_database: 'shop' }, databases);
    expect({ mode, group }).toEqual({ mode: '0640', group: 'shop' });
    if (!(content instanceof Secret)) throw new Error('it is no secret');
    expect(content.reveal().split('\n')).toEqual([
      'HOSTWRIGHT_HOST="web1"',
      'PORT="3000"',
      'DATABASE_PRIMARY="10.0.0.2:3306"',
      'DATABASE_REPLICAS="10.0.0.3:3306"',
      'DATABASE_NAME="shop"',
      'DATABASE_USER="shop"',
      'DATABASE_PASSWORD="geheim"',
      'DATABASE_CA="/etc/hostwright/pki/ca.crt"',
      '',
    ]);
  });

  it('names the proxy of its own host, where there is one', () => {
    const proxies = hosts.map((host, index) => ({
      ...{ kind: 'database_proxy', writer: 3307 + 10 * index, reader: 3308 + 10 * index, group: 'app' },
      ...{ host, role: 'database_proxy' },
    }));
    const { content } = file({ app_database: 'shop' }, [...databases, ...proxies]);
    expect(content instanceof Secret && content.reveal()).toContain(
      'DATABASE_WRITER="127.0.0.1:3307"\nDATABASE_READER="127.0.0.1:3308"\n',
    );
  });

  it('is no secret without one, so that a plan shows what changes', () => {
    expect(file({ app_environment: { LEVEL: 3, DEBUG: false } })['content']).toContain(
      'LEVEL="3"\nDEBUG="false"\n',
    );
  });

  it('keeps quotes, dollars and backslashes from systemd', () => {
    const { content } = file({ app_environment: { A: 'a "b" $c `d` \\e' } });
    expect(content).toContain('A="a \\"b\\" \\$c \\`d\\` \\\\e"\n');
  });
});

describe('the unit', () => {
  it('passes every word of the command as it is', () => {
    const { content } = attributesOf(
      resources({ app_command: ['/bin/run', 'a b', '$x %n "q"'] }),
      'unit',
      'shop.service',
    );
    expect(content).toContain('ExecStart="/bin/run" "a b" "$$x %%n \\"q\\""\n');
  });

  it('takes its socket from systemd only where the application can', () => {
    const without = attributesOf(resources(), 'unit', 'shop.socket');
    expect(without).toMatchObject({ absent: true });
    const activated = resources({ app_socket_activation: true, app_port: 4000 });
    expect(attributesOf(activated, 'unit', 'shop.socket')['content']).toContain(
      'ListenStream=127.0.0.1:4000\n',
    );
    const ports = (all: readonly Resource[]): readonly string[] =>
      String(attributesOf(all, 'unit', 'shop.service')['content']).match(/^SocketBind.*$/gm) ?? [];
    expect(ports(resources())).toEqual(['SocketBindDeny=1-65535', 'SocketBindAllow=tcp:3000']);
    expect(ports(activated)).toEqual(['SocketBindDeny=1-65535']);
    expect(attributesOf(activated, 'unit', 'shop.service')['content']).toContain('Requires=shop.socket\n');
  });
});

describe('declarations', () => {
  const declares = (more?: Readonly<Record<string, unknown>>) =>
    app.declares?.(contextOf(app.variables.parse(variables(more)))) ?? [];

  it('tell nginx the port, and mysql the database where there is one', () => {
    expect(declares()).toEqual([{ kind: 'application', port: 3000, unit: 'shop.service' }]);
    expect(declares({ app_database: 'shop', app_database_user: 'clerk' })).toContainEqual({
      kind: 'database_user',
      name: 'clerk',
      database: 'shop',
      password: expect.any(Secret),
      from: 'app',
    });
  });
});

describe('variables', () => {
  it.each([
    ['app_name', 'Shop'],
    ['app_name', '../etc'],
    ['app_command', []],
    ['app_command', 'python3 main.py'],
    ['app_port', 70_000],
    ['app_health_path', 'healthz'],
    ['app_environment', { 'not a name': 'x' }],
    ['app_source', 'https://me:password@example.org/shop.git'],
    ['app_database', "shop'; drop table"],
  ])('refuse %s: %j', (name, value) => {
    const parsed = app.variables.safeParse(variables({ [name]: value }));
    expect(parsed.error?.issues[0]?.path[0]).toBe(name);
  });

  it('all say what they are', () => {
    for (const [name, schema] of Object.entries(app.variables.shape)) {
      expect(schema.description, name).toBeTruthy();
    }
  });
});
