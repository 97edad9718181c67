import { getSystemErrorMap } from 'node:util';
import { HostwrightError } from '../errors.ts';
import type { SshConfig } from './ssh-config.ts';
import { lastWords } from './start-error.ts';

const reasons: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: [
    'connection refused',
    'check that sshd runs on the host, and the port (ansible_port, ssh_config)',
  ],
  EHOSTUNREACH: ['no route to host', 'check that the host is up, and ansible_host'],
  ENETUNREACH: ['network unreachable', 'check the routes of this machine'],
  ETIMEDOUT: ['no answer', 'check that the host is up, and firewalls on the way'],
  ENOTFOUND: ['the name does not resolve', 'check ansible_host, DNS and /etc/hosts'],
  EAI_AGAIN: ['the name server does not answer', 'check the name servers of this machine'],
  ECONNRESET: [
    'the connection was reset',
    'sshd may limit connections (MaxStartups, PerSourcePenalties, fail2ban): wait a minute, lower --forks, read its log',
  ],
};

/** An error of the system as the C library puts it, such as `connection reset by peer (ECONNRESET)`. */
export function inWords(error: NodeJS.ErrnoException): string {
  const [code, words] = getSystemErrorMap().get(error.errno ?? 0) ?? [];
  return code === undefined ? error.message : `${words} (${code})`;
}

/** E_CONNECT for an error of the network or of the SSH protocol before the connection stands. */
export function connectError(host: string, config: SshConfig, cause: Error): HostwrightError {
  const address = `${config.hostName} port ${config.port}`;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const reset = /before handshake|ended before|Channel open failure/i.test(cause.message)
    ? 'ECONNRESET'
    : code;
  const [what, hint] = reasons[reset] ?? [];
  const agreement = /no matching|handshake failed/i.test(cause.message)
    ? 'no common algorithm: compare with ssh -vv, and check HostKeyAlgorithms, KexAlgorithms, Ciphers and MACs'
    : `try it by hand: ssh -v -p ${config.port} ${config.user}@${config.hostName}`;
  return new HostwrightError(
    'E_CONNECT',
    `cannot connect to ${address}${what === undefined ? '' : `: ${what}`}`,
    {
      place: { host },
      found: cause.message || code,
      hint: hint ?? agreement,
      cause,
    },
  );
}

export function connectTimeout(host: string, config: SshConfig, milliseconds: number): HostwrightError {
  return new HostwrightError(
    'E_CONNECT',
    `no login on ${config.hostName} port ${config.port} within ${milliseconds / 1000} s`,
    {
      place: { host },
      hint: 'check that the host is up, and firewalls on the way, or raise ConnectTimeout in the ssh configuration',
    },
  );
}

/** E_CONNECT for a jump host that cannot reach the next host. */
export function unreachableFrom(
  host: string,
  jump: SshConfig,
  address: string,
  cause: unknown,
): HostwrightError {
  return new HostwrightError('E_CONNECT', `the jump host ${jump.hostName} cannot reach ${address}`, {
    place: { host },
    found: cause instanceof Error ? lastWords(cause.message) : '',
    hint: 'check that the host is up, and AllowTcpForwarding on the jump host',
    cause,
  });
}
