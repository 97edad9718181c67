import { z } from 'zod';
import { secretValue } from '../attribute.ts';
import { path } from '../path.ts';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { clientOptions } from './client-options.ts';
import { executedBy } from './history.ts';
import { clientOf, plainText, type Flavor } from './sql.ts';

const address = z.string().regex(/^[\w.:-]+$/, 'expected an address or a host name');
const port = z.number().int().min(1).max(65535).default(3306);

export const others = z
  .strictObject({
    self: z
      .string()
      .regex(/^[\w.:-]+:\d+$/, 'expected ADDRESS:PORT')
      .describe('This server, as its replicas name it'),
    user: plainText.regex(/^[\w.-]{1,32}$/, 'expected a name of letters, digits, "_", "." and "-"'),
    password: secretValue(
      'expected a Secret of at most 32 letters, digits and signs without quotes',
      (value) => /^[!$%&()*+,./0-9:<=>?@A-Z[\]^_a-z{|}~-]{1,32}$/.test(value),
    ),
    ca: path,
    certificate: path,
    key: path,
    servers: z.array(
      z.strictObject({ name: z.string().regex(/^[\w.-]+$/, 'expected the name of a host'), address, port }),
    ),
  })
  .describe(
    'The other servers, and an account that may ask each of them whether it takes writes and whom it follows',
  );
export type Others = z.output<typeof others>;

/** What another server says of itself. */
export interface Other {
  readonly name: string;
  /** `ADDRESS:PORT`, as this server names it. */
  readonly server: string;
  /** Undefined where it does not answer. */
  readonly takesWrites: boolean | undefined;
  /** `ADDRESS:PORT` of the server that it follows; undefined where it follows none, or does not answer. */
  readonly follows: string | undefined;
  /** What it has executed, as a set of GTIDs. */
  readonly executed: string;
  /** Why it does not answer. */
  readonly silence: string | undefined;
}

/** Whom a server follows, as columns of a row: the second and the fourth, as in SHOW SLAVE STATUS. */
export const sourceQuery: Readonly<Record<Flavor, string>> = {
  mysql:
    "SELECT '', HOST, '', PORT FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME = '' AND HOST <> '';",
  mariadb: 'SHOW SLAVE STATUS;',
};

export function parseSource(row: string | undefined): string | undefined {
  const [, host, , port] = row?.split('\t') ?? [];
  return host === undefined || host === '' || port === undefined ? undefined : `${host}:${port}`;
}

/** The option file for the account that asks: to be written to "$HW/others.cnf". */
export function loginOf(server: Flavor, { user, password, ...files }: Others): Buffer {
  return clientOptions(server, { user, password: password.reveal(), ...files });
}

/** Asks every other server, one after the other; a line each. */
export function askOthers(server: Flavor, { servers }: Others): Script {
  const question = `SELECT IF(@@global.read_only, 1, 0), ${executedBy[server]};\n${sourceQuery[server]}\n`;
  return lines([
    sh`printf '%s' ${question} >"$HW/question"`,
    ...servers.map(
      ({
        name,
        address: host,
        port: at,
      }) => sh`if HOME=/nonexistent timeout -k 2 20 ${clientOf(server)} --defaults-file="$HW/others.cnf" --protocol=tcp \
    --host=${host} --port=${at} --connect-timeout=5 --default-character-set=utf8mb4 --batch --raw --skip-column-names \
    <"$HW/question" >"$HW/answer" 2>"$HW/errors"; then
  printf 'other %s\t' ${name}; tr '\n' '\t' <"$HW/answer"; echo
else
  printf 'silent %s\t%s\n' ${name} "$(grep -m 1 ERROR "$HW/errors" || head -n 1 "$HW/errors")"
fi`,
    ),
  ]);
}

/** From the rows that `askOthers` wrote; servers that were not asked are left out. */
export function parseOthers({ servers }: Others, rows: readonly string[]): readonly Other[] {
  return servers.flatMap(({ name, address: host, port: at }): Other[] => {
    const about = { name, server: `${host}:${at}` };
    const answer = rows.find((row) => row.startsWith(`other ${name}\t`));
    if (answer !== undefined) {
      const [readOnly, executed = '', ...source] = answer.split('\t').slice(1);
      return [
        {
          ...about,
          takesWrites: readOnly === '0',
          follows: parseSource(source.join('\t')),
          executed,
          silence: undefined,
        },
      ];
    }
    const silent = rows.find((row) => row.startsWith(`silent ${name}\t`));
    if (silent === undefined) return [];
    return [
      {
        ...about,
        takesWrites: undefined,
        follows: undefined,
        executed: '',
        silence: silent.split('\t')[1] ?? 'no answer',
      },
    ];
  });
}
