import { describe, expect, test } from 'vitest';
import { planLab } from '../../src/lab/request.ts';
import { hostAddresses, labSettings } from '../../src/lab/settings.ts';

const settings = labSettings({});
const baseOf = (release: string) => `/base/${release}`;

describe('settings', () => {
  test.each(['Lab', '1lab', 'much-too-long', 'a/b', '', 'base', 'log'])('the name %j is refused', (name) => {
    expect(() => labSettings({ HOSTWRIGHT_LAB: name })).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
  });

  test.each(['8.8.8', '10.0', '10.0.0.0', '10.256.1', '10.01.1', '172.32.0', '192.169.1', 'ten.1.1'])(
    'the subnet %j is refused',
    (subnet) => {
      expect(() => labSettings({ HOSTWRIGHT_LAB_SUBNET: subnet })).toThrow(
        expect.objectContaining({ code: 'E_USAGE' }),
      );
    },
  );

  test('two labs have different IPv6 networks, and one lab has always the same', () => {
    const other = labSettings({ HOSTWRIGHT_LAB: 'other', HOSTWRIGHT_LAB_SUBNET: '192.168.5' });
    expect(hostAddresses(other, 1).address).toBe('192.168.5.11');
    expect(hostAddresses(other, 1).address6).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]{4}:[0-9a-f]{4}::11$/);
    expect(hostAddresses(other, 1).address6).not.toBe(hostAddresses(settings, 1).address6);
    expect(hostAddresses(settings, 2).address6).toBe(hostAddresses(labSettings({}), 2).address6);
  });
});

describe('a new lab', () => {
  test('has three hosts of trixie unless asked otherwise', () => {
    const { hosts, domains } = planLab(settings, undefined, {}, baseOf);
    expect(hosts.map(({ name, release, base }) => [name, release, base])).toEqual([
      ['web1', 'trixie', '/base/trixie'],
      ['web2', 'trixie', '/base/trixie'],
      ['web3', 'trixie', '/base/trixie'],
    ]);
    expect(domains).toMatchObject({ 'www.foobar.com': 'web1' });
  });

  test('takes one release for all, or one for each', () => {
    const all = planLab(settings, undefined, { hosts: 2, releases: ['forky'] }, baseOf);
    expect(all.hosts.map(({ release }) => release)).toEqual(['forky', 'forky']);
    const each = planLab(settings, undefined, { hosts: 2, releases: ['forky', 'bookworm'] }, baseOf);
    expect(each.hosts.map(({ release }) => release)).toEqual(['forky', 'bookworm']);
  });

  test.each([
    { hosts: 0 },
    { hosts: 51 },
    { hosts: 1.5 },
    { hosts: 3, releases: ['forky', 'trixie'] as const },
    { domains: { 'www.example.com': 'web9' } },
    { domains: { 'www.example.com': '10.213.77' } },
  ])('is refused as %j', (request) => {
    expect(() => planLab(settings, undefined, request, baseOf)).toThrow(
      expect.objectContaining({ code: 'E_USAGE' }),
    );
  });
});

describe('a lab that is there', () => {
  const current = planLab(settings, undefined, { hosts: 2, releases: ['forky', 'bookworm'] }, baseOf);

  test('stays as it is unless asked otherwise', () => {
    expect(planLab(settings, current, {}, () => '/base/newer')).toEqual(current);
  });

  test('takes more hosts and more names', () => {
    const { hosts, domains } = planLab(settings, current, { hosts: 3, domains: { 'x.org': 'web3' } }, baseOf);
    expect(hosts.slice(0, 2)).toEqual(current.hosts);
    expect(hosts[2]).toMatchObject({ name: 'web3', number: 3, release: 'trixie' });
    expect(domains).toEqual({ ...current.domains, 'x.org': 'web3' });
  });

  test('takes an address for a name, which no host has for good', () => {
    const domains = { 'www.foobar.com': '10.213.77.100' };
    expect(planLab(settings, current, { domains }, baseOf).domains).toEqual({
      ...current.domains,
      ...domains,
    });
  });

  test('is not made another one', () => {
    const refused = expect.objectContaining({ code: 'E_LAB' });
    const elsewhere = labSettings({ HOSTWRIGHT_LAB_SUBNET: '10.213.78' });
    expect(() => planLab(settings, current, { hosts: 1 }, baseOf)).toThrow(refused);
    expect(() => planLab(settings, current, { releases: ['trixie'] }, baseOf)).toThrow(refused);
    expect(() => planLab(elsewhere, current, {}, baseOf)).toThrow(refused);
  });
});
