
# -- restore: the data of this server as they were at a time

seconds() { date -u -d "$1" +%s; }

# The newest copy that was finished before $1 (seconds) is $copy, with its manifest.
choose_copy() {
  stored
  for copy in $(copies | sort -t / -k 2 -r); do
    fetch_manifest "$copy" || fail "the manifest of $copy cannot be read"
    [ "$(seconds "$(value finished)")" -gt "$1" ] || return 0
  done
  fail "there is no copy from before $(date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ)"
}

# Binary logs with what was written after the copy $copy and before $1 (seconds): `SERVER HOST/SERVER/NAME` in their
# order, those of the server of the copy first; the clocks of hosts may differ by an hour. Of other servers only what
# came when its own had ended, a quarter of an hour before that for what it may not have applied; and nothing of a
# history that an earlier restore has ended: neither is part of what the copy went on to be.
logs_since() {
  began=$(seconds "$(value started)")
  awk -v own="$(value server)" -v manifest="$copy.manifest" -v began="$began" -v until="$(($1 + 3600))" '
    { split($1, part, "/"); split(part[3], of, "-"); is_log = $1 ~ /^[^\/]+\/[^\/]+\/[0-9]+-.*[0-9]$/ }
    NR == FNR {
      if ((is_log && part[2] == own || $1 == manifest) && $3 > last) last = $3
      if (part[2] == "history" && part[3] <= began && part[3] > history) history = part[3]
      next
    }
    !is_log || of[1] > until { next }
    part[2] == own { if ($3 >= began - 3600) print 0, part[2], of[1], $1; next }
    $3 >= last - 900 && of[1] >= history { print 1, part[2], of[1], $1 }
  ' "$work/list" "$work/list" | sort -k 1,1n -k 2,2 -k 3,3n -k 4,4 | cut -d ' ' -f 2,4
}

# What a server logged, as statements, up to $1 (seconds) and without the transactions $2; the files are in $3.
statements() {
  stop=$(date -u -d "@$1" '+%Y-%m-%d %H:%M:%S')
  case $flavor in
    mysql)
      set -- --no-defaults "--stop-datetime=$stop" ${2:+"--exclude-gtids=$2"} "$3"/*
      mysqlbinlog "$@"
      ;;
    mariadb)
      # The copy ends within a log of its own server: what comes before in it is there already.
      first=$(value log)
      set -- --no-defaults "--stop-datetime=$stop" "--start-position=${first#*:}" "$3"/*
      mariadb-binlog "$@"
      ;;
  esac
}

# The log in which the copy of a MariaDB ends: the newest of that name that had begun by then. After a restore the
# names come once more.
opening_log() {
  position=$(value log)
  awk -v own="$(value server)" -v name="${position%:*}" -v finished="$(seconds "$(value finished)")" '
    { split($2, part, "/"); began = part[3]; sub(/-.*/, "", began) }
    $1 == own && part[3] == began "-" name && began <= finished { first = $2 }
    END { print first }
  ' "$work/logs"
}

# Of MySQL a transaction that is there already is passed over by its GTID; of MariaDB only the logs of one server fit.
replay() {
  logs_since "$1" >"$work/logs"
  opening=''
  if [ "$flavor" = mariadb ]; then opening=$(opening_log); fi
  for from in $(cut -d ' ' -f 1 "$work/logs" | uniq); do
    if [ "$flavor" = mariadb ] && [ "$from" != "$(value server)" ]; then continue; fi
    rm -rf "$work/of"
    mkdir "$work/of"
    begun=''
    while read -r of log; do
      [ "$of" = "$from" ] || continue
      if [ "$flavor" = mariadb ] && [ -z "$begun" ] && [ "$log" != "$opening" ]; then continue; fi
      begun=yes
      { fetch "$log" </dev/null >"$work/of/${log##*/}"; } 2>"$work/said"
      fetched || fail "$log cannot be read: $(cat "$work/said")"
    done <"$work/logs"
    [ -n "$begun" ] || continue
    rm -f "$work"/part.*
    part read statements "$1" "$2" "$work/of" | part write ask_scratch --binary-mode >"$work/replayed" 2>&1 || :
    parts_ended read write || fail "the binary logs of $from cannot be replayed: $(tail -n 3 "$work/replayed")"
  done
}

# A member of a cluster gets its data from the others, whatever was restored.
refuse_member() {
  if [ "$(sql 'SELECT @@wsrep_on' 2>/dev/null)" = 1 ]; then
    fail "$host is a member of a Galera cluster, which would replace the restored data: restore on a server of its own"
  fi
}

# For the plan: what would be restored, and what is here.
backup_look() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  take_key
  refuse_member
  choose_copy "$(seconds "$1")"
  echo "copy=$copy"
  sed -n 's/^\(finished\|version\|bytes\)=/\1=/p' "$work/manifest"
  echo "free=$(df -B1 --output=avail "$(dirname "$scratch")" | tail -n 1)"
  echo "logs=$(logs_since "$(seconds "$1")" | wc -l)"
  echo "stored=$(awk '$1 ~ /^[^\/]+\/[^\/]+\/[0-9]+-/ && $3 > last { last = $3 } END { print last + 0 }' "$work/list")"
  if systemctl is-active -q "$unit"; then echo running=yes; else echo running=no; fi
  echo "writable=$(sql 'SELECT NOT @@read_only' 2>/dev/null || echo 0)"
  echo "current=$(data_size 2>/dev/null || echo 0)"
}

# $1: until when, $2: transactions to leave out. The old data stay in a folder beside, which is named at the end.
backup_restore() {
  until=$(seconds "$1")
  without=${2:-}
  begin restore
  take_key
  refuse_member
  if mountpoint -q "$data"; then fail "$data is a mount of its own, which cannot be set aside: restore by hand"; fi
  if [ "$until" -ge "$(($(date +%s) - 600))" ] && sql 'SELECT 1' >/dev/null 2>&1; then "$0" logs </dev/null; fi
  choose_copy "$until"
  say "restoring $copy of $(value finished)"
  unpack "$copy" || fail "$copy is not restored"
  replay "$until" "$without"
  ask_scratch -e 'RESET REPLICA ALL'
  checksums >"$work/tables"
  stop_scratch
  rm -f "$scratch/data/auto.cnf"
  # What others have written until now is no part of what comes.
  if [ "$(sql 'SELECT NOT @@read_only' 2>/dev/null)" != 0 ]; then send "history/$(date +%s)" now; fi
  aside=$data.before-$(date -u +%Y%m%dT%H%M%SZ)
  echo "$aside" >"$state/restoring"
  systemctl stop "$unit"
  mv -T "$data" "$aside"
  mv -T "$scratch/data" "$data"
  chmod --reference="$aside" "$data"
  systemctl start "$unit" || fail "the server does not start on the restored data; the old ones are restored"
  answers || fail "the server does not answer on the restored data; the old ones are restored"
  rm -f "$state/restoring"
  say "restored $(wc -l <"$work/tables") tables; the data of before are in $aside: remove them when they are of no more use"
}

answers() {
  for _ in $(seq 600); do
    if sql 'SELECT 1' >/dev/null 2>&1; then return 0; fi
    sleep 0.2
  done
  return 1
}

# A restore that did not get to its end is rolled back.
roll_back() {
  [ -s "$state/restoring" ] || return 0
  aside=$(cat "$state/restoring")
  if [ -d "$aside" ]; then
    systemctl stop "$unit" || :
    rm -rf "${data:?}"
    mv -T "$aside" "$data"
  fi
  systemctl start "$unit" || :
  rm -f "$state/restoring"
}
