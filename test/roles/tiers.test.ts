import { describe, expect, it } from 'vitest';
import proxy from '../../roles/app_proxy/role.ts';
import tls from '../../roles/app_tls/role.ts';
import type { Declaration, Declared } from '../../src/roles/role.ts';
import { contextOf, hosts, ofType, resourcesOf } from '../../src/testing/index.ts';

const [web1, web2, web3] = hosts;

function on(host: (typeof hosts)[number] | undefined, declaration: Declaration): Declared {
  if (host === undefined) throw new TypeError('no such host');
  return { role: 'other', ...declaration, host };
}

const web = (host: typeof web1) =>
  on(host, { kind: 'backend', port: 8443, healthPath: '/healthz', role: 'nginx' });
const app = (host: typeof web1) => on(host, { kind: 'application', port: 3000, unit: 'shop.service' });
const door = (host: typeof web1) => on(host, { kind: 'application_tls', port: 9443, healthPath: '/healthz' });
const compact = [web1, web2, web3].flatMap((host) => [web(host), app(host)]);
const tiered = [web(web1), app(web2), app(web3)];

function textOf(resources: readonly object[]): string {
  return resources.map((one) => ('content' in one ? String(one.content) : '')).join('\n');
}

describe('web servers that have the application on their own host', () => {
  it('need no way to others', () => {
    for (const role of [proxy, tls]) {
      expect(resourcesOf(role, { declared: compact })).toEqual([]);
      expect(role.derives?.(contextOf(role.variables.parse({}) as never, { declared: compact }))).toEqual([]);
    }
    expect(tls.listens?.(contextOf(tls.variables.parse({}), { declared: compact }))).toEqual([]);
  });
});

describe('an application on another host than the web server', () => {
  it('is reached over TLS by web servers alone', () => {
    const context = contextOf(tls.variables.parse({}), { declared: tiered, host: 'web2' });
    expect(tls.listens?.(context)).toMatchObject([{ port: 9443, from: { group: 'web' } }]);
    expect(tls.derives?.(context)).toMatchObject([
      { kind: 'certificate', usage: ['server'] },
      { kind: 'application_tls', port: 9443, healthPath: '/healthz', drain: { name: 'app' } },
    ]);
    const made = resourcesOf(tls, { declared: tiered, host: 'web2' });
    expect(textOf(ofType(made, 'file'))).toContain("'CN=app-proxy' 1;");
    expect(textOf(ofType(made, 'unit'))).toContain('shop.service');
    expect(ofType(made, 'service')).toContainEqual(
      expect.objectContaining({ name: 'nginx', running: false, enabled: false }),
    );
  });

  it('leaves the nginx of a web server on its host alone', () => {
    const declared = [...tiered, web(web2)];
    const services = ofType(resourcesOf(tls, { declared, host: 'web2' }), 'service');
    expect(services).toEqual([expect.objectContaining({ name: 'app-tls' })]);
  });

  it('is found by the web server on 127.0.0.1, on every host that has it', () => {
    const declared = [...tiered, door(web2), door(web3)];
    expect(proxy.derives?.(contextOf(proxy.variables.parse({}), { declared, host: 'web1' }))).toMatchObject([
      { kind: 'certificate', usage: ['client'] },
      { kind: 'application_proxy', port: 3100 },
    ]);
    const text = textOf(ofType(resourcesOf(proxy, { declared, host: 'web1' }), 'file'));
    expect([...text.matchAll(/^ *bind (\S+)$/gm)].map(([, where]) => where)).toEqual(['127.0.0.1:3100']);
    expect([...text.matchAll(/^ {4}server (\S+ \S+ .*)$/gm)].map(([, server]) => server)).toEqual([
      'web2 10.0.0.2:9443 sni str(web2) verifyhost web2 check-sni web2',
      'web3 10.0.0.3:9443 sni str(web3) verifyhost web3 check-sni web3',
    ]);
  });
});
