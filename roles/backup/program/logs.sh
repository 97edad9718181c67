
# -- logs: the binary logs that are closed

log_state() {
  case $flavor in
    mysql) sql "SELECT CONCAT_WS(' ', @@server_uuid, REPLACE(@@GLOBAL.gtid_executed, '\n', ''))" ;;
    mariadb) sql "SELECT CONCAT_WS(' ', @@server_id, @@GLOBAL.gtid_binlog_pos)" ;;
  esac
}

# A name for a log that a server never uses again, also after its numbers have begun anew: with the time in its header.
log_name() {
  printf '%s-%s\n' "$(od -An -tu4 -j4 -N4 "$1" | tr -d ' ')" "$(basename "$1")"
}

backup_logs() {
  begin logs
  began=$(date +%s)
  standing=$(log_state)
  server=${standing%% *}
  # A server that nobody writes to gets no new files.
  if [ "$standing" != "$(cat "$state/sent.state" 2>/dev/null)" ]; then
    sql 'FLUSH BINARY LOGS'
    folder=$(dirname "$(sql 'SELECT @@log_bin_basename')")
    touch "$state/sent.$server"
    count=0
    for log in $(sql 'SHOW BINARY LOGS' | cut -f1 | sed '$d'); do
      name=$(log_name "$folder/$log")
      if grep -qx "$name" "$state/sent.$server"; then continue; fi
      # 73: it is there, and this host has forgotten.
      send "$server/$name" cat "$folder/$log" || [ $? -eq 73 ]
      echo "$name" >>"$state/sent.$server"
      count=$((count + 1))
    done
    echo "$standing" >"$state/sent.state"
    say "stored $count binary logs of $server"
  fi
  echo "$began 0" >"$state/last.logs"
  metrics
}
