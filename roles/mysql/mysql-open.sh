#!/bin/sh
# Written by Hostwright (role mysql). No server takes writes after a start. This one opens when it follows nobody and
# another one says that it follows this one; else it stays read-only, and the journal says why. It also makes commits
# wait for a replica as soon as one is connected, where the server was opened before there was any.
set -u

settings=/etc/hostwright/mysql-open.conf
login=/etc/hostwright/mysql-observer.cnf

setting() { sed -n "s/^$1=//p" "$settings"; }
flavor=$(setting flavor)
self=$(setting self)
patience=$(setting patience)

# Whom a server follows stands in the second and fourth column of the second row.
if [ "$flavor" = mysql ]; then
  client=mysql
  source="SELECT '', HOST, '', PORT FROM performance_schema.replication_connection_configuration
    WHERE CHANNEL_NAME = '' AND HOST <> ''"
  own="SELECT @@global.read_only, @@global.offline_mode, @@global.rpl_semi_sync_source_enabled, (SELECT VARIABLE_VALUE
    FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Rpl_semi_sync_source_clients')"
  wait="SET GLOBAL rpl_semi_sync_source_timeout = $patience; SET GLOBAL rpl_semi_sync_source_enabled = ON"
  open='SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF'
else
  client=mariadb
  source='SHOW SLAVE STATUS'
  own="SELECT @@global.read_only, 0, @@global.rpl_semi_sync_master_enabled, (SELECT VARIABLE_VALUE
    FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'RPL_SEMI_SYNC_MASTER_CLIENTS')"
  wait="SET GLOBAL rpl_semi_sync_master_timeout = $patience; SET GLOBAL rpl_semi_sync_master_enabled = ON"
  open='SET GLOBAL read_only = OFF'
fi

sql() {
  printf '%s;\n' "$@" | HOME=/nonexistent timeout -k 2 30 "$client" --no-defaults --protocol=socket --user=root \
    --connect-timeout=5 --batch --raw --skip-column-names 2>&1
}
ask() {
  printf '%s;\n' 'SELECT @@global.read_only' "$source" | HOME=/nonexistent timeout -k 2 5 "$client" \
    --defaults-file="$login" --protocol=tcp --host="$1" --port="$2" --connect-timeout=3 \
    --batch --raw --skip-column-names 2>&1
}
column() { printf '%s\n' "$1" | awk -F '\t' -v row="$2" -v column="$3" 'NR == row { print $column }'; }
followed() { printf '%s\n' "$1" | awk -F '\t' 'NR == 2 { print $2 ":" $4 }'; }

said=
say() {
  [ "$1" = "$said" ] || printf '%s\n' "$1"
  said=$1
}
done_as() {
  say "$1"
  exit 0
}

# Sets `follower` to a server that follows this one; else `why` says what keeps this one read-only.
look_around() {
  follower=
  why=
  while read -r word name address port; do
    [ "$word" = server ] || continue
    if answer=$(ask "$address" "$port" </dev/null); then
      theirs=$(followed "$answer")
      if [ "$(column "$answer" 1 1)" = 0 ]; then
        done_as "$name takes writes: this server stays read-only, hostwright apply says what to do"
      elif [ "$theirs" = "$self" ]; then
        follower=$name
      elif [ -n "$theirs" ]; then
        done_as "$name follows $theirs, and not this server, which stays read-only: hostwright apply says what to do"
      else
        why="$name follows no server"
      fi
    else
      why="$name does not answer ($(printf '%s\n' "$answer" | grep -m 1 ERROR || echo 'no connection'))"
    fi
  done <"$settings"
}

opened=
round=0
while :; do
  if answer=$(sql "$own" "$source"); then
    leader=$(followed "$answer")
    [ -z "$leader" ] || done_as "this server follows $leader: it stays read-only"
    [ "$(column "$answer" 1 2)" = 0 ] || done_as 'this server is in offline mode, and stays read-only'
    if [ "$(column "$answer" 1 1)" = 0 ]; then
      opened=yes
      grep -q '^server ' "$settings" || done_as 'this server takes writes; there is no other'
      [ "$(column "$answer" 1 3)" = 0 ] || done_as 'this server takes writes, which wait for a replica'
      if [ "$(column "$answer" 1 4)" -gt 0 ]; then
        sql "$wait" && done_as 'a replica is connected: writes wait for it from now on'
      else
        say 'this server takes writes; as soon as a replica is connected they wait for it'
      fi
    elif [ -n "$opened" ]; then
      done_as 'this server was made read-only, and stays so'
    elif ! grep -q '^server ' "$settings"; then
      sql "$open" && done_as 'there is no other server: this one takes writes'
    else
      look_around
      if [ -n "$follower" ]; then
        sql "$wait" "$open" && done_as "$follower follows this server, which takes writes now"
      else
        say "this server stays read-only until another one says that it follows: $why"
      fi
    fi
  fi
  round=$((round + 1))
  if [ "$round" -lt 120 ]; then sleep 1; else sleep 5; fi
done
