import ssh2, {
  type AnyAuthMethod,
  type OpenSSHAgent,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';
import { HostwrightError } from '../errors.ts';
import type { Secret } from '../secrets/secret.ts';
import { keyRefusal, signatureRefusal, type KeyPolicy } from './key-policy.ts';
import { isKey, type LoginKeys } from './login-keys.ts';
import type { LoginMethod, SshConfig } from './ssh-config.ts';

/** One way to log in, with its name for errors: `key /root/.ssh/id_ed25519`, `agent`, `password`. */
export interface Attempt {
  readonly name: string;
  readonly method: AnyAuthMethod;
}

export interface Authentication {
  readonly attempts: readonly Attempt[];
  /** Methods that could not be tried, with the reason: `key /root/.ssh/id_rsa is encrypted`. */
  readonly notes: string[];
}

export interface Login {
  readonly config: SshConfig;
  /** Named in the inventory: it is tried first, and it must be there. */
  readonly privateKeyFile?: string | undefined;
  readonly password?: Secret | undefined;
}

/**
 * Login methods in the order to try them: the key of the inventory, the agent, other keys, the password.
 * The key comes before the agent because servers count attempts, and an agent may be full of keys.
 */
export function prepareAuthentication(
  loginKeys: LoginKeys,
  { config, privateKeyFile, password }: Login,
): Authentication {
  const username = config.user;
  const notes: string[] = [];
  const keys: Attempt[] = [];
  const preferred: Buffer[] = [];
  for (const file of config.identityFiles) {
    const required = privateKeyFile !== undefined && file === config.identityFiles[0];
    const key = loginKeys.privateKey(file, config);
    preferred.push(...loginKeys.publicKeys(file));
    if (typeof key === 'string') {
      if (required || key !== 'does not exist') notes.push(`key ${file} ${key}`);
    } else {
      keys.push({ name: `key ${file}`, method: { type: 'publickey', username, key } });
    }
  }
  const first =
    privateKeyFile === undefined
      ? 0
      : keys.filter(({ name }) => name === `key ${config.identityFiles[0]}`).length;
  const agent: Attempt[] = [];
  if (config.agent !== undefined) {
    const keyring = new Keyring(config.agent, {
      preferred,
      only: config.identitiesOnly,
      policy: config,
      note: (text) => notes.push(text),
    });
    agent.push({ name: `agent ${config.agent}`, method: { type: 'agent', username, agent: keyring } });
  }
  const secret: Attempt[] = [];
  if (password !== undefined) {
    secret.push(
      { name: 'password', method: { type: 'password', username, password: password.reveal() } },
      {
        name: 'password (keyboard-interactive)',
        method: {
          type: 'keyboard-interactive',
          username,
          // Only a single hidden question can be about the password.
          prompt: (_name, _instructions, _language, prompts, finish) =>
            finish(prompts.map(({ echo }) => (echo === true || prompts.length > 1 ? '' : password.reveal()))),
        },
      },
    );
  }
  const attempts = [...keys.slice(0, first), ...agent, ...keys.slice(first), ...secret];
  const isAllowed = (attempt: Attempt): boolean => config.authentications.includes(methodOf(attempt));
  const withheld = attempts.filter((attempt) => !isAllowed(attempt));
  notes.push(...withheld.map(({ name }) => `${withheldBy} ${name}`));
  return {
    attempts: config.authentications.flatMap((method) =>
      attempts.filter((attempt) => methodOf(attempt) === method),
    ),
    notes,
  };
}

const withheldBy = 'the ssh configuration does not allow';

/** What a server calls the method of an attempt. */
export function methodOf({ method }: Attempt): LoginMethod {
  if (method.type === 'password' || method.type === 'keyboard-interactive') return method.type;
  return 'publickey';
}

/** E_AUTH with the methods that were tried and those that could not be. */
export function authenticationError(
  host: string,
  config: SshConfig,
  { notes }: Authentication,
  tried: readonly string[],
): HostwrightError {
  const encrypted = notes.find((note) => note.includes('is encrypted'))?.split(' ')[1];
  const found = [
    tried.length === 0 ? 'no key and no password' : `refused: ${tried.join(', ')}`,
    ...notes,
  ].join('; ');
  const hint =
    encrypted !== undefined
      ? `give the key to an agent: ssh-add ${encrypted}`
      : tried.length === 0 && notes.some((note) => note.startsWith(withheldBy))
        ? `check your ssh configuration: ssh -G ${config.hostName}`
        : tried.length === 0
          ? 'set ansible_ssh_private_key_file, add the key to an ssh agent, or set ansible_password'
          : `try it by hand: ssh -v -p ${config.port} ${config.user}@${config.hostName}`;
  return new HostwrightError('E_AUTH', `the login as ${config.user}@${config.hostName} is refused`, {
    place: { host },
    found,
    hint,
  });
}

interface KeyringOptions {
  /** The configured keys, which come first: servers count attempts. */
  readonly preferred: readonly Buffer[];
  /** Only these: IdentitiesOnly. */
  readonly only: boolean;
  readonly policy: KeyPolicy;
  /** Told of keys that may not be used. */
  readonly note: (text: string) => void;
}

/** The user's agent with the keys that may be used. A class because ssh2 asks for a descendant of its own. */
class Keyring extends ssh2.OpenSSHAgent {
  readonly #options: KeyringOptions;

  constructor(socket: string, options: KeyringOptions) {
    super(socket);
    this.#options = options;
  }

  override getIdentities(done: Parameters<OpenSSHAgent['getIdentities']>[0]): void {
    const { preferred, only, policy, note } = this.#options;
    super.getIdentities((error, keys) => {
      if (keys === undefined) {
        done(error);
        return;
      }
      const isConfigured = (key: unknown): boolean => {
        const blob = isKey(key) ? key.getPublicSSH() : undefined;
        return blob !== undefined && preferred.some((one) => one.equals(blob));
      };
      const wanted = [
        ...keys.filter(isConfigured),
        ...(only ? [] : keys.filter((key) => !isConfigured(key))),
      ];
      const usable = wanted.filter((key) => {
        const refusal = isKey(key) ? keyRefusal(key.getPublicSSH(), policy) : undefined;
        if (refusal !== undefined) note(`a key of the agent ${refusal}`);
        return refusal === undefined;
      });
      done(error, usable);
    });
  }

  override sign(
    key: ParsedKey | Buffer | string,
    data: Buffer,
    given?: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): boolean {
    const [options, done] = typeof given === 'function' ? [{}, given] : [given ?? {}, callback];
    const refusal = signatureRefusal(options.hash, this.#options.policy);
    if (refusal === undefined) return super.sign(key, data, options, done);
    done?.(refusal);
    return false;
  }
}
