import { describe, expect, test } from 'vitest';
import haproxy from '../../roles/haproxy/role.ts';
import { listed } from '../../src/roles/list.ts';
import type { Declared } from '../../src/roles/role.ts';
import { contextOf, hosts, ofType, resourcesOf, type RoleCase } from '../../src/testing/index.ts';

const backends: readonly Declared[] = hosts.map((host) => ({
  kind: 'backend',
  port: 8443,
  healthPath: '/healthz',
  host,
  role: 'nginx',
}));

function configuration(given: RoleCase = {}): string {
  const variables = { domain: 'www.foobar.com', ...given.variables };
  const resources = resourcesOf(haproxy, { declared: backends, ...given, variables });
  const text = ofType(resources, 'file').find(
    (file) => 'path' in file && file.path === '/etc/haproxy/haproxy.cfg',
  );
  if (text === undefined || !('content' in text) || typeof text.content !== 'string') {
    throw new Error('no configuration, or one that is secret');
  }
  return text.content;
}

function section(text: string, name: string): string {
  return text.split(/\n(?=\S)/).find((part) => part.startsWith(`${name} `)) ?? '';
}

test('what must be in force is what the configuration says, line by line', () => {
  const [service] = ofType(
    resourcesOf(haproxy, { declared: backends, variables: { domain: 'www.foobar.com' } }),
    'service',
  );
  const words = service !== undefined && 'current' in service ? (service.current as readonly string[]) : [];
  expect(words.slice(0, 2)).toEqual(['bash', '-c']);
  const lines = configuration().split('\n');
  const acl = lines.findIndex((line) => line.includes('acl unlimited src 127.0.0.1')) + 1;
  expect(words.slice(4)).toEqual(
    expect.arrayContaining([
      ...['frontend http', 'frontend https', 'frontend metrics', 'limit 8000', `acl ${acl} 1`],
      ...['server web/web1 10.0.0.1 8443', 'server web/web3 10.0.0.3 8443'],
    ]),
  );
});

describe('the configuration of HAProxy', () => {
  test('sends requests to every backend, each verified by its own name', () => {
    const web = section(configuration(), 'backend web');
    for (const [index, name] of ['web1', 'web2', 'web3'].entries()) {
      expect(web).toContain(
        `server ${name} 10.0.0.${index + 1}:8443 sni str(${name}) verifyhost ${name} check-sni ${name}\n`,
      );
    }
    expect(web).toContain(
      'ssl verify required ca-file /etc/hostwright/pki/ca.crt crt /etc/hostwright/pki/haproxy.pem',
    );
    expect(web).toContain('uri /healthz ver HTTP/1.1 hdr Host www.foobar.com');
  });

  test('is valid without any backend', () => {
    expect(section(configuration({ declared: [] }), 'backend web')).not.toContain('    server ');
  });

  test('answers the challenges of the ACME CA for the account of its own host, and for no other', () => {
    const account = (name: string): Declared[] =>
      hosts
        .filter((host) => host.name === name)
        .map((host) => ({ kind: 'acme_account', thumbprint: `of-${name}`, host, role: 'certificate' }));
    const http = section(configuration({ declared: account('web1') }), 'frontend http');
    expect(http).toContain('lf-string "%[path,field(-1,/)].of-web1"');
    expect(http).toContain(String.raw`path_reg ^/\.well-known/acme-challenge/[A-Za-z0-9_-]+$ }`);
    expect(configuration({ declared: account('web2') })).not.toContain('acme-challenge');
  });

  test('redirects http to https, and believes no client about where a request comes from', () => {
    const text = configuration();
    expect(section(text, 'frontend http')).toContain(
      'redirect location https://%[req.hdr(host),host_only]%[pathq] code 301',
    );
    const https = section(text, 'frontend https');
    for (const name of ['X-Forwarded-For', 'X-Forwarded-Proto', 'Forwarded', 'X-Real-IP']) {
      expect(https).toContain(`http-request del-header ${name}\n`);
    }
    expect(https).toContain('http-after-response set-header Strict-Transport-Security "max-age=63072000"');
  });

  test('shows its metrics to the monitoring server alone', () => {
    const metrics = section(configuration(), 'frontend metrics');
    expect(metrics).toContain('ca-file /etc/hostwright/pki/ca.crt verify required');
    expect(metrics).toContain('http-request deny unless { ssl_c_s_dn(CN) -m str prometheus }');
    const listens = listed(haproxy.listens?.(contextOf(haproxy.variables.parse({ domain: 'a.b' }))) ?? []);
    expect(listens.map(({ port, from }) => [port, from])).toEqual([
      [80, 'internet'],
      [443, 'internet'],
      [8404, { group: 'monitoring' }],
    ]);
  });

  test('binds to IPv6 where the kernel can, in use or not', () => {
    expect(configuration({ facts: { ipv6: 'none' } })).not.toContain('[::]');
    const both = configuration({ facts: { ipv6: 'off' } });
    expect(both).toContain('bind 0.0.0.0:443 ssl');
    expect(both).toContain('bind [::]:443 v6only ssl');
  });

  test('offers the hybrid key exchange where OpenSSL knows it', () => {
    expect(configuration()).toContain('curves X25519MLKEM768:X25519');
    expect(configuration({ facts: { codename: 'bookworm' } })).toContain('curves X25519:');
  });

  test('takes an IPv6 address of a backend', () => {
    const [first] = backends;
    if (first === undefined) throw new Error('no backend');
    const declared = [{ ...first, host: { ...first.host, address: 'fd00::1' } }];
    expect(configuration({ declared })).toContain('server web1 [fd00::1]:8443 ');
  });
});

