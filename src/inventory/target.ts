import { HostwrightError, type FilePlace } from '../errors.ts';
import { isSecret, Secret } from '../secrets/secret.ts';
import type { Target } from '../transport/transport.ts';

interface TargetVariables {
  readonly values: Readonly<Record<string, unknown>>;
  readonly places: ReadonlyMap<string, FilePlace>;
}

function wrong(variables: TargetVariables, name: string, expected: string): HostwrightError {
  const place = variables.places.get(name);
  const found = variables.values[name];
  return new HostwrightError('E_VARIABLE', `${name} is not right`, {
    ...(place === undefined ? {} : { place }),
    found: isSecret(found) ? 'a secret' : JSON.stringify(found),
    expected,
  });
}

function text(variables: TargetVariables, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = variables.values[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' && typeof value !== 'number') throw wrong(variables, name, 'a string');
    return String(value);
  }
  return undefined;
}

function secret(variables: TargetVariables, names: readonly string[]): Secret | undefined {
  for (const name of names) {
    const value = variables.values[name];
    if (isSecret(value)) return value;
    if (typeof value === 'string' || typeof value === 'number') return new Secret(String(value));
  }
  return undefined;
}

function port(variables: TargetVariables): number | undefined {
  const value = text(variables, ['ansible_port', 'ansible_ssh_port']);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isInteger(number) && number > 0 && number < 65536) return number;
  throw wrong(variables, 'ansible_port', 'a port from 1 to 65535');
}

function become(variables: TargetVariables): boolean {
  const value = variables.values['ansible_become'] ?? false;
  if (typeof value !== 'boolean') throw wrong(variables, 'ansible_become', 'true or false');
  const method = text(variables, ['ansible_become_method']) ?? 'sudo';
  if (value && method !== 'sudo') throw wrong(variables, 'ansible_become_method', 'sudo');
  return value;
}

/** How to reach a host, from its `ansible_…` variables; E_VARIABLE with the place of one that is not right. */
export function targetOf(host: string, variables: TargetVariables): Target {
  const optional = {
    port: port(variables),
    user: text(variables, ['ansible_user', 'ansible_ssh_user']),
    privateKeyFile: text(variables, ['ansible_ssh_private_key_file', 'ansible_private_key_file']),
    password: secret(variables, ['ansible_password', 'ansible_ssh_pass']),
    becomeUser: text(variables, ['ansible_become_user']),
    becomePassword: secret(variables, [
      'ansible_become_password',
      'ansible_become_pass',
      'ansible_sudo_pass',
    ]),
    sshArgs:
      [text(variables, ['ansible_ssh_common_args']), text(variables, ['ansible_ssh_extra_args'])]
        .filter(Boolean)
        .join(' ') || undefined,
  };
  const connection = text(variables, ['ansible_connection']) ?? 'ssh';
  if (!['ssh', 'smart', 'paramiko', 'ansible.builtin.ssh'].includes(connection)) {
    throw wrong(variables, 'ansible_connection', 'ssh, the only way to a host that there is');
  }
  const present = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return {
    host,
    address: text(variables, ['ansible_host', 'ansible_ssh_host']) ?? host,
    become: become(variables),
    ...present,
  };
}
