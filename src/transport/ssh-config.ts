import { execFile } from 'node:child_process';
import { homedir, hostname, userInfo } from 'node:os';
import { HostwrightError } from '../errors.ts';
import { refusedOption, unknownOptions } from './ssh-options.ts';
import { lastWords } from './start-error.ts';
import { splitWords } from './words.ts';

/** What is asked for; everything given wins over the user's ssh configuration. */
export interface ConfigRequest {
  /** The name of the host in errors. */
  readonly host: string;
  readonly address: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly privateKeyFile?: string | undefined;
  /** Further arguments of ssh: `-o ProxyJump=bastion -F ./ssh_config`. */
  readonly sshArgs?: string | undefined;
}

export type LoginMethod = 'publickey' | 'password' | 'keyboard-interactive';

/** The answer of `ssh -G`, as far as it matters here. */
export interface SshConfig {
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  /** The inventory's own key first; not all of them need to exist. */
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** The socket of the agent. */
  readonly agent: string | undefined;
  /** `[user@]host[:port]`, in the order of travel. */
  readonly proxyJump: readonly string[];
  readonly hostKeyAlias: string | undefined;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  /** Files. */
  readonly revokedHostKeys: readonly string[];
  readonly strictHostKeyChecking: 'yes' | 'accept-new' | 'no';
  readonly hashKnownHosts: boolean;
  readonly checkHostIp: boolean;
  /** Bits. */
  readonly requiredRsaSize: number;
  /** Seconds; undefined where nothing is said. */
  readonly connectTimeout: number | undefined;
  /** Seconds; 0 where nothing is said. */
  readonly serverAliveInterval: number;
  readonly serverAliveCountMax: number;
  readonly addressFamily: 'any' | 'inet' | 'inet6';
  readonly bindAddress: string | undefined;
  readonly bindInterface: string | undefined;
  /** The ways to log in, in the order to be tried. */
  readonly authentications: readonly LoginMethod[];
  /** Names; undefined for all. */
  readonly pubkeyAlgorithms: readonly string[] | undefined;
  /** Names in the user's order; undefined for all. */
  readonly hostKeyAlgorithms: readonly string[] | undefined;
  readonly kexAlgorithms: readonly string[] | undefined;
  readonly ciphers: readonly string[] | undefined;
  readonly macs: readonly string[] | undefined;
}

/**
 * Resolves a host as the user's own ssh would; E_CONNECT where ssh finds its configuration wrong, or asks
 * for what cannot be done here. Without an ssh on the machine its defaults apply.
 */
export async function resolveConfig(request: ConfigRequest): Promise<SshConfig> {
  return readSettings((await askSsh(request)).settings, request);
}

/** The lines of `ssh -G`: names with their values. */
export type Settings = ReadonlyMap<string, readonly string[]>;

export interface SshAnswer {
  readonly settings: Settings;
  /** What ssh says besides; with `-v` the files that it reads. */
  readonly words: string;
}

/** E_CONNECT as resolveConfig. */
export async function askSsh(request: ConfigRequest, options: readonly string[] = []): Promise<SshAnswer> {
  const { stdout, stderr } = await runSsh(request, options);
  const settings = parseSettings(stdout);
  await refuseUnknown(request, settings);
  return { settings, words: stderr };
}

/** What `ssh -G` prints, with names in lower case. */
export function parseSettings(text: string): Settings {
  const settings = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const key = name.toLowerCase();
    settings.set(key, [...(settings.get(key) ?? []), value]);
  }
  return settings;
}

/** An option that only a newer ssh knows is no harm at its default; only then ssh is asked what that is. */
async function refuseUnknown(request: ConfigRequest, settings: Settings): Promise<void> {
  const unknown = unknownOptions(settings);
  if (unknown.length === 0) return;
  const plain = { host: request.host, address: request.address, sshArgs: '-F none' };
  const defaults = parseSettings((await runSsh(plain, [])).stdout);
  const changed = unknown.find((name) => settings.get(name)?.join('\n') !== defaults.get(name)?.join('\n'));
  if (changed === undefined) return;
  throw unsupported(request, {
    name: changed,
    value: settings.get(changed)?.join(', ') ?? '',
    why: 'this version of Hostwright does not know it',
    hint: 'leave it at its default for this host',
  });
}

function sshArguments(request: ConfigRequest): readonly string[] {
  const options = [
    ...(request.port === undefined ? [] : ['-o', `Port=${request.port}`]),
    ...(request.user === undefined ? [] : ['-o', `User=${request.user}`]),
    ...(request.privateKeyFile === undefined ? [] : ['-o', `IdentityFile="${request.privateKeyFile}"`]),
  ];
  return ['-G', ...options, ...splitWords(request.sshArgs ?? ''), '--', request.address];
}

async function runSsh(
  request: ConfigRequest,
  options: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const place = { host: request.host };
  return new Promise((resolve, reject) => {
    execFile('ssh', [...options, ...sshArguments(request)], { timeout: 20_000 }, (error, stdout, stderr) => {
      if (error === null) {
        resolve({ stdout, stderr });
      } else if (error.code !== 'ENOENT') {
        const found = lastWords(stderr) || lastWords(error.message);
        const hint = `check the ssh configuration: ssh -G ${request.address}`;
        reject(new HostwrightError('E_CONNECT', 'ssh cannot read its configuration', { place, found, hint }));
      } else if (request.sshArgs === undefined || request.sshArgs.trim() === '') {
        resolve({ stdout: '', stderr: '' });
      } else {
        const hint = 'install openssh-client, or remove ansible_ssh_common_args';
        reject(
          new HostwrightError('E_CONNECT', 'ansible_ssh_common_args need ssh on this machine', {
            place,
            hint,
          }),
        );
      }
    });
  });
}

