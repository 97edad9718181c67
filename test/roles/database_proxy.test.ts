import { describe, expect, test } from 'vitest';
import proxy from '../../roles/database_proxy/role.ts';
import type { DatabaseDeclaration, Declared } from '../../src/index.ts';
import type { Listen } from '../../src/roles/role.ts';
import { contextOf, hosts, ofType, resourcesOf, type RoleCase } from '../../src/testing/index.ts';

const databases: readonly Declared<DatabaseDeclaration>[] = hosts.slice(1).map((host, index) => ({
  kind: 'database',
  flavor: 'mysql',
  role: index === 0 ? 'primary' : 'replica',
  port: 3306 + index,
  checkPort: 9200 + index,
  host,
}));

function configuration(given: RoleCase = {}): string {
  const [file] = ofType(resourcesOf(proxy, { declared: databases, ...given }), 'file');
  return file !== undefined && 'content' in file ? String(file.content) : '';
}

const derived = (given: RoleCase) => proxy.derives?.(contextOf(proxy.variables.parse({}), given));

describe('the role database_proxy', () => {
  test('asks every server what it may be used for, whatever the inventory calls it', () => {
    const text = configuration();
    const servers = [...text.matchAll(/^ {4}server (.* check .*)$/gm)].map(([, line]) => line);
    expect(servers).toEqual([
      ...['web2 10.0.0.2:3306 check port 9200', 'web3 10.0.0.3:3307 check port 9201'],
      ...['web2 10.0.0.2:3306 check port 9200', 'web3 10.0.0.3:3307 check port 9201'],
    ]);
    const promoted = databases.map((one) => ({ ...one, role: 'replica' as const }));
    expect(configuration({ declared: promoted })).toBe(text);
  });

  test('uses one server of several that take writes, another one only while that one does not', () => {
    const cluster = databases.map((one, index) => ({ ...one, isPreferred: index === 1 }));
    const [, , , writer = '', reader = ''] = configuration({ declared: cluster }).split(/^backend /m);
    const servers = (text: string) => [...text.matchAll(/check port \d+(.*)$/gm)].map(([, more]) => more);
    expect(servers(writer)).toEqual([' backup', ' on-marked-up shutdown-backup-sessions']);
    expect(servers(reader)).toEqual(['', '']);
  });

  test('ends what waits for a server that does not greet', () => {
    const parts = configuration().split(/^(?=frontend|backend)/m);
    for (const port of [3307, 3308]) {
      const [, to = ''] =
        /default_backend (\S+)/.exec(parts.find((part) => part.includes(`:${port}`)) ?? '') ?? [];
      const backend = parts.find((part) => part.startsWith(`backend ${to}\n`)) ?? '';
      expect(backend).toMatch(/tcp-response inspect-delay 2s[^]*content reject/);
      const [, inner = ''] = /server \S+ (abns@\S+)/.exec(backend) ?? [];
      expect(parts.filter((part) => part.includes(`bind ${inner}\n`))).toHaveLength(1);
    }
  });

  test('listens on this host alone', () => {
    const binds = [...configuration().matchAll(/^ *bind (\S+)$/gm)].map(([, where = '']) => where);
    expect(binds.filter((where) => !where.startsWith('abns@'))).toEqual(['127.0.0.1:3307', '127.0.0.1:3308']);
    expect(proxy.listens).toBeUndefined();
  });

  test('is nothing where there is one server, or none', () => {
    for (const declared of [[], databases.slice(0, 1)]) {
      expect(resourcesOf(proxy, { declared })).toEqual([]);
      expect(derived({ declared })).toEqual([]);
    }
    expect(derived({ declared: databases })).toEqual([
      { kind: 'database_proxy', writer: 3307, reader: 3308, group: 'app' },
    ]);
  });

  test("keeps Debian's own HAProxy from running, but not that of a balancer", () => {
    const balancer: Listen & { readonly role: string } = {
      ...{ port: 443, from: 'internet', why: 'the site', role: 'haproxy' },
    };
    const services = (listens: readonly (Listen & { readonly role: string })[]) =>
      ofType(resourcesOf(proxy, { declared: databases, listens }), 'service');
    expect(services([])).toContainEqual(
      expect.objectContaining({ name: 'haproxy', running: false, enabled: false }),
    );
    expect(services([balancer])).toEqual([expect.objectContaining({ name: 'haproxy-mysql' })]);
  });
});
