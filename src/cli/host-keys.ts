import { Command } from 'commander';
import pLimit from 'p-limit';
import { HostwrightError } from '../errors.ts';
import { selectHosts, type Selection } from '../inventory/pattern.ts';
import { targetOf } from '../inventory/target.ts';
import { formatError } from '../report/error.ts';
import { ownKnownHosts } from '../transport/key-files.ts';
import {
  acceptHostKeys,
  createRouter,
  scanHostKeys,
  type HostKeyScan,
  type ScannedKey,
  type ScanStop,
} from '../transport/host-key-scan.ts';
import { didYouMean } from '../suggestion.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { readExpectedKeys, type ExpectedKeys } from './expected-keys.ts';
import { adviceLines, keyEvent, keyLines, type Outcome } from './host-key-lines.ts';
import { addHostOptions, forksOption } from './options.ts';
import { prompt } from './prompt.ts';
import { RepeatableOption } from './repeatable.ts';
import { readProject } from './project.ts';

interface ScanOptions extends Selection {
  readonly inventory?: string;
  readonly forks: number;
  readonly accept?: true;
  readonly fingerprint?: readonly string[];
  readonly json?: true;
}

interface Session {
  readonly accept: boolean;
  readonly json: boolean;
  readonly expected: ExpectedKeys;
}

/** A host that was asked for its keys. */
type Asked =
  | { readonly host: string; readonly error: HostwrightError }
  | { readonly host: string; readonly stop: ScanStop; readonly scan: HostKeyScan };

/** The result of `work`, or the HostwrightError that it rejects with. */
async function orError<Result>(work: Promise<Result>): Promise<Result | HostwrightError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof HostwrightError) return error;
    throw error;
  }
}

async function ask(stop: ScanStop): Promise<Asked> {
  const scan = await orError(scanHostKeys(stop));
  const { host } = stop;
  return scan instanceof HostwrightError ? { host, error: scan } : { host, stop, scan };
}

function withFingerprint(scan: HostKeyScan, fingerprints: ReadonlySet<string>): readonly ScannedKey[] {
  return scan.keys.filter((key) => fingerprints.has(key.fingerprint));
}

/** The keys of a new host that the user confirms. */
async function askUser(host: string, scan: HostKeyScan): Promise<readonly ScannedKey[]> {
  if (!process.stdin.isTTY) return [];
  const question = `Are these the keys of ${host}? To compare, run this on the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub [yes, no, or the fingerprint] `;
  const answer = (await prompt(question, { input: process.stdin, output: process.stderr })).trim();
  return answer === 'yes' ? scan.keys : withFingerprint(scan, new Set([answer]));
}

