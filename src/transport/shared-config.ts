import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { askSsh, readSettings, type ConfigRequest, type Settings, type SshConfig } from './ssh-config.ts';

/** The patterns of all `Host` lines; undefined where something else may tell hosts apart too. */
type HostPatterns = readonly RegExp[] | undefined;

/** `*` and `?`, as ssh_config(5) has them. */
function patternExpression(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

/** Reads the lines of a configuration for what depends on the name of the host. */
export function hostPatterns(text: string): HostPatterns {
  const patterns: RegExp[] = [];
  for (const line of text.split('\n')) {
    const [, keyword = '', value = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    if (/^(hostname|canonical.*)$/i.test(keyword) || value.includes('%')) return undefined;
    if (/^match$/i.test(keyword) && !/^all$/i.test(value)) return undefined;
    if (!/^host$/i.test(keyword)) continue;
    for (const word of value.split(/\s+/)) {
      patterns.push(patternExpression(word.replaceAll('"', '').replace(/^!/, '')));
    }
  }
  return patterns;
}

/** Names that ssh takes as they are; it writes others in another way. */
function isPlain(address: string): boolean {
  return isIPv4(address) || /^[a-z][a-z0-9.-]*$/.test(address);
}

function mayShare({ address, sshArgs = '', privateKeyFile = '' }: ConfigRequest): boolean {
  return isPlain(address) && !/%|hostname|canonical|match/i.test(`${sshArgs} ${privateKeyFile}`);
}

/** What the files say that ssh has read, by the words of `ssh -v`; it prints its version unless told to be quiet. */
async function patternsOf(words: string): Promise<HostPatterns> {
  if (!words.startsWith('OpenSSH_')) return undefined;
  const files = [...words.matchAll(/^debug1: Reading configuration data (.+?)\r?$/gm)].flatMap(
    ([, file]) => file ?? [],
  );
  try {
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    const found = texts.map(hostPatterns);
    return found.includes(undefined) ? undefined : found.flatMap((patterns) => patterns ?? []);
  } catch {
    return undefined;
  }
}

/**
 * Resolves hosts as resolveConfig does, but asks ssh only once for all hosts that its configuration cannot
 * tell apart: with a thousand of them the processes would take longer than the connections.
 */
export function createSharedResolver(
  resolveAlone: (request: ConfigRequest) => Promise<SshConfig>,
): (request: ConfigRequest) => Promise<SshConfig> {
  const patterns = new Map<string, Promise<HostPatterns>>();
  const answers = new Map<string, Promise<Settings>>();

  const keyOf = (request: ConfigRequest, found: readonly RegExp[]): string => {
    const { address, ...common } = request;
    return JSON.stringify([{ ...common, host: '', port: 0 }, found.map((pattern) => pattern.test(address))]);
  };

  /** The first question of its kind tells what tells hosts apart, and is the answer for its like as well. */
  const askFirst = async (request: ConfigRequest): Promise<HostPatterns> => {
    const { settings, words } = await askSsh(request, ['-v']);
    const found = await patternsOf(words);
    if (found !== undefined) answers.set(keyOf(request, found), Promise.resolve(settings));
    return found;
  };

  const share = async (request: ConfigRequest): Promise<SshConfig> => {
    const { port, ...common } = request;
    const how = request.sshArgs ?? '';
    const known = patterns.get(how) ?? askFirst(common);
    patterns.set(how, known);
    const found = await known;
    if (found === undefined) return resolveAlone(request);
    const key = keyOf(request, found);
    const answer = answers.get(key) ?? askSsh(common).then(({ settings }) => settings);
    answers.set(key, answer);
    // Both win over any configuration that can be shared.
    const own: [string, readonly string[]][] = [['hostname', [request.address]]];
    if (port !== undefined) own.push(['port', [String(port)]]);
    return readSettings(new Map([...(await answer), ...own]), request);
  };

  return async (request) => {
    if (!mayShare(request)) return resolveAlone(request);
    try {
      return await share(request);
    } catch {
      // The error may be another host's.
      return resolveAlone(request);
    }
  };
}
