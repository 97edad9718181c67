import { HostwrightError } from '../errors.ts';

/** One line of a journal. */
export interface Entry {
  readonly host: string;
  /** Its place in the journal of its host. */
  readonly cursor: string;
  /** Microseconds since 1970, by the clock of the host. */
  readonly time: number;
  /** 0 (emerg) to 7 (debug). */
  readonly priority?: number;
  /** The unit that it is about or comes from. */
  readonly unit?: string;
  /** The program, as it calls itself. */
  readonly identifier?: string;
  readonly pid?: string;
  /** Left out where it has more than 4096 bytes, which journalctl leaves out. */
  readonly message?: string;
}

/** The fields that an entry is made of; cursor and time are always there. */
export const fields = [
  'MESSAGE',
  'PRIORITY',
  'SYSLOG_IDENTIFIER',
  'SYSLOG_PID',
  'UNIT',
  '_COMM',
  '_PID',
  '_SYSTEMD_UNIT',
] as const;

type Fields = Readonly<Record<string, unknown>>;

/** A field is a text, the bytes of what is no UTF-8, null for one that is too large, or a list when it is there twice. */
function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  if (value.every((byte): byte is number => typeof byte === 'number')) return Buffer.from(value).toString();
  return value
    .map((one) => text(one))
    .filter((one) => one !== undefined)
    .join('\n');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** One line of `journalctl -o json`; E_REMOTE for anything else. */
export function parseEntry(host: string, line: string): Entry {
  const read = parse(line);
  const cursor = read?.['__CURSOR'];
  const time = Number(read?.['__REALTIME_TIMESTAMP']);
  if (read === undefined || typeof cursor !== 'string' || !Number.isSafeInteger(time) || time < 0) {
    throw new HostwrightError('E_REMOTE', 'journalctl wrote something unexpected', {
      place: { host },
      found: JSON.stringify(line.slice(0, 100)),
      expected: 'one JSON object a line, with a cursor and a time',
    });
  }
  const found = (...names: readonly (typeof fields)[number][]): string | undefined => {
    for (const name of names) {
      const value = text(read[name]);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const priority = found('PRIORITY');
  const unit = found('UNIT', '_SYSTEMD_UNIT');
  const identifier = found('SYSLOG_IDENTIFIER', '_COMM');
  const pid = found('_PID', 'SYSLOG_PID');
  const message = found('MESSAGE');
  return {
    host,
    cursor,
    time,
    ...(priority !== undefined && /^[0-7]$/.test(priority) ? { priority: Number(priority) } : {}),
    ...(unit === undefined ? {} : { unit }),
    ...(identifier === undefined ? {} : { identifier }),
    ...(pid === undefined ? {} : { pid }),
    ...(message === undefined ? {} : { message }),
  };
}