describe('what visitors may ask', () => {
  const visitors = (variables = {}, given: RoleCase = {}): string =>
    section(configuration({ ...given, variables }), 'defaults visitors');

  test('is for names of the site alone', () => {
    const text = visitors({ certificate_names: ['foobar.com'] });
    expect(text.match(/acl asks_for_site .*/g)).toEqual([
      String.raw`acl asks_for_site req.hdr(host) -m reg -i ^www\.foobar\.com\.?(:[0-9]+)?$`,
      String.raw`acl asks_for_site req.hdr(host) -m reg -i ^foobar\.com\.?(:[0-9]+)?$`,
    ]);
  });

  test('is limited for each address but those of the site and those that are named', () => {
    const all = configuration({ variables: { haproxy_unlimited_addresses: ['192.0.2.0/24'] } });
    for (const door of ['frontend http', 'frontend https']) {
      const text = section(all, door);
      expect([...text.matchAll(/acl unlimited src (.*)/g)].map(([, one]) => one)).toEqual([
        ...['127.0.0.1', '::1', '10.0.0.1', '10.0.0.2', '10.0.0.3', '192.0.2.0/24'],
      ]);
      expect(text).toContain('reject if { sc0_conn_cur gt 500 }');
    }
    expect(section(all, 'defaults visitors')).toContain('if { sc0_http_req_rate gt 3000 }');
  });

  test('has no limit where none is wanted', () => {
    const none = { haproxy_max_connections_per_address: 0, haproxy_max_requests_per_address: 0 };
    expect(configuration({ variables: none })).not.toMatch(/stick-table|sc0|unlimited/);
    expect(visitors({ haproxy_max_requests_per_address: 0 })).not.toContain('429');
  });
});

describe('the role haproxy', () => {
  test('asks the master for a reload where it answers how it went', () => {
    const reloadOf = (codename: string): string =>
      JSON.stringify(
        ofType(resourcesOf(haproxy, { variables: { domain: 'a.b' }, facts: { codename } }), 'service'),
      );
    expect(reloadOf('trixie')).toContain('echo reload | master');
    expect(reloadOf('bookworm')).toContain('systemctl reload haproxy');
  });

  test.each([
    ['a domain that is none', { domain: 'https://www.foobar.com' }],
    ['a way to balance that there is not', { domain: 'a.b', haproxy_balance: 'fair' }],
    ['a network that is none', { domain: 'a.b', haproxy_unlimited_addresses: ['10.0.0.0/40'] }],
    ['a negative timeout', { domain: 'a.b', haproxy_server_timeout: -1 }],
  ])('refuses %s', (_, variables) => {
    expect(() => resourcesOf(haproxy, { variables })).toThrow();
  });
});
