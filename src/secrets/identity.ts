import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { HostwrightError } from '../errors.ts';

/** The file of the user's identity: `HOSTWRIGHT_IDENTITY`, or `~/.config/hostwright/identity.txt`. */
export function identityFile(environment: NodeJS.ProcessEnv): string {
  return (
    environment['HOSTWRIGHT_IDENTITY'] ||
    join(environment['HOME'] || homedir(), '.config/hostwright/identity.txt')
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

interface Entry {
  readonly text: string;
  readonly line: number;
}

/** The lines of a file of age's own format, without comments; undefined where there is no such file. */
async function entries(file: string): Promise<readonly Entry[] | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new HostwrightError('E_SECRET', 'the key file cannot be read', { place: { file }, cause: error });
  }
  return text
    .split('\n')
    .map((content, index) => ({ text: content.trim(), line: index + 1 }))
    .filter((entry) => entry.text !== '' && !entry.text.startsWith('#'));
}

interface Identity {
  /** `AGE-SECRET-KEY-1…` */
  readonly key: string;
  /** `age1…` */
  readonly recipient: string;
}

async function readOwn(file: string): Promise<readonly Identity[]> {
  const lines = await entries(file);
  if (lines === undefined) return [];
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) {
    throw new HostwrightError('E_SECRET', 'other users can read the identity', {
      place: { file },
      found: `mode ${(mode & 0o777).toString(8).padStart(4, '0')}`,
      expected: 'mode 0600',
      hint: `run chmod 600 ${file}`,
    });
  }
  if (lines.length === 0)
    throw new HostwrightError('E_SECRET', 'the identity file is empty', { place: { file } });
  const { identityToRecipient } = await import('age-encryption');
  return await Promise.all(
    lines.map(async ({ text, line }) => {
      try {
        return { key: text, recipient: await identityToRecipient(text) };
      } catch {
        throw new HostwrightError('E_SECRET', 'the line is not an identity', {
          place: { file, line },
          expected: 'a line that begins with AGE-SECRET-KEY-',
        });
      }
    }),
  );
}

/** The keys of an identity file; none if it does not exist. E_SECRET if it is invalid. */
export async function readIdentities(file: string): Promise<readonly string[]> {
  return (await readOwn(file)).map((identity) => identity.key);
}

/** Creates the identity (0600) if it does not exist. Returns its recipient. */
export async function ensureIdentity(file: string): Promise<string> {
  const [existing] = await readOwn(file);
  if (existing !== undefined) return existing.recipient;
  const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
  const key = await generateX25519Identity();
  const recipient = await identityToRecipient(key);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, identityText(key, recipient), { mode: 0o600, flag: 'wx', flush: true });
    // Unlike a rename, a link fails if the file exists: of two first runs at once only one creates the identity.
    await link(draft, file);
    return recipient;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return await ensureIdentity(file);
  } finally {
    await rm(draft, { force: true });
  }
}

function identityText(key: string, recipient: string): string {
  return `# The identity of hostwright, made ${new Date().toISOString()}
# Who has it can read the secrets of the inventories: keep a copy in a safe place.
# public key: ${recipient}
${key}
`;
}

/** Beside the hosts; Ansible ignores `.txt` files in an inventory. */
export const recipientsFile = 'recipients.txt';

/**
 * The recipients of an inventory's secrets: the lines of `recipients.txt` in its folder, or the
 * user's identity, which is created if it does not exist. E_SECRET if the user is not a recipient: the next run
 * could not decrypt the value.
 */
export async function inventoryRecipients(folder: string, ownFile: string): Promise<readonly string[]> {
  const file = join(folder, recipientsFile);
  const own = await ensureIdentity(ownFile);
  const listed = await entries(file);
  if (listed === undefined) return [own];
  for (const { text, line } of listed) {
    if (/^age1[a-z0-9]+$/.test(text)) continue;
    throw new HostwrightError('E_SECRET', 'the line is not a recipient', {
      place: { file, line },
      expected: 'a line that begins with age1',
      hint: 'hostwright secrets init prints your recipient',
    });
  }
  const recipients = listed.map((entry) => entry.text);
  const everyOwn = (await readOwn(ownFile)).map((identity) => identity.recipient);
  if (everyOwn.some((recipient) => recipients.includes(recipient))) return recipients;
  throw new HostwrightError('E_SECRET', 'the secrets of this inventory are not encrypted for your identity', {
    place: { file },
    hint: `add the line ${own}, and ask a person who can read the secrets to run hostwright secrets rotate`,
  });
}
