import { sh, type Script } from '../../transport/shell.ts';

/** What a member of a Galera cluster has on disk, and whether it runs. */
export interface GaleraState {
  /** What systemd calls its unit: `active`, `inactive`, `failed`, `activating`. */
  readonly unit: string;
  /** It talks to other members, or tries to: a server that runs alone does not. */
  readonly listens: boolean;
  /** Of the cluster that its data is from; absent where it never was in one. */
  readonly uuid?: string;
  /** The last transaction that it is known to have; absent after a crash, until a start has looked. */
  readonly seqno?: number;
  /** It was the last to leave, in good order: nobody has more than it. */
  readonly isLast: boolean;
  /** It keeps the view of the cluster that it was in, and finds its way back by that. */
  readonly hasView: boolean;
  /** Databases beside those of the server itself. */
  readonly databases: readonly string[];
  /** Its data is a copy of that of another server. */
  readonly isReplica: boolean;
}

/** Where all members talk to each other. */
export const groupPort = 4567;

const listening = `:${groupPort.toString(16).toUpperCase()} [0-9A-F]*:0000 0A `;

/** `$folder`: where the state of the member lies. */
const printState = (
  unit: string,
): Script => sh`printf 'unit=%s\n' "$(systemctl show -p ActiveState --value ${unit})"
if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ${listening}; then echo listens=yes; fi
if [ -e "$folder/grastate.dat" ]; then
  sed -n 's/^\(uuid\|seqno\|safe_to_bootstrap\):[[:space:]]*/\1=/p' "$folder/grastate.dat"
fi
if [ -e "$folder/gvwstate.dat" ]; then echo view=yes; fi`;

/** Sets `folder` to that of the data, which another release of Debian has elsewhere. */
export const galeraFolder = sh`folder=$(my_print_defaults --mysqld 2>/dev/null | sed -n 's/^--datadir=//p' | tail -n 1)
if [ -z "$folder" ]; then
  folder=/var/lib/mysql
  if [ -d /var/lib/mariadb ]; then folder=/var/lib/mariadb; fi
fi`;

/** Prints the state of a member with data, for `parseGaleraState`; changes nothing. */
export const galeraState = sh`${galeraFolder}
${printState('mariadb.service')}
if [ -e /run/mysqld/wsrep-start-position ]; then
  sed -n 's/.*--wsrep_start_position=\([^ ]*\).*/position=\1/p' /run/mysqld/wsrep-start-position
fi
if [ -s "$folder/master.info" ]; then echo replica=yes; fi
if [ -d "$folder" ]; then
  find "$folder" -mindepth 1 -maxdepth 1 -type d ! -name mysql ! -name performance_schema ! -name sys ! -name test \
    ! -name lost+found ! -name '[.#]*' -printf 'database=%f\n'
fi`;

/** The same of an arbitrator, which has a view and no data. */
export const arbitratorState = sh`folder=/var/lib/garb
${printState('garb.service')}`;

const nobody = /^[0-]*$/;

/** What `galeraState` has printed. */
export function parseGaleraState(text: string): GaleraState {
  const pairs = text
    .split('\n')
    .filter((line) => line.includes('='))
    .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  const one = new Map(pairs);
  const uuid = one.get('uuid') ?? '';
  // A start that found no cluster has looked into the data, and says -1 in the file from then on.
  const [, of, recovered] = /^([^:]*):(-?\d+)/.exec(one.get('position') ?? '') ?? [];
  const known = [one.get('seqno'), of === uuid ? recovered : undefined]
    .map((seqno) => Number(seqno ?? -1))
    .filter((seqno) => seqno >= 0);
  return {
    unit: one.get('unit') ?? '',
    listens: one.has('listens'),
    isLast: one.get('safe_to_bootstrap') === '1',
    hasView: one.has('view'),
    isReplica: one.has('replica'),
    databases: pairs.filter(([name]) => name === 'database').map(([, name]) => name),
    ...(nobody.test(uuid) ? {} : { uuid, ...(known.length === 0 ? {} : { seqno: Math.max(...known) }) }),
  };
}
