import { describe, expect, it } from 'vitest';
import { parseFacts, steadyFacts } from '../../src/plan/facts.ts';
import type { Facts } from '../../src/roles/role.ts';

function facts(lines: string): Facts {
  const stdout = Buffer.from(`ID=debian\narchitecture=amd64\nmemory=1024\n${lines}\n`);
  return parseFacts('web1', { code: 0, stdout, stderr: Buffer.alloc(0) });
}

describe('facts', () => {
  it('say who is connected, from where and at which port', () => {
    expect(facts('connection=admin 10.0.0.9 40000 10.0.0.1 2222').connection).toEqual({
      user: 'admin',
      address: '10.0.0.9',
      port: 2222,
      sudoers: [],
    });
    expect(
      facts('connection=a 10.0.0.9 1 10.0.0.1 22\nhome=/home/a\nsudoers=a\nsudoers=90-x').connection,
    ).toMatchObject({ home: '/home/a', sudoers: ['a', '90-x'] });
    expect(facts('connection=root fe80::1%eth0 40000 fe80::2%eth0 22').connection?.address).toBe('fe80::1');
  });

  it('know no connection where sshd says nothing of one', () => {
    expect(facts('connection=root ').connection).toBeUndefined();
    expect(facts('').connection).toBeUndefined();
  });

  it('know a container', () => {
    expect(facts('container=systemd-nspawn').container).toBe(true);
    expect(facts('container=none').container).toBe(false);
    expect(facts('container=').container).toBe(false);
  });

  it('know whether the kernel has IPv6, and whether it is in use', () => {
    const of = (lines: string): Facts['ipv6'] => facts(lines).ipv6;
    expect(of('address=10.0.0.1 eth0\nipv6=none')).toBe('none');
    expect(of('address=10.0.0.1 eth0\nipv6=on')).toBe('off');
    expect(of('address=fd00::1 eth0\nipv6=off')).toBe('off');
    expect(of('address=fd00::1 eth0\nipv6=on')).toBe('on');
  });

  it('do not follow damage to the network: IPv6 switched off, an address that has gone', () => {
    const before = facts('address=10.0.0.1 eth0\naddress=10.0.0.2 eth0\naddress=fd00::1 eth0\nipv6=on');
    const now = facts('address=192.0.2.1 eth0\nipv6=off');
    const steady = steadyFacts(now, before, '10.0.0.1');
    expect(steady).toMatchObject({ ipv6: 'on', addresses: ['192.0.2.1', '10.0.0.1'] });
    // An address that it never had, and one that the inventory gives it no more.
    expect(steadyFacts(now, before, '10.0.0.9').addresses).toEqual(['192.0.2.1']);
    // What the kernel cannot do is no damage; and nothing is known of a new host.
    expect(steadyFacts(facts('ipv6=none'), before, undefined).ipv6).toBe('none');
    expect(steadyFacts(now, {}, '10.0.0.1')).toEqual(now);
  });

  it('are not to be had of a Debian host with a broken dpkg, and that is said', () => {
    const answer = {
      code: 0,
      stdout: Buffer.from('ID=debian\narchitecture=\nmemory=1024\n'),
      stderr: Buffer.alloc(0),
    };
    expect(() => parseFacts('web1', answer)).toThrow(
      expect.objectContaining({ code: 'E_PROBE', message: 'dpkg does not work on web1' }),
    );
  });

  it('are not to be had of a host without dpkg', () => {
    const answer = { code: 0, stdout: Buffer.from('ID=fedora\n'), stderr: Buffer.alloc(0) };
    expect(() => parseFacts('web1', answer)).toThrow(
      expect.objectContaining({ code: 'E_PROBE', found: 'fedora' }),
    );
  });
});
