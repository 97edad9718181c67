import { describe, expect, test } from 'vitest';
import firewall from '../../roles/firewall/role.ts';
import { address, hostGroup, type Listen } from '../../src/roles/role.ts';
import { hosts, ofType, resourcesOf, type RoleCase } from '../../src/testing/index.ts';

const connection = { user: 'admin', address: '10.0.0.9', port: 22 };

function rules(listens: readonly Listen[], given: RoleCase = {}): readonly string[] {
  const made = resourcesOf(firewall, {
    facts: { connection },
    ...given,
    listens: listens.map((listen) => ({ ...listen, role: 'other' })),
  });
  const [ufw] = ofType(made, 'ufw');
  if (ufw === undefined || !('rules' in ufw) || !Array.isArray(ufw.rules)) throw new Error('no firewall');
  return ufw.rules.map(
    (rule: Record<string, unknown>) =>
      `${String(rule['action'])} ${String(rule['port'])}/${String(rule['protocol'])} ${String(rule['from'])}: ${String(rule['why'])}`,
  );
}

describe('the role firewall', () => {
  test('opens what the roles declare, for whom they declare it, and ssh before all', () => {
    expect(
      rules([
        { port: 443, from: 'internet', why: 'https' },
        { port: 8443, from: hostGroup('db'), why: 'a test' },
        { port: 53, protocol: 'udp', from: address('10.1.0.0/16'), why: 'names' },
      ]),
    ).toEqual([
      'allow 22/tcp any: ssh',
      'allow 443/tcp any: https',
      'allow 8443/tcp 10.0.0.2: a test',
      'allow 8443/tcp 10.0.0.3: a test',
      'allow 53/udp 10.1.0.0/16: names',
    ]);
  });

  test('opens a protocol that has no ports', () => {
    expect(rules([{ protocol: 'vrrp', from: address('10.0.0.2'), why: 'x' }])).toEqual([
      'allow 22/tcp any: ssh',
      'allow undefined/vrrp 10.0.0.2: x',
    ]);
  });

  test('opens nothing for a host to itself, nor for a group that is empty', () => {
    expect(
      rules([
        { port: 8443, from: hostGroup('lb'), why: 'x' },
        { port: 8444, from: hostGroup('nobody'), why: 'x' },
      ]),
    ).toEqual(['allow 22/tcp any: ssh']);
  });

  test('says why for all roles that declare the same, and drops what is open for everyone', () => {
    expect(
      rules([
        { port: 9100, from: hostGroup('db'), why: "the agent's metrics" },
        { port: 9100, from: address('10.0.0.2'), why: 'backups' },
        { port: 80, from: address('10.0.0.3'), why: 'x' },
        { port: 80, from: 'internet', why: 'http' },
      ]),
    ).toEqual([
      'allow 22/tcp any: ssh',
      'allow 9100/tcp 10.0.0.2: the agent’s metrics; backups',
      'allow 9100/tcp 10.0.0.3: the agent’s metrics',
      'allow 80/tcp any: http',
    ]);
  });

  test('leaves ssh to its own variables', () => {
    const listens: readonly Listen[] = [{ port: 22, from: 'internet', why: 'x' }];
    const variables = { firewall_ssh_from: ['10.0.0.0/24', 'fd00::/8'], firewall_ssh_limit: true };
    expect(rules(listens, { variables })).toEqual([
      'limit 22/tcp 10.0.0.0/24: ssh',
      'limit 22/tcp fd00::/8: ssh',
    ]);
  });

  test.each([
    ['the port of the connection', { variables: { ansible_port: 2200 } }, 22],
    ['ansible_port without a connection', { variables: { ansible_port: '2200' }, facts: {} }, 2200],
    ['22 without both', { facts: {} }, 22],
  ])('keeps %s open', (_, given, port) => {
    expect(rules([], given)).toEqual([`allow ${port}/tcp any: ssh`]);
  });

  test('hands the connection over, which must not be shut out', () => {
    const [ufw] = ofType(resourcesOf(firewall, { facts: { connection } }), 'ufw');
    expect(ufw).toMatchObject({ connection: { port: 22, address: '10.0.0.9' } });
  });

  test('refuses to close the port that Hostwright is connected to', () => {
    expect(() => rules([], { variables: { firewall_ssh_port: 2222 } })).toThrow(
      expect.objectContaining({ code: 'E_VARIABLE', place: { host: 'web1' } }),
    );
  });

  test('names the host of a group that has no address', () => {
    const nameless = hosts.map((host) => (host.name === 'web3' ? { ...host, address: 'web3' } : host));
    expect(() => rules([{ port: 1, from: hostGroup('db'), why: 'x' }], { hosts: nameless })).toThrow(
      expect.objectContaining({ code: 'E_VARIABLE', place: { host: 'web3' } }),
    );
  });

  test('puts rules of the variables before all others', () => {
    const variables = { firewall_rules: [{ action: 'deny', from: '10.6.6.6', why: 'noise' }] };
    expect(rules([], { variables })).toHaveLength(2);
    expect(rules([], { variables })[0]).toMatch(/^deny .* 10\.6\.6\.6: noise$/);
  });
});