/** Compares the keys with the expected ones, and adds those of a new host once they are confirmed. */
async function finish(stop: ScanStop, scan: HostKeyScan, session: Session): Promise<Outcome> {
  const { host, config } = stop;
  const fingerprints = session.expected.get(host);
  const given = fingerprints && withFingerprint(scan, fingerprints);
  // A given fingerprint does not overrule a revoked or changed key.
  if (given?.length === 0 && (scan.state === 'known' || scan.state === 'new')) return 'unexpected';
  if (scan.state !== 'new' || !session.accept) return scan.state;
  if (ownKnownHosts(config) === undefined) {
    throw new HostwrightError('E_HOST_KEY', 'no known_hosts file is configured', {
      place: { host },
      found: `UserKnownHostsFile ${config.userKnownHostsFiles.join(' ') || 'none'}`,
      hint: 'name a file with UserKnownHostsFile in the ssh configuration or in ansible_ssh_common_args',
    });
  }
  const keys = given ?? (await askUser(host, scan));
  if (keys.length === 0) return 'new';
  acceptHostKeys(stop, keys);
  return 'accepted';
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Shows the keys of a host, asks about new ones, and returns the result. */
async function conclude(asked: Asked, session: Session): Promise<Outcome> {
  const lost = (error: HostwrightError, scan?: HostKeyScan): Outcome => {
    process.stderr.write(`${formatError(error)}\n`);
    if (session.json) write(JSON.stringify(keyEvent(asked.host, scan, 'unreachable')));
    return 'unreachable';
  };
  if ('error' in asked) return lost(asked.error);
  const { stop, scan } = asked;
  // The question needs them on the terminal.
  const shown = `${keyLines(stop, scan).join('\n')}\n`;
  if (session.json && session.accept) process.stderr.write(shown);
  else if (!session.json) process.stdout.write(shown);
  const outcome = await orError(finish(stop, scan, session));
  if (outcome instanceof HostwrightError) return lost(outcome, scan);
  if (session.json) write(JSON.stringify(keyEvent(asked.host, scan, outcome)));
  else for (const line of adviceLines(stop, scan, outcome)) write(line);
  return outcome;
}

function statusOf(outcomes: readonly Outcome[]): ExitStatus {
  const has = (...wanted: readonly Outcome[]): boolean => outcomes.some((one) => wanted.includes(one));
  if (has('changed', 'revoked', 'unexpected')) return exitStatus.failed;
  if (has('unreachable')) return exitStatus.unreachable;
  return has('new') ? exitStatus.changes : exitStatus.ok;
}

/** The hosts of a pattern and their jump hosts, by the name they are connected to. */
async function stopsOf(pattern: string, options: ScanOptions) {
  const { inventory, variables } = await readProject(options, process.env);
  const route = createRouter();
  const selected = await selectHosts(inventory, pattern, options);
  const ways = await Promise.all(
    selected.map(async ({ name }) => {
      const own = variables.get(name);
      const way = own === undefined ? [] : await orError(route(targetOf(name, own)));
      return way instanceof HostwrightError ? { host: name, error: way } : way;
    }),
  );
  const jumps = new Map<string, ScanStop>();
  const hosts: (ScanStop | Asked)[] = [];
  for (const way of ways) {
    if ('error' in way) {
      hosts.push(way);
      continue;
    }
    hosts.push(...way.slice(-1));
    for (const stop of way.slice(0, -1)) {
      const host = stop.config.hostName;
      jumps.set(JSON.stringify([host, stop.config.port]), { ...stop, host });
    }
  }
  return { jumps: [...jumps.values()], hosts };
}

function checkExpected(options: ScanOptions, expected: ExpectedKeys, names: readonly string[]): void {
  if (options.accept === true && expected.size === 0 && !process.stdin.isTTY) {
    throw new HostwrightError('E_USAGE', 'host keys cannot be confirmed without a terminal', {
      found: '--accept without a terminal',
      hint: 'give the fingerprints: --fingerprint HOST=SHA256:…, or --fingerprint @FILE',
    });
  }
  const stranger = [...expected.keys()].find((name) => !names.includes(name));
  if (stranger === undefined) return;
  throw new HostwrightError('E_USAGE', `--fingerprint names ${stranger}, which is not scanned`, {
    hint: didYouMean(stranger, names) ?? `scanned hosts: ${names.join(', ')}`,
  });
}

async function scan(pattern: string, options: ScanOptions): Promise<ExitStatus> {
  const expected = await readExpectedKeys(options.fingerprint ?? []);
  const { jumps, hosts } = await stopsOf(pattern, options);
  checkExpected(
    options,
    expected,
    [...jumps, ...hosts].map(({ host }) => host),
  );
  const session: Session = { accept: options.accept === true, json: options.json === true, expected };
  const outcomes: Outcome[] = [];
  // One after the other: a host behind a jump host can be reached only when the key of the jump host is known.
  for (const stop of jumps) outcomes.push(await conclude(await ask(stop), session));
  const limit = pLimit(options.forks);
  const asked = await Promise.all(
    hosts.map((host) => limit(async () => ('config' in host ? await ask(host) : host))),
  );
  for (const one of asked) outcomes.push(await conclude(one, session));
  const status = statusOf(outcomes);
  if (session.json) {
    const counts: Partial<Record<Outcome, number>> = {};
    for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
    const ok = status === exitStatus.ok;
    write(JSON.stringify({ type: 'summary', command: 'host-keys scan', ok, outcomes: counts }));
  } else if (status === exitStatus.changes && !session.accept) {
    write('\nNothing was written. With --accept, each new host is confirmed and added to known_hosts.');
  }
  return status;
}

/** `hostwright host-keys scan`: compares the keys of hosts with known_hosts. */
export function hostKeysCommand(finish: (status: ExitStatus) => void): Command {
  const command = addHostOptions(new Command('scan'))
    .description('compare the keys of hosts with known_hosts; writes nothing without --accept')
    .argument('[pattern]', 'hosts, as in --limit', 'all')
    .addOption(forksOption())
    .option('--accept', 'add the keys of new hosts to known_hosts after confirmation')
    .addOption(
      new RepeatableOption(
        '--fingerprint <host=fingerprint>',
        'expected fingerprint of a host, or @FILE with one host and fingerprint per line',
      ),
    )
    .option('--json', 'print one JSON object per line on stdout')
    .action(async (pattern: string, options: ScanOptions) => {
      finish(await scan(pattern, options));
    });
  return new Command('host-keys')
    .description('show host keys, and add those of new hosts to known_hosts')
    .addCommand(command);
}
