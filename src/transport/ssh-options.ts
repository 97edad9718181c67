/**
 * Every option that `ssh -G` shows. An option is followed, or refused when it is set
 * to something other than its default, or makes no difference here. docs/ssh.md is generated from these tables.
 */

/** By the name of the option, how it is followed. */
export const followed: Readonly<Record<string, string>> = {
  AddressFamily: 'only this family is used',
  BindAddress: 'the connection starts from it',
  BindInterface: "the connection starts from the interface's address; for a host name IPv4 first",
  CanonicalDomains: 'ssh resolves the name with it',
  CanonicalizeFallbackLocal: 'ssh resolves the name with it',
  CanonicalizeHostname: 'ssh resolves the name with it',
  CanonicalizeMaxDots: 'ssh resolves the name with it',
  CanonicalizePermittedCNAMEs: 'ssh resolves the name with it',
  CheckHostIP: '`yes`: the key must match the known key of the address too',
  Ciphers: 'only these are offered; ssh2 must support at least one',
  ConnectTimeout: 'until the connection is open; default 20 seconds',
  GlobalKnownHostsFile: 'read',
  HashKnownHosts: 'applies to added keys',
  Host: 'the given name',
  HostKeyAlgorithms: 'only these are offered; ssh2 must support at least one',
  HostKeyAlias: 'the name of the host in known_hosts',
  Hostname: 'the name or address to connect to',
  IdentitiesOnly: 'of the agent, only the configured keys are tried',
  IdentityAgent: 'the socket of the agent',
  IdentityFile: 'keys are tried in this order',
  KbdInteractiveAuthentication: '`no`: this method is not tried',
  KexAlgorithms: 'only these are offered; ssh2 must support at least one',
  MACs: 'only these are offered; ssh2 must support at least one',
  PasswordAuthentication: '`no`: this method is not tried',
  Port: 'the port to connect to; `ansible_port` takes precedence',
  PreferredAuthentications: 'only these methods are tried, in this order',
  ProxyJump: 'the keys of jump hosts are checked too',
  PubkeyAcceptedAlgorithms:
    'only these keys are offered, and only these signatures made; RSA signs with `rsa-sha2-256`',
  PubkeyAuthentication: '`no`: this method is not tried',
  RequiredRSASize: 'smaller RSA keys are refused: those of hosts, of jump hosts, and your own',
  RevokedHostKeys: 'lists of public keys; a binary list (KRL) is refused',
  ServerAliveCountMax: 'times `ServerAliveInterval`: how long a host may be silent',
  ServerAliveInterval: 'default 15 seconds',
  StrictHostKeyChecking: '`accept-new` is followed; `ask` and `no` count as `yes`',
  User: 'the login user; `ansible_user` takes precedence',
  UserKnownHostsFile: 'read; new keys are added to the first file',
};

export interface Refusal {
  /** Whether the value, as ssh shows it, is the default. */
  readonly allows: (value: string) => boolean;
  readonly why: string;
  readonly hint: string;
}

const none = (value: string): boolean => value === 'none';

export const refused: Readonly<Record<string, Refusal>> = {
  ChannelTimeout: {
    allows: none,
    why: 'the only channel stays open during the whole run',
    hint: 'set ChannelTimeout none for this host',
  },
  KnownHostsCommand: {
    allows: none,
    why: 'keys are read only from files',
    hint: 'use a file with UserKnownHostsFile',
  },
  ProxyCommand: { allows: none, why: 'ssh2 opens the connection', hint: 'use ProxyJump' },
  RekeyLimit: {
    allows: (value) => /^0 0$/.test(value),
    why: 'ssh2 cannot start a key exchange: the host does, with the same default limits',
    hint: 'set RekeyLimit default none for this host, and the limit in its sshd_config',
  },
};

const noForwarding = 'nothing is forwarded';
const noKerberos = 'Kerberos is not supported: a host that requires it refuses the login';
const noTerminal = 'there is no terminal on the host';
const noSharing = 'each host has one connection';
const noHostbased = 'this method is not tried';
const noKeyOfKind = 'keys on tokens and user certificates are not offered';
const quiet = 'concerns the output of ssh';
const noCommand = 'only commands of Hostwright run';

