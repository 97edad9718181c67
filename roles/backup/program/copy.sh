
# -- now: a copy of all data

# Bytes of the data without logs.
data_size() { du -sb --exclude='*binlog*.[0-9]*' --exclude='relay-bin*' "$data" | cut -f1; }

copy_data() {
  case $flavor in
    mysql) sql "CLONE LOCAL DATA DIRECTORY = '$scratch/data'" ;;
    mariadb)
      {
        mariadb-backup --no-defaults --backup --user=root --socket=/run/mysqld/mysqld.sock --datadir="$data" --target-dir="$scratch/data" &&
          mariadb-backup --no-defaults --prepare --target-dir="$scratch/data" && chown -R mysql:mysql "$scratch/data"
      } >"$work/copy.log" 2>&1 || fail "mariadb-backup fails: $(tail -n 3 "$work/copy.log")"
      ;;
  esac
}

# Where the copy stands: all transactions that it has; of MariaDB the place in the binary log of this server too.
position() {
  case $flavor in
    mysql)
      echo "server=$(sql 'SELECT @@server_uuid')"
      echo "gtid=$(ask_scratch -e 'SELECT @@GLOBAL.gtid_executed' | tr -d '\n')"
      ;;
    mariadb)
      echo "server=$(sql 'SELECT @@server_id')"
      awk 'NR == 1 { print "gtid=" $3; print "log=" $1 ":" $2 }' "$scratch"/data/*_binlog_info
      ;;
  esac
}

backup_now() {
  begin now
  need_space "$(data_size)"
  name=$(date -u +%Y%m%dT%H%M%SZ)
  options=$(format_options)
  {
    printf 'host=%s\nflavor=%s\nversion=%s\n' "$host" "$flavor" "$(sql 'SELECT VERSION()')"
    printf '%s\n' "$options" | sed 's/^/option=/'
    echo "started=$(now)"
  } >"$work/manifest"
  copy_data
  echo "finished=$(now)" >>"$work/manifest"
  start_scratch "$options"
  position >>"$work/manifest"
  checksums >"$work/tables"
  stop_scratch
  # A number of its own is made by each server that starts on a copy.
  rm -f "$scratch/data/auto.cnf"
  send "$name.data" tar -C "$scratch/data" -c . || fail "$name.data is there already"
  {
    echo "bytes=$(du -sb "$scratch/data" | cut -f1)"
    echo "size=$(cat "$work/stored")"
    echo "sum=$(cat "$work/sum")"
    cat "$work/tables"
    echo end
  } >>"$work/manifest"
  size=$(cat "$work/stored")
  send "$name.manifest" cat "$work/manifest" || fail "$name.manifest is there already"
  echo "$(date +%s) $size" >"$state/last.now"
  metrics
  say "stored $host/$name: $((size / 1024)) KiB, $(wc -l <"$work/tables") tables"
}
