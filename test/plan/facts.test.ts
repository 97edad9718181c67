import { describe, expect, it } from 'vitest';
import { parseFacts } from '../../src/plan/facts.ts';
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
    });
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

  it('are not to be had of a host without dpkg', () => {
    const answer = { code: 0, stdout: Buffer.from('ID=fedora\n'), stderr: Buffer.alloc(0) };
    expect(() => parseFacts('web1', answer)).toThrow(
      expect.objectContaining({ code: 'E_PROBE', found: 'fedora' }),
    );
  });
});