/** `settings` with what the request itself says. */
export function readSettings(settings: Settings, request: ConfigRequest): SshConfig {
  const one = (name: string): string | undefined => {
    const value = settings.get(name)?.[0];
    return value === undefined || value === 'none' ? undefined : value;
  };
  const list = (name: string): readonly string[] | undefined => one(name)?.split(',');
  const isOff = (name: string): boolean => /^(no|false)$/.test(one(name) ?? '');
  const hostName = one('hostname') ?? request.address;
  const port = Number(one('port') ?? request.port ?? 22);
  const user = one('user') ?? request.user ?? userInfo().username;
  const alias = one('hostkeyalias');
  const expand = (path: string): string =>
    expandPath(path, {
      h: hostName,
      n: request.address,
      p: String(port),
      r: user,
      k: alias ?? request.address,
    });
  const files = (name: string, otherwise: string): readonly string[] =>
    (settings.get(name)?.[0] ?? otherwise)
      .split(/\s+/)
      .filter((file) => file !== '' && file !== 'none')
      .map(expand);
  const refused = refusedOption(settings);
  if (refused !== undefined) throw unsupported(request, refused);
  const agent =
    one('identityagent') ?? (settings.get('identityagent') === undefined ? 'SSH_AUTH_SOCK' : undefined);
  const explicit = request.privateKeyFile === undefined ? [] : [request.privateKeyFile];
  const identities = [...explicit, ...(settings.get('identityfile') ?? defaultIdentities)].map(expand);
  return {
    hostName,
    port,
    user,
    identityFiles: [...new Set(identities)],
    identitiesOnly: one('identitiesonly') === 'yes',
    agent:
      agent === 'SSH_AUTH_SOCK'
        ? process.env['SSH_AUTH_SOCK']
        : agent?.startsWith('$') === true
          ? process.env[agent.slice(1)]
          : agent && expand(agent),
    proxyJump: list('proxyjump') ?? [],
    hostKeyAlias: alias,
    userKnownHostsFiles: files('userknownhostsfile', '~/.ssh/known_hosts ~/.ssh/known_hosts2'),
    globalKnownHostsFiles: files(
      'globalknownhostsfile',
      '/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2',
    ),
    revokedHostKeys: files('revokedhostkeys', ''),
    strictHostKeyChecking: strictness(one('stricthostkeychecking')),
    hashKnownHosts: one('hashknownhosts') === 'yes',
    checkHostIp: one('checkhostip') === 'yes',
    requiredRsaSize: Number(one('requiredrsasize') ?? 1024),
    connectTimeout: Number(one('connecttimeout') ?? 0) || undefined,
    serverAliveInterval: Number(one('serveraliveinterval') ?? 0),
    serverAliveCountMax: Number(one('serveralivecountmax') ?? 3),
    addressFamily: family(one('addressfamily')),
    bindAddress: one('bindaddress'),
    bindInterface: one('bindinterface'),
    authentications: loginMethods(list('preferredauthentications'), isOff),
    pubkeyAlgorithms: list('pubkeyacceptedalgorithms'),
    hostKeyAlgorithms: list('hostkeyalgorithms'),
    kexAlgorithms: list('kexalgorithms'),
    ciphers: list('ciphers'),
    macs: list('macs'),
  };
}

const defaultIdentities = ['~/.ssh/id_rsa', '~/.ssh/id_ecdsa', '~/.ssh/id_ed25519'];

const loginOptions = {
  publickey: 'pubkeyauthentication',
  password: 'passwordauthentication',
  'keyboard-interactive': 'kbdinteractiveauthentication',
} as const satisfies Readonly<Record<LoginMethod, string>>;

function isLoginMethod(name: string): name is LoginMethod {
  return Object.hasOwn(loginOptions, name);
}

function loginMethods(
  preferred: readonly string[] | undefined,
  isOff: (option: string) => boolean,
): readonly LoginMethod[] {
  return (preferred ?? Object.keys(loginOptions))
    .filter(isLoginMethod)
    .filter((method) => !isOff(loginOptions[method]));
}

function strictness(value: string | undefined): SshConfig['strictHostKeyChecking'] {
  if (value === 'accept-new') return value;
  return value === 'false' || value === 'no' || value === 'off' ? 'no' : 'yes';
}

function family(value: string | undefined): SshConfig['addressFamily'] {
  return value === 'inet' || value === 'inet6' ? value : 'any';
}

function unsupported(
  request: ConfigRequest,
  { name, value, why, hint }: NonNullable<ReturnType<typeof refusedOption>>,
): HostwrightError {
  return new HostwrightError('E_CONNECT', `${name} in the ssh configuration is not supported: ${why}`, {
    place: { host: request.host },
    found: `${name} ${value}`,
    hint,
  });
}

/** `~`, the tokens of ssh_config(5) that can stand in file names, and `${NAME}` of the environment. */
function expandPath(path: string, tokens: Readonly<Record<string, string>>): string {
  // Asking who and where this is takes a while, for each of several files of each host.
  const values = (): Readonly<Record<string, string>> => ({
    ...tokens,
    '%': '%',
    d: homedir(),
    u: userInfo().username,
    i: String(userInfo().uid),
    l: hostname(),
    L: hostname().replace(/\..*/, ''),
  });
  return path
    .replace(/^~(?=\/|$)/, () => homedir())
    .replaceAll(/%(.)/g, (token, letter: string) => values()[letter] ?? token)
    .replaceAll(/\$\{(\w+)\}/g, (_, name: string) => process.env[name] ?? '');
}
