import { HostwrightError } from '../errors.ts';
import { sh, type Script } from '../transport/shell.ts';
import type { Transport } from '../transport/transport.ts';
import { fields, parseEntry, type Entry } from './entry.ts';

/** What is asked of the journal of each host, in the words of journalctl. */
export interface Query {
  readonly since?: string;
  readonly until?: string;
  readonly units: readonly string[];
  readonly grep?: string;
  readonly priority?: string;
}

/** Where and how a reading begins. */
export interface Start {
  /** The last entry that is known: the reading begins after it, instead of at `since`. */
  readonly cursor?: string | undefined;
  /** Goes on when the end of the journal is reached. */
  readonly follows?: boolean;
}

function option(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [`--${name}=${value}`];
}

/**
 * It begins with the entry of the cursor itself and not after it: where that entry is gone, `--after-cursor` would
 * leave out the one that takes its place.
 */
function words(query: Query, { cursor, follows = false }: Start): readonly string[] {
  return [
    ...option('until', query.until),
    ...query.units.flatMap((unit) => option('unit', unit)),
    ...option('grep', query.grep),
    ...option('priority', query.priority),
    ...(cursor === undefined ? option('since', query.since) : option('cursor', cursor)),
    ...(follows ? ['--follow', '--no-tail'] : []),
  ];
}

/** The last line says how it ended: without it, the output is not whole. No entry can pass for it. */
const ending = /^end (\d{1,3})$/;

function script(query: Query, start: Start): Script {
  return sh`journalctl --quiet --no-pager --output=json --output-fields=${fields.join(',')} ${words(query, start)} </dev/null
echo "end $?"`;
}

/** Bytes; journalctl shortens each field, so that no line comes near it. */
const longestLine = 1024 * 1024;

/** Lines as they come, several at a time. */
async function* linesOf(host: string, output: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of output) {
    const end = chunk.lastIndexOf(0x0a);
    if (end === -1) {
      rest = Buffer.concat([rest, chunk]);
      if (rest.length <= longestLine) continue;
      throw new HostwrightError('E_REMOTE', 'journalctl wrote a line without end', {
        place: { host },
        expected: `at most ${longestLine} bytes`,
      });
    }
    const whole = Buffer.concat([rest, chunk.subarray(0, end)]).toString();
    rest = Buffer.from(chunk.subarray(end + 1));
    yield whole.split('\n');
  }
}

/** E_USAGE for what journalctl does not accept: the same on every host. */
function refused(host: string, said: string): HostwrightError {
  const reason = said.trim().split('\n').at(-1) ?? '';
  const hints: readonly (readonly [RegExp, string])[] = [
    [
      /timestamp/i,
      'a time is such as "2026-03-01 10:00", yesterday, today, -10m or "2 hours ago": man systemd.time',
    ],
    [/log level|priority/i, 'a priority is 0 to 7, emerg to debug, or a range such as err..warning'],
    [/pattern|match/i, '--grep takes a regular expression of Perl'],
    [/unit/i, '--unit takes a name such as nginx, or a pattern such as "haproxy*"'],
  ];
  const [, hint] = hints.find(([pattern]) => pattern.test(reason)) ?? [];
  if (hint === undefined) {
    return new HostwrightError('E_REMOTE', 'journalctl failed', { place: { host }, found: reason });
  }
  return new HostwrightError('E_USAGE', 'journalctl does not accept the query', { found: reason, hint });
}

/**
 * The entries of a journal, several at a time. Ends when journalctl does. E_USAGE for a query that journalctl
 * refuses, E_CONNECT when the connection ends before.
 */
export async function* readJournal(
  transport: Transport,
  query: Query,
  start: Start,
): AsyncGenerator<readonly Entry[]> {
  const { host } = transport;
  const stream = await transport.stream(script(query, start));
  try {
    for await (const lines of linesOf(host, stream.output)) {
      const [, code] = ending.exec(lines.at(-1) ?? '') ?? [];
      const read = (code === undefined ? lines : lines.slice(0, -1))
        .map((line) => parseEntry(host, line))
        .filter(({ cursor }) => cursor !== start.cursor);
      if (read.length > 0) yield read;
      if (code === undefined) continue;
      // It also fails, and says nothing, where --grep finds nothing.
      if (code !== '0' && stream.words().trim() !== '') throw refused(host, stream.words());
      return;
    }
  } catch (error) {
    if (error instanceof HostwrightError) throw error;
    // A stream that was cut off.
  }
  throw new HostwrightError('E_CONNECT', 'connection lost while reading the journal', { place: { host } });
}

/** The cursor of the newest entry, whatever it is about; undefined in an empty journal. */
export async function newestCursor(transport: Transport): Promise<string | undefined> {
  const { stdout } = await transport.request({
    script: sh`journalctl --quiet --no-pager --output=json --output-fields=_BOOT_ID --lines=1`,
    title: 'reading the journal',
  });
  const line = stdout.toString().trim();
  return line === '' ? undefined : parseEntry(transport.host, line).cursor;
}
