import { HostwrightError, HostwrightErrors, type FilePlace } from '../errors.ts';
import { isSecret, Secret } from '../secrets/secret.ts';
import { didYouMean } from '../suggestion.ts';
import { plainScalar } from './scalar.ts';
import type { Target } from '../transport/transport.ts';

interface TargetVariables {
  readonly values: Readonly<Record<string, unknown>>;
  readonly places: ReadonlyMap<string, FilePlace>;
}

/** The variables of the connection; of several names for one setting, the first that is set counts. */
const names = {
  address: ['ansible_host', 'ansible_ssh_host'],
  port: ['ansible_port', 'ansible_ssh_port'],
  user: ['ansible_user', 'ansible_ssh_user'],
  privateKeyFile: ['ansible_ssh_private_key_file', 'ansible_private_key_file'],
  password: ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'],
  become: ['ansible_become'],
  becomeMethod: ['ansible_become_method'],
  becomeUser: ['ansible_become_user'],
  becomePassword: ['ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'],
  commonArgs: ['ansible_ssh_common_args'],
  extraArgs: ['ansible_ssh_extra_args'],
  connection: ['ansible_connection'],
} as const;

const ours: readonly string[] = Object.values(names).flat();

/** A variable of Ansible that Hostwright does not use, although its name is close to one of those. */
const foreign = new Set(['ansible_scp_extra_args']);

/** Throws for a misspelt name: the connection would go somewhere else. */
function refuseMisspelt(variables: TargetVariables): void {
  for (const name of Object.keys(variables.values)) {
    if (!name.startsWith('ansible_') || ours.includes(name) || foreign.has(name)) continue;
    const hint = didYouMean(name, ours, 2);
    if (hint === undefined) continue;
    const place = variables.places.get(name);
    throw new HostwrightError('E_VARIABLE', `unknown connection variable ${name}`, {
      place,
      hint,
    });
  }
}

function wrong(variables: TargetVariables, name: string, expected: string): HostwrightError {
  const place = variables.places.get(name);
  const found = variables.values[name];
  return new HostwrightError('E_VARIABLE', `invalid value for ${name}`, {
    place,
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
  const value = text(variables, names.port);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isInteger(number) && number > 0 && number < 65536) return number;
  throw wrong(variables, 'ansible_port', 'a port from 1 to 65535');
}

function become(variables: TargetVariables): boolean {
  const given = variables.values['ansible_become'] ?? false;
  // As Ansible does: `-e ansible_become=yes` is text.
  const value = typeof given === 'string' ? plainScalar(given) : given;
  if (typeof value !== 'boolean') throw wrong(variables, 'ansible_become', 'true or false');
  const method = text(variables, names.becomeMethod) ?? 'sudo';
  if (value && method !== 'sudo') throw wrong(variables, 'ansible_become_method', 'sudo');
  return value;
}

/** How to reach a host, from its `ansible_…` variables; E_VARIABLE with the place of an invalid value. */
export function targetOf(host: string, variables: TargetVariables): Target {
  refuseMisspelt(variables);
  const optional = {
    port: port(variables),
    user: text(variables, names.user),
    privateKeyFile: text(variables, names.privateKeyFile),
    password: secret(variables, names.password),
    becomeUser: text(variables, names.becomeUser),
    becomePassword: secret(variables, names.becomePassword),
    sshArgs:
      [text(variables, names.commonArgs), text(variables, names.extraArgs)].filter(Boolean).join(' ') ||
      undefined,
  };
  const connection = text(variables, names.connection) ?? 'ssh';
  if (!['ssh', 'smart', 'paramiko', 'ansible.builtin.ssh'].includes(connection)) {
    throw wrong(variables, 'ansible_connection', 'ssh: no other connection is supported');
  }
  const present = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return {
    host,
    address: text(variables, names.address) ?? host,
    become: become(variables),
    ...present,
  };
}

/** The same for several hosts; throws all errors, each place once. */
export function targetsOf(hosts: ReadonlyMap<string, TargetVariables>): ReadonlyMap<string, Target> {
  const errors = new Map<string, HostwrightError>();
  const targets = new Map<string, Target>();
  for (const [host, variables] of hosts) {
    try {
      targets.set(host, targetOf(host, variables));
    } catch (error) {
      if (!(error instanceof HostwrightError)) throw error;
      errors.set(JSON.stringify([error.message, error.place]), error);
    }
  }
  if (errors.size > 0) throw new HostwrightErrors([...errors.values()]);
  return targets;
}
