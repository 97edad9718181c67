import { describe, expect, it } from 'vitest';
import apache from '../../roles/apache/role.ts';
import caddy from '../../roles/caddy/role.ts';
import nginx from '../../roles/nginx/role.ts';
import type { ActionHost, Declared, Role } from '../../src/index.ts';
import { contextOf, hosts, ofType, resourcesOf, type RoleCase } from '../../src/testing/index.ts';

const servers: readonly (readonly [string, Role, string])[] = [
  ['nginx', nginx, 'nginx'],
  ['apache', apache, 'apache2'],
  ['caddy', caddy, 'caddy'],
];

const declared = hosts.flatMap((host): Declared[] => [
  { kind: 'application', port: 3000, unit: 'visits.service', host, role: 'app' },
  { kind: 'backend', port: 8443, healthPath: '/healthz', host, role: 'x' },
]);

const of = (role: Role, web_server: string, given: RoleCase = {}) =>
  resourcesOf(role, { declared, variables: { web_server }, ...given });

function context(role: Role, variables: object) {
  return contextOf<Record<string, unknown>>(role.variables.parse(variables), { declared });
}

const file = (path: string, role: Role, given?: RoleCase): string =>
  String(
    ofType(of(role, role.name, given), 'file').flatMap((one) =>
      'path' in one && one.path === path && 'content' in one ? one.content : [],
    )[0],
  );

describe.each(servers)('%s', (name, role, unit) => {
  it('declares nothing where another web server is chosen', () => {
    const other = name === 'nginx' ? 'caddy' : 'nginx';
    const given = context(role, { web_server: other });
    expect(of(role, other)).toEqual([]);
    expect(role.declares?.(given)).toEqual([]);
    expect(role.listens?.(given)).toEqual([]);
  });

  it('says which role is missing where no play gives the host the chosen one', () => {
    const other = name === 'nginx' ? 'caddy' : 'nginx';
    const alone = declared.filter(({ kind }) => kind === 'application');
    expect(() => of(role, other, { declared: alone })).toThrow(
      expect.objectContaining({
        code: 'E_ROLE',
        message: `no play gives web1 the role ${other}, its web server`,
      }),
    );
  });

  it('is a backend for the balancers alone, with the one certificate of all web servers', () => {
    const variables = { web_server: name, [`${name}_port`]: 9443, app_health_path: '/up' };
    const given = context(role, variables);
    expect(role.listens?.(given)).toContainEqual({
      ...{ port: 9443, from: { group: 'lb' }, why: 'requests from the balancer' },
    });
    const all = role.declares?.(given);
    expect(all).toContainEqual(expect.objectContaining({ kind: 'certificate', name: 'nginx' }));
    expect(all).toContainEqual(expect.objectContaining({ kind: 'backend', port: 9443, healthPath: '/up' }));
  });

  it('stops before the application, and not for others that run without it', () => {
    const [text] = ofType(of(role, name), 'unit').map((one) => ('content' in one ? String(one.content) : ''));
    expect(text).toContain('After=visits.service\n');
    const service = ofType(of(role, name), 'service');
    expect(service).toHaveLength(1);
    expect(service[0]).toMatchObject({ name: unit, replaces: [] });
  });

  it('takes the place of those that Hostwright has set up there, and puts them away after it works', () => {
    const others = servers.filter(([other]) => other !== name).map(([, , other]) => other);
    const applied = others.map((other) => `unit:${other}.service.d/hostwright.conf` as const);
    const resources = of(role, name, { applied });
    const services = resources.filter(({ type }) => type.name === 'service');
    expect(services[0]?.attributes).toMatchObject({
      name: unit,
      replaces: others.map((other) => `${other}.service`),
    });
    for (const other of others) {
      const stopped = services.find(({ attributes }) => 'name' in attributes && attributes.name === other);
      expect(stopped?.attributes).toMatchObject({ running: false, enabled: false });
      expect(stopped?.needs).toContain(`service:${unit}.service`);
      const dropIn = resources.find(
        ({ type, attributes }) =>
          type.name === 'unit' && 'name' in attributes && attributes.name === `${other}.service`,
      );
      expect(dropIn?.attributes).toMatchObject({ dropIn: 'hostwright', absent: true });
      expect(dropIn?.needs).toEqual([`service:${other}.service`]);
    }
  });

  it.each([
    ['port', 0],
    ['body_size', '8 MB'],
    ['clients', []],
    ['clients', ["x' 1; default"]],
  ])('refuses its %s: %j', (setting, value) => {
    const result = role.variables.safeParse({ [`${name}_${setting}`]: value });
    expect(result.error?.issues[0]?.path[0]).toBe(`${name}_${setting}`);
  });

  it('refuses to take out of service what is another web server', async () => {
    const other = name === 'nginx' ? 'caddy' : 'nginx';
    const [first] = hosts;
    if (first === undefined) throw new Error('no host');
    const host: ActionHost = {
      ...first,
      vars: role.variables.parse({ web_server: other }),
      run: () => Promise.reject(new Error('asked')),
    };
    const action = role.actions?.['drain'];
    const asked = { args: { minutes: 1, last: false }, host, hosts: [host], site: context(role, {}).site };
    await expect((async () => await action?.plan?.(asked as never))()).rejects.toMatchObject({
      code: 'E_REFUSED',
      hint: `hostwright do ${other} drain web1`,
    });
  });
});

describe('what is said in the words of each', () => {
  it('limits bodies by their bytes', () => {
    const variables = (role: Role) => ({ web_server: role.name, [`${role.name}_body_size`]: '1k' });
    expect(file('/etc/apache2/apache2.conf', apache, { variables: variables(apache) })).toContain(
      '-gt 1024"',
    );
    expect(file('/etc/caddy/Caddyfile', caddy, { variables: variables(caddy) })).toContain('max_size 1024');
  });

  it('lets in those with a certificate of a name, each of them', () => {
    const variables = (role: Role) => ({ web_server: role.name, [`${role.name}_clients`]: ['a', 'b'] });
    expect(
      file('/etc/apache2/apache2.conf', apache, { variables: variables(apache) }).match(/CN} == '.'/g),
    ).toEqual(["CN} == 'a'", "CN} == 'b'"]);
    expect(file('/etc/caddy/Caddyfile', caddy, { variables: variables(caddy) })).toContain(
      '@stranger not vars {tls_client_subject} CN=a CN=b\n',
    );
  });

  it('believes nobody about the address of a visitor where there is no balancer', () => {
    const alone = hosts.map((host) => ({ ...host, groups: ['web', 'app'] }));
    expect(file('/etc/apache2/apache2.conf', apache, { hosts: alone })).not.toContain('RemoteIPHeader');
    expect(file('/etc/caddy/Caddyfile', caddy, { hosts: alone })).toContain(
      '\trequest_header X-Forwarded-For {remote_host}\n',
    );
  });
});