/** Options without effect, with the reason: Hostwright does nothing that they forbid. */
export const harmless: Readonly<Record<string, string>> = {
  AddKeysToAgent: 'no key is added',
  BatchMode: 'no questions are asked',
  CASignatureAlgorithms: 'host certificates are not accepted',
  CertificateFile: noKeyOfKind,
  ClearAllForwardings: noForwarding,
  Compression: 'nothing is compressed',
  ConnectionAttempts: 'there is one attempt',
  ControlMaster: noSharing,
  ControlPath: noSharing,
  ControlPersist: noSharing,
  DynamicForward: noForwarding,
  EnableEscapeCommandline: noTerminal,
  EnableSSHKeysign: noHostbased,
  EscapeChar: noTerminal,
  ExitOnForwardFailure: noForwarding,
  FingerprintHash: 'fingerprints are SHA-256',
  ForkAfterAuthentication: noCommand,
  ForwardAgent: noForwarding,
  ForwardX11: noForwarding,
  ForwardX11Timeout: noForwarding,
  ForwardX11Trusted: noForwarding,
  GatewayPorts: noForwarding,
  GSSAPIAuthentication: noKerberos,
  GSSAPIClientIdentity: noKerberos,
  GSSAPIDelegateCredentials: noKerberos,
  GSSAPIKexAlgorithms: noKerberos,
  GSSAPIKeyExchange: noKerberos,
  GSSAPIRenewalForcesRekey: noKerberos,
  GSSAPIServerIdentity: noKerberos,
  GSSAPITrustDns: noKerberos,
  HostbasedAcceptedAlgorithms: noHostbased,
  HostbasedAuthentication: noHostbased,
  IgnoreUnknown: 'concerns the parsing of the configuration',
  IPQoS: 'marks packets',
  KbdInteractiveDevices: 'the host chooses how to ask for the password',
  LocalCommand: noCommand,
  LocalForward: noForwarding,
  LogLevel: quiet,
  LogVerbose: quiet,
  NoHostAuthenticationForLocalhost: 'keys are always checked',
  NumberOfPasswordPrompts: 'a password is tried once',
  ObscureKeystrokeTiming: noTerminal,
  PermitLocalCommand: noCommand,
  PermitRemoteOpen: noForwarding,
  PKCS11Provider: noKeyOfKind,
  ProxyUseFdpass: 'belongs to ProxyCommand',
  RemoteCommand: noCommand,
  RemoteForward: noForwarding,
  RequestTTY: noTerminal,
  SecurityKeyProvider: noKeyOfKind,
  SendEnv: 'commands have a fixed environment',
  SessionType: noCommand,
  SetEnv: 'commands have a fixed environment',
  StdinNull: noCommand,
  StreamLocalBindMask: noForwarding,
  StreamLocalBindUnlink: noForwarding,
  SyslogFacility: quiet,
  Tag: 'concerns the parsing of the configuration',
  TCPKeepAlive: 'ServerAliveInterval detects dead connections',
  Tunnel: noForwarding,
  TunnelDevice: noForwarding,
  UpdateHostKeys: 'keys are not learnt from hosts',
  UseKeychain: 'macOS only: no passphrase is asked',
  VerifyHostKeyDNS: 'a key must be in known_hosts, not only in DNS',
  VersionAddendum: 'the version text of the client',
  VisualHostKey: quiet,
  WarnWeakCrypto: quiet,
  XAuthLocation: noForwarding,
};

function byLowerCase<Value>(
  table: Readonly<Record<string, Value>>,
): ReadonlyMap<string, readonly [string, Value]> {
  return new Map(Object.entries(table).map(([name, value]) => [name.toLowerCase(), [name, value]]));
}

const refusals = byLowerCase(refused);
const known = new Set([
  ...Object.keys({ ...followed, ...harmless }).map((name) => name.toLowerCase()),
  ...refusals.keys(),
]);

/** The first option that is set to what is refused, by its settings as `ssh -G` shows them. */
export function refusedOption(
  settings: ReadonlyMap<string, readonly string[]>,
):
  { readonly name: string; readonly value: string; readonly why: string; readonly hint: string } | undefined {
  for (const [key, [name, { allows, why, hint }]] of refusals) {
    const value = settings.get(key)?.find((one) => !allows(one));
    if (value !== undefined) return { name, value, why, hint };
  }
  return undefined;
}

/** The options of an ssh that is newer than this list, in lower case. */
export function unknownOptions(settings: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return [...settings.keys()].filter((key) => !known.has(key));
}
