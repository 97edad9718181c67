import { binlogStateMinus, galeraFolder, lines, sh, type Script } from 'hostwright';
import { login, opener, openerState } from './left-over.ts';

/** A server that has run without a cluster, as a primary or a replica. */
export interface Outside {
  /** Its number in its GTIDs. */
  readonly server: string;
  /** What it has executed, as GTIDs. */
  readonly executed: string;
}

/** `hw_sql STATEMENT` and `hw_status NAME`, as root by the socket. */
export const sql = sh`hw_sql() { HOME=/nonexistent mariadb --no-defaults --protocol=socket --user=root --connect-timeout=10 -BN -e "$1"; }
hw_status() { hw_sql "SHOW GLOBAL STATUS LIKE 'wsrep_$1'" 2>/dev/null | cut -f2; }`;

const executed = "CONCAT(@@global.gtid_binlog_state, ',', @@global.gtid_slave_pos)";

/** Prints what `parseOutside` reads, once: on a host of a cluster there is no such unit any more. */
export const outsideState: Script = lines([
  sql,
  openerState,
  sh`if [ -e /etc/systemd/system/${opener} ]; then
  hw_sql ${`SELECT CONCAT('outside=', @@global.server_id, ' ', ${executed}) FROM DUAL WHERE NOT @@global.wsrep_on`} 2>/dev/null || :
fi`,
]);

/** What `outsideState` has printed. */
export function parseOutside(answer: string | undefined): Outside | undefined {
  const [, server, gtids] = /^outside=(\d+) (.*)$/m.exec(answer ?? '') ?? [];
  return server === undefined || gtids === undefined ? undefined : { server, executed: gtids };
}

/**
 * What a replica has and the primary lacks, as far as that is certain: both were asked at the same time, so that the
 * primary's own transactions may have arrived in between. The start compares once more, one after the other.
 */
export function surelyErrant(replica: Outside, primary: Outside): string {
  return binlogStateMinus(replica.executed, primary.executed)
    .split(',')
    .filter((gtid) => gtid !== '' && gtid.split('-')[1] !== primary.server)
    .join(',');
}

/** A server of the cluster that has all that may be discarded of a replica. */
export interface Holder {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export function lossOf(host: string, holder: string, gtids: string): string {
  return (
    `${host} has transactions that ${holder} lacks, and joining replaces its data, so no changes were made: ${gtids}\n` +
    `copy them to ${holder}, or discard them: set mysql_discard_transactions of ${host} to exactly these`
  );
}

/** Of two lists of GTIDs, a line each, the last ones of the second that the first lacks. */
const minus = `{
  n = split($0, gtids, ",")
  for (i = 1; i <= n; i++) {
    if (split(gtids[i], part, "-") != 3) continue
    pair = part[1] "-" part[2]
    if (NR == 1) { if (part[3] + 0 > seen[pair] + 0) seen[pair] = part[3] }
    else if (part[3] + 0 > seen[pair] + 0 && part[3] + 0 > own[pair] + 0) {
      if (own[pair] == "") order[++count] = pair
      own[pair] = part[3]
    }
  }
}
END { for (i = 1; i <= count; i++) printf "%s%s-%s", (i > 1 ? "," : ""), order[i], own[order[i]] }`;

/**
 * Before a server that has run outside joins: its data is replaced by a copy, so nothing may be in it that `holder`
 * lacks, but for what `discard` names. What it has is read first. Sets `outside` to `yes` for such a server.
 */
export function compareFirst(host: string, holder: Holder, discard: string | undefined): Script {
  const { name, address, port } = holder;
  return sh`${galeraFolder}
hw_stays() { : >"$HW/stays"; printf '%s\n' "$1" >&2; exit 1; }
hw_databases() {
  find "$folder" -mindepth 1 -maxdepth 1 -type d ! -name mysql ! -name performance_schema ! -name sys ! -name test \
    ! -name lost+found ! -name '[.#]*' 2>/dev/null | grep -q .
}
outside=no
if found=$(hw_sql ${`SELECT @@global.wsrep_on, ${executed}`} 2>/dev/null); then
  if [ "$(printf '%s\n' "$found" | cut -f1)" = 0 ]; then outside=yes; fi
elif [ -s "$folder/master.info" ] || { [ ! -e "$folder/grastate.dat" ] && hw_databases; }; then
  hw_stays ${`the server of ${host} does not run, so that what it has cannot be compared with ${name}, no changes made: start it, then run apply again; or empty its data folder`}
fi
own=$(printf '%s\n' "$found" | cut -f2)
if [ "$outside" = yes ] && [ "$own" = , ] && hw_databases; then
  hw_stays ${`${host} has databases without GTIDs, which joining would replace, no changes made: dump and drop them`}
fi
if [ "$outside" = yes ] && [ "$own" != , ]; then
  theirs=$(HOME=/nonexistent timeout -k 2 20 mariadb --defaults-file=${login} --protocol=tcp --host=${address} --port=${port} \
    --connect-timeout=5 -BN -e ${`SELECT @@global.wsrep_on, ${executed}`} 2>"$HW/errors") ||
    hw_stays "$(printf '%s: %s' ${`what ${host} has cannot be compared with ${name}, no changes made`} "$(head -n 1 "$HW/errors")")"
  if [ "$(printf '%s\n' "$theirs" | cut -f1)" != 1 ]; then
    hw_stays ${`${name} is in no cluster that ${host} could join, no changes made`}
  fi
  errant=$(printf '%s\n%s\n' "$(printf '%s\n' "$theirs" | cut -f2)" "$own" | awk ${minus})
  if [ -n "$errant" ] && [ "$errant" != ${(discard ?? '').replaceAll(/\s/g, '')} ]; then
    hw_stays "$(printf ${lossOf(host, name, '%s')} "$errant")"
  fi
fi`;
}

/** What a server notes of a cluster is not true any more once it has run outside of it. */
export const forgetCluster = sh`rm -f "$folder/grastate.dat" "$folder/gvwstate.dat"`;
