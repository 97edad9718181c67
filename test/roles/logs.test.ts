import { describe, expect, it } from 'vitest';
import sender from '../../roles/log_sender/role.ts';
import server from '../../roles/log_server/role.ts';
import { peerOf } from '../../roles/logs/journal-remote.ts';
import type { Declaration, Declared } from '../../src/roles/role.ts';
import { contextOf, hosts, ofType, resourcesOf } from '../../src/testing/index.ts';

const [web1, web2, web3] = hosts;

function on(host: (typeof hosts)[number] | undefined, declaration: Declaration): Declared {
  if (host === undefined) throw new TypeError('no such host');
  return { role: 'other', ...declaration, host };
}

const keeper = on(web1, { kind: 'log_server', port: 19_532 });
const senders = [web1, web2, web3].map((host) =>
  on(host, { kind: 'log_sender', peer: `log-sender-${host?.name}` }),
);

function textOf(resources: readonly object[]): string {
  return resources.map((one) => ('content' in one ? String(one.content) : '')).join('\n');
}

describe('a site without a log server', () => {
  it('has nothing of all this', () => {
    expect(resourcesOf(sender, {})).toEqual([]);
    expect(sender.derives?.(contextOf(sender.variables.parse({}), {}))).toEqual([]);
  });

  it('puts away what an earlier run has set up', () => {
    const made = resourcesOf(sender, { applied: ['unit:systemd-journal-upload.service.d/hostwright.conf'] });
    expect(ofType(made, 'service')).toEqual([
      expect.objectContaining({ name: 'systemd-journal-upload', running: false, enabled: false }),
    ]);
    expect(ofType(made, 'unit')).toEqual([expect.objectContaining({ absent: true })]);
  });
});

describe('a host that sends its journal', () => {
  it('shows a certificate that only it has', () => {
    const context = contextOf(sender.variables.parse({}), { declared: [keeper], host: 'web2' });
    expect(sender.derives?.(context)).toMatchObject([
      { kind: 'certificate', name: 'log-sender-web2', group: 'log-sender', usage: ['client'] },
      { kind: 'log_sender', peer: 'log-sender-web2' },
    ]);
    const made = resourcesOf(sender, { declared: [keeper], host: 'web2' });
    expect(textOf(ofType(made, 'file'))).toContain('/etc/hostwright/pki/log-sender-web2.key');
    expect(textOf(ofType(made, 'file'))).toMatch(/^URL=https:\/\/[\d.]+:19532$/m);
  });

  it('has a name of its own, whatever it is called', () => {
    const names = ['web1', 'web-1', 'web.1', 'WEB1', 'web_1', `${'x'.repeat(60)}1`, `${'x'.repeat(60)}2`];
    const peers = names.map((name) => peerOf({ name, address: name, groups: [] }));
    expect(new Set(peers).size).toBe(names.length);
    for (const peer of peers) expect(peer).toMatch(/^[a-z0-9][a-z0-9-]{0,62}$/);
    expect(peers[0]).toBe('log-sender-web1');
  });
});

describe('a log server', () => {
  const made = resourcesOf(server, { declared: [keeper, ...senders] });

  it('lets in the hosts of the site, each to a receiver of its own', () => {
    const config = ofType(made, 'file')
      .map((one) => ('content' in one ? String(one.content) : ''))
      .find((text) => text.includes('frontend logs'));
    expect(config).toContain('verify required');
    expect(config).toContain(
      'reject unless { ssl_c_s_dn(CN) -m str log-sender-web1 log-sender-web2 log-sender-web3 }',
    );
    expect(config).toContain('server journal unix@/run/journal-in/log-sender-web3.sock');
    const folders = ofType(made, 'directory').map((one) => ('path' in one ? String(one.path) : ''));
    expect(folders.filter((path) => /^\/var\/log\/hosts\/[0-9a-f]{32}$/.test(path))).toHaveLength(3);
  });

  it('is one, on a system that can bound what it keeps', () => {
    expect(() => resourcesOf(server, { declared: [keeper, on(web2, keeper)] })).toThrow(
      'several log servers',
    );
    expect(() => resourcesOf(server, { declared: [keeper], facts: { codename: 'bookworm' } })).toThrow(
      'Debian 13',
    );
  });

  it('bounds each host, and forgets after some days', () => {
    const small = resourcesOf(server, {
      declared: [keeper, ...senders],
      variables: { log_server_size: '40M', log_server_days: 7 },
    });
    expect(textOf(ofType(small, 'file'))).toMatch(/^MaxUse=40M\nMaxFileSize=8M$/m);
    expect(textOf(ofType(small, 'file'))).toMatch(/^e \/var\/log\/hosts\/[0-9a-f]{32} - - - mM:7d$/m);
  });
});
