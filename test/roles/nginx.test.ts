import { describe, expect, it } from 'vitest';
import nginx from '../../roles/nginx/role.ts';
import type { Declared } from '../../src/index.ts';
import { contextOf, hosts, ofType, resourcesOf, type RoleCase } from '../../src/testing/index.ts';

const application = hosts.map((host): Declared => ({
  ...{ kind: 'application', port: 3000, unit: 'app.service' },
  ...{ host, role: 'app' },
}));

function resources(given: RoleCase = {}) {
  return resourcesOf(nginx, { declared: application, ...given });
}

function text(path: string, given: RoleCase = {}): string {
  const found = ofType(resources(given), 'file').find((file) => 'path' in file && file.path === path);
  return found !== undefined && 'content' in found ? String(found.content) : '';
}

const site = (given?: RoleCase) => text('/etc/nginx/sites-available/app', given);

describe('the site', () => {
  it('passes requests to the application of the same host', () => {
    const declared = application.map((one, index) => ({ ...one, port: 3000 + index }));
    expect(site({ declared, host: 'web2' })).toContain('server 127.0.0.1:3001 ');
  });

  it('believes only the balancers about the address of a client', () => {
    expect(site().match(/set_real_ip_from .*/g)).toEqual(['set_real_ip_from 10.0.0.1;']);
  });

  it('lets in nobody without a certificate of the CA, and of those only the balancer', () => {
    expect(site()).toContain('ssl_verify_client on;');
    expect(site().match(/'CN=.*/g)).toEqual(["'CN=haproxy' 1;"]);
    expect(site({ variables: { nginx_clients: ['a', 'b'] } }).match(/'CN=.*/g)).toEqual([
      "'CN=a' 1;",
      "'CN=b' 1;",
    ]);
  });

  it('listens on IPv6 where the kernel can, in use or not', () => {
    expect(site({ facts: { ipv6: 'none' } })).not.toContain('listen [::]');
    expect(site({ facts: { ipv6: 'off' } })).toContain('listen [::]:8443 ssl');
  });

  it('limits requests of one client unless told not to', () => {
    expect(site()).toContain('limit_conn clients 200;');
    expect(site({ variables: { nginx_requests_per_client: 0 } })).not.toContain('limit_conn');
  });

  it('compresses files but no page, whose length would tell its secrets, unless told to', () => {
    const settings = (given?: RoleCase) => text('/etc/nginx/nginx.conf', given);
    expect(settings()).toContain('gzip off;');
    expect(site()).toMatch(/location ~\* \\\.\(\?:css\|js.*\)\$ \{\s+gzip on;/);
    expect(settings({ variables: { nginx_compress_pages: true } })).toContain('gzip on;');
  });

  it('asks the application for its health', () => {
    expect(site({ variables: { app_health_path: '/up' } })).toMatch(
      /location = \/up \{[^}]+\}\s+proxy_pass http:\/\/app;/,
    );
  });

  it('says 404 to balancers only while it is out of service, whatever the application says', () => {
    expect(site()).toMatch(/if \(-f \/run\/hostwright-drain\/web\) \{\s+rewrite \^ \/out-of-service last;/);
    expect(site()).toMatch(/location = \/out-of-service \{\s+internal;\s+access_log off;\s+return 404;/);
    expect(site()).toMatch(/proxy_intercept_errors on;\s+error_page 404 =502 @unhealthy;/);
  });
});

describe('the service', () => {
  it('is checked as a whole tree, and waits for its certificate', () => {
    const service = resources().find((resource) => resource.type.name === 'service');
    expect(service?.needs).toContain('host_certificate:nginx');
    expect(service?.attributes).toMatchObject({
      reloadOn: ['/etc/nginx', '/etc/hostwright/pki/nginx.crt', '/etc/hostwright/pki/ca.crt'],
      validate: ['nginx', '-t', '-q'],
    });
  });

  it('reads nothing that nobody declares, but modules of packages', () => {
    const exclusive = (given?: RoleCase) =>
      ofType(resources(given), 'directory').filter((folder) => 'exclusive' in folder);
    const expected = (keep: string) =>
      ['conf.d', 'modules-enabled', 'sites-enabled'].map((name) => ({
        ...{ path: `/etc/nginx/${name}`, exclusive: true, keep: [keep] },
      }));
    expect(exclusive()).toMatchObject(expected('*-mod-*.conf'));
    expect(exclusive({ variables: { nginx_keep: ['own.conf'] } })).toEqual(expected('own.conf'));
  });
});

it('says where an application is missing', () => {
  expect(() => resources({ declared: [] })).toThrow(
    expect.objectContaining({ code: 'E_ROLE', place: { host: 'web1' } }),
  );
});

it('opens its port for the balancers alone, and is a backend of theirs', () => {
  const context = contextOf(nginx.variables.parse({ nginx_port: 9443, app_health_path: '/up' }));
  expect(nginx.listens?.(context)).toEqual([
    { port: 9443, from: { group: 'lb' }, why: 'requests from the balancer' },
  ]);
  expect(nginx.declares?.(context)).toMatchObject([
    { kind: 'certificate', name: 'nginx' },
    { kind: 'backend', port: 9443, healthPath: '/up', drain: { name: 'web' } },
    { kind: 'request_log', path: '/var/log/nginx/access.log' },
    { kind: 'metrics', of: 'nginx', url: 'http://127.0.0.1:8081/stub_status' },
  ]);
});

it.each([
  ['nginx_port', 0],
  ['nginx_body_size', '8 MB'],
  ['nginx_body_size', '8m; server { listen 80; }'],
  ['nginx_clients', []],
  ['nginx_clients', ["x' 1; default"]],
  ['app_health_path', '/a; return 200'],
])('refuses %s: %j', (name, value) => {
  expect(nginx.variables.safeParse({ [name]: value }).error?.issues[0]?.path[0]).toBe(name);
});

describe('the journal', () => {
  it('gets what fails and what is slow, or all of it', () => {
    const main = (given?: RoleCase) => text('/etc/nginx/nginx.conf', given);
    expect(main()).toContain('json if=$for_journal;');
    expect(main()).toContain('access_log /var/log/nginx/access.log json;');
    const all = main({ variables: { nginx_journal: 'all' } });
    expect(all).toContain('access_log syslog:server=unix:/dev/log,nohostname,tag=nginx json;');
    expect(all).not.toContain('$for_journal');
  });
});
