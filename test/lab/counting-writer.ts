import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestHosts } from './hosts.ts';

/** How the counting writer gets to a database; it verifies certificate and name. */
export interface Door {
  /** The host that it runs on. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Default: that of the internal CA. */
  readonly ca?: string;
}

export interface Counted {
  /** What was acknowledged, the rows that a retry found among them. */
  readonly acknowledged: readonly string[];
  /** Of these, how many a retry found. */
  readonly again: number;
  /** The longest time without an acknowledgement, in seconds, and when it began. */
  readonly outage: number;
  readonly outageFrom: Date;
  /** How often each error was seen, by its number or name. */
  readonly errors: Readonly<Record<string, number>>;
}

export interface CountingWriter {
  /** How many rows were acknowledged so far. */
  readonly count: () => Promise<number>;
  /** What it has noted so far; it goes on. */
  readonly soFar: () => Promise<Counted>;
  readonly stop: () => Promise<Counted>;
}

// Outlives a loss of power of the host.
const folder = '/var/lib/counting-writer';
const notes = `${folder}/notes`;
const unit = 'counting-writer';

/** The door that the application of a host has to its database. */
export async function doorOfApplication(hosts: TestHosts, host: string, name = 'visits'): Promise<Door> {
  const text = await hosts.shell(host, `cat /srv/${name}/environment`);
  const value = (key: string): string => new RegExp(`^${key}="(.*)"$`, 'm').exec(text)?.[1] ?? '';
  const [, address = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(value('DATABASE_WRITER')) ?? [];
  return {
    host,
    address,
    port: Number(port),
    user: value('DATABASE_USER'),
    password: value('DATABASE_PASSWORD').replaceAll(/\\(.)/g, '$1'),
    database: value('DATABASE_NAME'),
  };
}

/** Reads what the writer has noted: lines of a time, a word and what it is about. */
export function readNotes(text: string): Counted {
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '));
  const done = lines.filter(([, word]) => word === 'ack' || word === 'again');
  const errors: Record<string, number> = {};
  for (const [, word, code = ''] of lines) if (word === 'error') errors[code] = (errors[code] ?? 0) + 1;
  const times = lines.filter(([, word]) => word !== 'error').map(([at]) => Number(at));
  const gaps = times
    .slice(1)
    .map((at, index) => ({ from: times[index] ?? at, seconds: at - (times[index] ?? at) }));
  const longest = gaps.reduce((one, other) => (other.seconds > one.seconds ? other : one), {
    from: 0,
    seconds: 0,
  });
  return {
    acknowledged: done.map(([, , id = '']) => id),
    again: lines.filter(([, word]) => word === 'again').length,
    outage: longest.seconds,
    outageFrom: new Date(1000 * longest.from),
    errors,
  };
}

/**
 * Starts to write rows of unique numbers, each a transaction of its own, into the table `counted`, and retries what
 * fails; `pause` in seconds is between two rows of a connection. It runs on a host of the lab, apart from the connection of the test; Python and its driver are installed
 * there if they are not.
 */
export async function countingWriter(
  hosts: TestHosts,
  door: Door,
  { connections = 4, answerWithin = 30, table = 'counted', pause = 0 } = {},
): Promise<CountingWriter> {
  const { host, ca = '/etc/hostwright/pki/ca.crt', ...rest } = door;
  const program = await readFile(join(import.meta.dirname, 'counting-writer.py'), 'utf8');
  await hosts.shell(
    host,
    `dpkg -s python3-pymysql >/dev/null 2>&1 || apt-get install -qy python3-pymysql >/dev/null
systemctl stop ${unit} 2>/dev/null || :
mkdir -pm 0700 ${folder}; rm -f ${notes}; cat >${folder}/writer.py`,
    program,
  );
  await hosts.shell(
    host,
    `cat >${folder}/given
systemd-run --quiet --collect --unit=${unit} --property=StandardInput=file:${folder}/given python3 ${folder}/writer.py ${notes}`,
    JSON.stringify({ ...rest, ca, connections, table, answer_within: answerWithin, pause }),
  );
  // It writes its first note when it has connected.
  const count = async (): Promise<number> =>
    Number(
      await hosts.shell(
        host,
        `cat ${notes} 2>/dev/null | awk '$2 == "ack" || $2 == "again" { n++ } END { print n + 0 }'`,
      ),
    );
  return {
    count,
    soFar: async () => readNotes(await hosts.shell(host, `cat ${notes}`)),
    async stop() {
      return readNotes(await hosts.shell(host, `systemctl stop ${unit}; cat ${notes}; rm -r ${folder}`));
    },
  };
}

/** Runs statements as root of the database of a host, whichever flavor it is. */
async function sql(hosts: TestHosts, host: string, statements: string): Promise<string> {
  const client = '"$(command -v mysql || command -v mariadb)" --no-defaults --batch --skip-column-names';
  return await hosts.shell(host, client, statements);
}

/** The rows that were acknowledged and that the database of a host does not have. */
export async function lost(
  hosts: TestHosts,
  host: string,
  { acknowledged }: Counted,
  table = 'visits.counted',
): Promise<readonly string[]> {
  const held = new Set((await sql(hosts, host, `SELECT id FROM ${table};\n`)).split('\n'));
  return acknowledged.filter((id) => !held.has(id));
}

/** What a host holds of a database: a checksum for each table, which differs where any row does. */
export async function checksums(hosts: TestHosts, host: string, database = 'visits'): Promise<string> {
  const tables = await sql(
    hosts,
    host,
    `SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '${database}' AND TABLE_TYPE = 'BASE TABLE' ORDER BY 1;\n`,
  );
  const names = tables.split('\n').filter((name) => name !== '');
  return await sql(hosts, host, `CHECKSUM TABLE ${names.join(', ')} EXTENDED;\n`);
}
