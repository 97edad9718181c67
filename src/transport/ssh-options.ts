/**
 * Every option that `ssh -G` shows, and what becomes of it. An option is followed, is refused where it is set
 * to something else than its default, or makes no difference here; docs/ssh.md is made of these tables.
 */

/** By the name of the option, how it is followed. */
export const followed: Readonly<Record<string, string>> = {
  AddressFamily: 'connects by it alone',
  BindAddress: 'connects from it',
  BindInterface: "connects from the interface's address, IPv4 first where the host is given by its name",
  CanonicalDomains: 'ssh resolves the name with it',
  CanonicalizeFallbackLocal: 'ssh resolves the name with it',
  CanonicalizeHostname: 'ssh resolves the name with it',
  CanonicalizeMaxDots: 'ssh resolves the name with it',
  CanonicalizePermittedCNAMEs: 'ssh resolves the name with it',
  CheckHostIP: '`yes`: the key must not be another than the one that is known for the address',
  Ciphers: 'no other is offered; one that ssh2 has must be among them',
  ConnectTimeout: 'until the connection stands; default 20 seconds',
  GlobalKnownHostsFile: 'read',
  HashKnownHosts: 'for keys that are added',
  Host: 'the name as it was given',
  HostKeyAlgorithms: 'no other is offered; one that ssh2 has must be among them',
  HostKeyAlias: 'the name that the key is known by',
  Hostname: 'connected to',
  IdentitiesOnly: 'the agent is asked for the configured keys only',
  IdentityAgent: "the agent's socket",
  IdentityFile: 'tried in this order',
  KbdInteractiveAuthentication: '`no`: no password is given this way',
  KexAlgorithms: 'no other is offered; one that ssh2 has must be among them',
  MACs: 'no other is offered; one that ssh2 has must be among them',
  PasswordAuthentication: '`no`: no password is given this way',
  Port: 'connected to; `ansible_port` wins',
  PreferredAuthentications: 'tried in this order, and no other way',
  ProxyJump: 'each jump host is checked as a host is',
  PubkeyAcceptedAlgorithms: 'no other key is offered, no other signature made; RSA signs with `rsa-sha2-256`',
  PubkeyAuthentication: '`no`: no key is offered',
  RequiredRSASize: 'smaller RSA keys are refused: of hosts, of jump hosts, your own',
  RevokedHostKeys: 'lists of public keys; a binary list (KRL) is refused',
  ServerAliveCountMax: 'with the next one: how long a host may be silent',
  ServerAliveInterval: 'default 15 seconds',
  StrictHostKeyChecking: '`accept-new` is followed; `ask`, and `no` too, are `yes`',
  User: 'logged in as; `ansible_user` wins',
  UserKnownHostsFile: 'read; keys that are added go to the first',
};

export interface Refusal {
  /** Whether the value, as ssh shows it, asks for nothing. */
  readonly allows: (value: string) => boolean;
  readonly why: string;
  readonly hint: string;
}

const none = (value: string): boolean => value === 'none';

export const refused: Readonly<Record<string, Refusal>> = {
  ChannelTimeout: {
    allows: none,
    why: 'the one channel is open as long as the run lasts',
    hint: 'set ChannelTimeout none for this host',
  },
  KnownHostsCommand: {
    allows: none,
    why: 'keys are read from files',
    hint: 'name a file with UserKnownHostsFile instead',
  },
  ProxyCommand: { allows: none, why: 'ssh2 makes the connection', hint: 'use ProxyJump instead' },
  RekeyLimit: {
    allows: (value) => /^0 0$/.test(value),
    why: 'ssh2 cannot begin an exchange of keys: the host does, and sshd has the limits of ssh',
    hint: 'set RekeyLimit default none for this host, and the limit in its sshd_config',
  },
};

const noForwarding = 'nothing is forwarded';
const noKerberos = 'Kerberos is not tried: a host that wants it refuses the login';
const noTerminal = 'there is no terminal on the host';
const noSharing = 'there is one connection a host, of its own';
const noHostbased = 'this way of logging in is not tried';
const noKeyOfKind = 'keys on tokens and certificates of users are not offered';
const quiet = 'about what ssh itself prints';
const noCommand = 'only its own commands are run';

/** By the name of the option, why it makes no difference: nothing that it would forbid is done. */
export const harmless: Readonly<Record<string, string>> = {
  AddKeysToAgent: 'no key is added',
  BatchMode: 'nothing is asked',
  CASignatureAlgorithms: 'certificates of hosts are not accepted',
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
  IgnoreUnknown: 'about the reading of the configuration',
  IPQoS: 'a mark on packets',
  KbdInteractiveDevices: 'the host chooses how it asks for the password',
  LocalCommand: noCommand,
  LocalForward: noForwarding,
  LogLevel: quiet,
  LogVerbose: quiet,
  NoHostAuthenticationForLocalhost: 'keys are always checked',
  NumberOfPasswordPrompts: 'a password is given once',
  ObscureKeystrokeTiming: noTerminal,
  PermitLocalCommand: noCommand,
  PermitRemoteOpen: noForwarding,
  PKCS11Provider: noKeyOfKind,
  ProxyUseFdpass: 'goes with ProxyCommand',
  RemoteCommand: noCommand,
  RemoteForward: noForwarding,
  RequestTTY: noTerminal,
  SecurityKeyProvider: noKeyOfKind,
  SendEnv: 'commands have an environment of their own',
  SessionType: noCommand,
  SetEnv: 'commands have an environment of their own',
  StdinNull: noCommand,
  StreamLocalBindMask: noForwarding,
  StreamLocalBindUnlink: noForwarding,
  SyslogFacility: quiet,
  Tag: 'about the reading of the configuration',
  TCPKeepAlive: 'ServerAliveInterval finds out dead links',
  Tunnel: noForwarding,
  TunnelDevice: noForwarding,
  UpdateHostKeys: 'no key is learnt from a host',
  UseKeychain: 'of macOS: no passphrase is asked',
  VerifyHostKeyDNS: 'a key must be in known_hosts, whatever the DNS says',
  VersionAddendum: 'a text about the client',
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
