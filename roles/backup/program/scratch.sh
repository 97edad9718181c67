
# -- a server of its own on a copy of the data, which nobody else can reach

scratch_pid=''

# What must be the same in every server that reads the data.
formats='lower_case_table_names innodb_page_size innodb_data_file_path'

format_options() {
  for name in $formats; do
    printf -- '--%s=%s\n' "$(printf '%s' "$name" | tr _ -)" "$(sql "SELECT @@$name")"
  done
}

ask_scratch() { "$client" --no-defaults --protocol=socket --socket="$scratch/s" --user=root --batch --skip-column-names --raw "$@"; }

# $1: the options of `format_options`. It runs no events, follows nobody, and writes no binary log.
start_scratch() {
  # shellcheck disable=SC2086 # They are words.
  set -- $1 "--datadir=$scratch/data" "--socket=$scratch/s" "--pid-file=$scratch/pid" --skip-networking \
    --server-id=1 --event-scheduler=OFF --innodb-buffer-pool-size=128M --performance-schema=OFF
  case $flavor in
    mysql) set -- "$@" --mysqlx=OFF --disable-log-bin --gtid-mode=ON --enforce-gtid-consistency=ON --skip-replica-start ;;
    mariadb) set -- "$@" --skip-log-bin --skip-slave-start ;;
  esac
  setpriv --reuid=mysql --regid=mysql --clear-groups "/usr/sbin/$server" --no-defaults "$@" \
    </dev/null >"$work/server.log" 2>&1 9>&- &
  scratch_pid=$!
  until "$admin" --no-defaults --protocol=socket --socket="$scratch/s" --user=root ping >/dev/null 2>&1; do
    if ! kill -0 "$scratch_pid" 2>/dev/null; then
      scratch_pid=''
      fail "a server does not start on the copy: $(grep -E 'ERROR|\[Server\]' "$work/server.log" | tail -n 3)"
    fi
    sleep 0.2
  done
}

stop_scratch() {
  [ -n "$scratch_pid" ] || return 0
  "$admin" --no-defaults --protocol=socket --socket="$scratch/s" --user=root shutdown >/dev/null 2>&1 ||
    kill -KILL "$scratch_pid" 2>/dev/null || :
  wait "$scratch_pid" || :
  scratch_pid=''
}

# `table CHECKSUM NAME` in lines, of every table that is not the server's own.
checksums() {
  if ! ask_scratch -e "SELECT CONCAT('CHECKSUM TABLE \`', REPLACE(TABLE_SCHEMA, '\`', '\`\`'), '\`.\`', REPLACE(TABLE_NAME, '\`', '\`\`'), '\` EXTENDED;')
    FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'
    AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema') ORDER BY TABLE_SCHEMA, TABLE_NAME" >"$work/ask" ||
    ! ask_scratch <"$work/ask" >"$work/answer"; then
    fail 'the tables of the copy cannot be read'
  fi
  awk -F '\t' '{ print "table " $2 " " $1 } $2 == "NULL" { bad = 1 } END { exit bad }' "$work/answer" ||
    fail "a table cannot be read: $(grep 'NULL$' "$work/answer" | head -n 3)"
}
