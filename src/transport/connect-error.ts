import { getSystemErrorMap } from 'node:util';
import { HostwrightError } from '../errors.ts';
import type { SshConfig } from './ssh-config.ts';
import { lastWords } from './start-error.ts';

const reasons: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: [
    'nothing listens',
    'see that sshd runs there, and that ansible_port is right (ansible_port, ssh_config)',
  ],
  EHOSTUNREACH: ['no way leads there', 'see that the host is up and ansible_host is right'],
  ENETUNREACH: ['no way leads to its network', 'see to the routes of this machine'],
  ETIMEDOUT: ['it does not answer', 'see that the host is up and no firewall is in between'],
  ENOTFOUND: ['its name does not resolve', 'correct ansible_host, or see to DNS and /etc/hosts'],
  EAI_AGAIN: ['its name does not resolve now', 'see to the name servers of this machine'],
  ECONNRESET: [
    'the connection was reset',
    'sshd may limit connections (MaxStartups, PerSourcePenalties, fail2ban): wait a minute, lower --forks, look at its log',
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
    ? 'host and user share no algorithm: compare with ssh -vv, mind HostKeyAlgorithms, KexAlgorithms, Ciphers, MACs'
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
    `${config.hostName} port ${config.port} did not let us in within ${milliseconds / 1000} s`,
    {
      place: { host },
      hint: 'see that the host is up and no firewall is in between, or raise ConnectTimeout in the ssh configuration',
    },
  );
}

/** E_CONNECT for a jump host that cannot go on. */
export function unreachableFrom(
  host: string,
  jump: SshConfig,
  address: string,
  cause: unknown,
): HostwrightError {
  return new HostwrightError('E_CONNECT', `the jump host ${jump.hostName} cannot reach ${address}`, {
    place: { host },
    found: cause instanceof Error ? lastWords(cause.message) : '',
    hint: 'see that the host is up, and that AllowTcpForwarding of the jump host lets it be reached',
    cause,
  });
}
