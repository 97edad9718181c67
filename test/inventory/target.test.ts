import { describe, expect, it } from 'vitest';
import { targetOf, targetsOf } from '../../src/inventory/target.ts';
import type { Target } from '../../src/transport/transport.ts';

const place = { file: 'hosts.yml', line: 4, column: 7 };

function from(values: Readonly<Record<string, unknown>>): Target {
  const places = new Map(Object.keys(values).map((name) => [name, place]));
  return targetOf('web1', { values, places });
}

describe('the way to a host', () => {
  it('is its name and the usual port where nothing is said', () => {
    expect(from({})).toEqual({ host: 'web1', address: 'web1', become: false });
  });

  it('is read from the names of Ansible, older ones too', () => {
    const target = from({
      ansible_ssh_host: '192.0.2.1',
      ansible_ssh_port: 2222,
      ansible_ssh_user: 'admin',
      ansible_private_key_file: '/keys/one',
      ansible_ssh_password: 'first',
      ansible_become: true,
      ansible_become_user: 'root',
      ansible_become_pass: 'second',
      ansible_ssh_common_args: '-J jump',
      ansible_ssh_extra_args: '-v',
    });
    expect(target).toMatchObject({
      address: '192.0.2.1',
      port: 2222,
      user: 'admin',
      privateKeyFile: '/keys/one',
      become: true,
      becomeUser: 'root',
      sshArgs: '-J jump -v',
    });
    expect([target.password?.reveal(), target.becomePassword?.reveal()]).toEqual(['first', 'second']);
  });

  it.each([
    ['ansible_port', 70_000, 'a port from 1 to 65535'],
    ['ansible_become', 'yes please', 'true or false'],
    ['ansible_become_method', 'su', 'sudo'],
    ['ansible_connection', 'local', 'ssh: no other connection'],
    ['ansible_user', ['admin'], 'a string'],
  ])('is refused with its place where %s is %j', (name, value, expected) => {
    const values = { ansible_become: true, [name]: value };
    expect(() => from(values)).toThrow(
      expect.objectContaining({ code: 'E_VARIABLE', place, expected: expect.stringContaining(expected) }),
    );
  });

  it.each([
    ['ansible_hots', 'ansible_host'],
    ['ansible_prot', 'ansible_port'],
    ['ansible_usr', 'ansible_user'],
    ['ansible_ssh_privat_key_file', 'ansible_ssh_private_key_file'],
    ['ansible_becom', 'ansible_become'],
  ])('is refused with its place where %s is meant to be %s', (name, meant) => {
    expect(() => from({ [name]: 'value' })).toThrow(
      expect.objectContaining({ code: 'E_VARIABLE', place, hint: expect.stringContaining(`"${meant}"`) }),
    );
  });

  it('may be beside what Ansible alone reads', () => {
    const names = [
      ...['become_exe', 'become_flags', 'group_priority', 'host_key_checking', 'hostname', 'pipelining'],
      ...['python_interpreter', 'scp_extra_args', 'sftp_extra_args', 'shell_executable', 'shell_type'],
      ...['ssh_args', 'ssh_executable', 'ssh_host_key_checking', 'ssh_pipelining', 'ssh_retries'],
      ...['ssh_timeout', 'ssh_transfer_method', 'ssh_use_tty', 'timeout', 'user_id'],
    ];
    const values = Object.fromEntries(names.map((name) => [`ansible_${name}`, 'value']));
    expect(from(values)).toEqual(from({}));
  });
});

describe('the ways to several hosts', () => {
  const variables = (name: string, line: number) => ({
    values: { [name]: 'value' },
    places: new Map([[name, { file: 'hosts.yml', line }]]),
  });

  it('are refused with everything that is wrong, once for each place', () => {
    const hosts = new Map([
      ['web1', variables('ansible_hots', 4)],
      ['web2', variables('ansible_hots', 6)],
      ['web3', variables('ansible_usr', 9)],
      ['web4', variables('ansible_usr', 9)],
    ]);
    const places = [4, 6, 9].map((line) => expect.objectContaining({ place: { file: 'hosts.yml', line } }));
    expect(() => targetsOf(hosts)).toThrow(expect.objectContaining({ errors: places }));
  });
});
