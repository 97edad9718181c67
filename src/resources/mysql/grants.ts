import { z } from 'zod';
import { sqlName, type Flavor } from './sql.ts';

const level = z
  .string()
  .regex(
    /^(\*\.\*|[^\\`./*\p{Cc}]+\.(\*|[^\\`./*\p{Cc}]+))$/u,
    'expected "*.*", "DATABASE.*" or "DATABASE.TABLE"',
  );

const privilege = z
  .string()
  .transform((name) => name.trim().toUpperCase())
  .pipe(z.string().regex(/^[A-Z][A-Z_ ]*$/, 'expected a privilege such as SELECT or REPLICATION SLAVE'));

/** Privileges by what they are for: `{ 'shop.*': ['SELECT', 'INSERT'] }`. */
export const grants = z
  .record(level, z.array(privilege).nonempty())
  .refine((given) => !Object.values(given['*.*'] ?? []).some((name) => /^ALL( PRIVILEGES)?$/.test(name)), {
    message: 'expected the privileges by name: only root has all on *.*',
  });

type Grants = z.output<typeof grants>;

/** What a user may do, by level as the server writes it. */
export type Granted = ReadonlyMap<string, ReadonlySet<string>>;

/** Names that a server takes and then shows under another. */
const shownAs: Readonly<Record<Flavor, Readonly<Record<string, string>>>> = {
  mysql: { ALL: 'ALL PRIVILEGES' },
  mariadb: {
    ALL: 'ALL PRIVILEGES',
    'REPLICATION CLIENT': 'BINLOG MONITOR',
    'REPLICATION REPLICA': 'REPLICATION SLAVE',
    'REPLICA MONITOR': 'SLAVE MONITOR',
  },
};

/** The name of a database is a pattern in GRANT … ON db.*, that of a table is not. */
function sqlLevel(text: string): string {
  if (text === '*.*') return text;
  const [database = '', table = ''] = text.split('.');
  if (table === '*') return `${sqlName(database.replace(/[_%]/g, String.raw`\$&`))}.*`;
  return `${sqlName(database)}.${sqlName(table)}`;
}

/** What the server will show for the declared grants. */
export function declaredGrants(given: Grants, server: Flavor): Granted {
  return new Map(
    Object.entries(given).map(([text, names]) => [
      sqlLevel(text),
      new Set(names.map((name) => shownAs[server][name] ?? name)),
    ]),
  );
}

export interface ShownGrants {
  readonly granted: Granted;
  /** Statements that undo roles, proxies, partial revokes and whatever else is not a plain grant. */
  readonly others: readonly string[];
}

const onLevel =
  /^GRANT (.+?) ON ((?:(?:FUNCTION|PROCEDURE|PACKAGE BODY|PACKAGE|TABLE) )?(?:\*|`(?:[^`]|``)*`)\.(?:\*|`(?:[^`]|``)*`)) TO (.*)$/;

/** A list of privileges, whose columns are lists themselves: "SELECT (`a`, `b`), INSERT". */
function listed(text: string): readonly string[] {
  return text.match(/(?:[^,(]|\([^)]*\))+/g)?.map((name) => name.trim()) ?? [];
}

/** The lines of SHOW GRANTS; every line that is not understood gets a statement that undoes it. */
export function parseGrants(rows: readonly string[]): ShownGrants {
  const granted = new Map<string, Set<string>>();
  const others: string[] = [];
  for (const line of rows) {
    const [, names = '', target = '', rest = ''] = onLevel.exec(line) ?? [];
    if (target === '') {
      others.push(opposite(line));
      continue;
    }
    const all = granted.get(target) ?? new Set<string>();
    for (const name of listed(names)) if (name !== 'USAGE') all.add(name);
    if (/ WITH .*\bGRANT OPTION$/.test(rest)) all.add('GRANT OPTION');
    if (all.size > 0) granted.set(target, all);
  }
  return { granted, others };
}

function opposite(line: string): string {
  const [, role] = /^GRANT (.+) TO /.exec(line) ?? [];
  const account = / (?:TO|FROM) ((?:`(?:[^`]|``)*`|'(?:[^']|'')*')@(?:`(?:[^`]|``)*`|'(?:[^']|'')*'))/.exec(
    line,
  )?.[1];
  if (account === undefined) throw new RangeError('a grant of an unknown form');
  if (role !== undefined) return `REVOKE ${role} FROM ${account}`;
  const revoked = /^REVOKE (.+) FROM /.exec(line)?.[1];
  if (revoked === undefined) throw new RangeError('a grant of an unknown form');
  return `GRANT ${revoked} TO ${account}`;
}

/** Grants for a person, and for comparing: `INSERT, SELECT on shop.*; PROCESS on *.*`. */
export function showGrants({ granted, others }: ShownGrants): string {
  const levels = [...granted].map(
    ([target, names]) => `${[...names].toSorted().join(', ')} on ${target.replaceAll('`', '')}`,
  );
  const rest = others.map((statement) => `to be undone: ${statement}`);
  return [...levels.toSorted(), ...rest.toSorted()].join('; ') || 'none';
}

function missing(from: Granted, other: Granted): readonly [string, readonly string[]][] {
  return [...from].flatMap(([target, names]): [string, readonly string[]][] => {
    const rest = [...names].filter((name) => other.get(target)?.has(name) !== true);
    return rest.length === 0 ? [] : [[target, rest]];
  });
}

/** MySQL takes a list of all privileges on *.* that names GRANT OPTION for all that there is on every level. */
function separately(names: readonly string[]): readonly (readonly string[])[] {
  const rest = names.filter((name) => name !== 'GRANT OPTION');
  const options = names.filter((name) => name === 'GRANT OPTION');
  return [rest, options].filter((some) => some.length > 0);
}

/** The statements from what is granted to what is declared; what stays is never taken away on the way. */
export function changeGrants(account: string, actual: ShownGrants, desired: Granted): readonly string[] {
  const all = (granted: Granted, target: string): boolean =>
    granted.get(target)?.has('ALL PRIVILEGES') === true;
  const revoked = missing(actual.granted, desired).flatMap(
    ([target, names]): [string, readonly string[]][] => {
      // What ALL PRIVILEGES will hold again need not go first.
      const gone = all(desired, target) ? names.filter((name) => name === 'GRANT OPTION') : names;
      return gone.length === 0 ? [] : [[target, gone]];
    },
  );
  // Taking ALL PRIVILEGES away takes everything of the level, so that what stays is granted again.
  const lost = new Set(revoked.filter(([target]) => all(actual.granted, target)).map(([target]) => target));
  const kept: Granted = new Map([...actual.granted].filter(([target]) => !lost.has(target)));
  return [
    ...actual.others,
    ...revoked.flatMap(([target, names]) =>
      separately(names).map((some) => `REVOKE ${some.join(', ')} ON ${target} FROM ${account}`),
    ),
    ...missing(desired, kept).map(
      ([target, names]) => `GRANT ${names.join(', ')} ON ${target} TO ${account}`,
    ),
  ];
}
