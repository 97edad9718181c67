# Backups of the database server of this host. `now` sends a copy of all data, `logs` the binary logs since, `test`
# restores the last copy on a scratch server, `list` says what there is, `restore` replaces the data of this server.
set -eu
umask 077
# Times in what the clients of the server read and write are UTC.
export LC_ALL=C TZ=UTC

etc=/etc/hostwright/backup
state=/var/lib/hostwright/backup
host='' flavor='' store='' port='' sends='' tests='' data='' scratch=''
while IFS= read -r line; do
  value=${line#*=}
  case $line in
    host=*) host=$value ;;
    flavor=*) flavor=$value ;;
    store=*) store=$value ;;
    port=*) port=$value ;;
    sends=*) sends=$value ;;
    tests=*) tests=$value ;;
    data=*) data=$value ;;
    scratch=*) scratch=$value ;;
  esac
done <"$etc/backup.conf"

say() { printf '%s\n' "$*" >&2; }
# EX_SOFTWARE; where trying again later helps, EX_TEMPFAIL.
fail() { say "$*"; exit 70; }
fail_for_now() { say "$*"; exit 75; }

case $flavor in
  mysql) client=mysql admin=mysqladmin server=mysqld unit=mysql.service ;;
  mariadb) client=mariadb admin=mariadb-admin server=mariadbd unit=mariadb.service ;;
esac

# On the server of this host.
sql() { "$client" --no-defaults --protocol=socket --user=root --batch --skip-column-names --raw -e "$1"; }

# The server goes on with a copy whose client has died.
end_clone() {
  [ "$flavor" = mysql ] || return 0
  for _ in $(seq 100); do
    clones=$(sql "SELECT ID FROM performance_schema.processlist WHERE INFO LIKE 'CLONE LOCAL DATA DIRECTORY = ''$scratch/%'" 2>/dev/null) || return 0
    [ -n "$clones" ] || return 0
    for clone in $clones; do sql "KILL $clone" 2>/dev/null || :; done
    sleep 0.1
  done
}

# What a run leaves behind, also one that was killed; of no other verb.
clean() {
  [ "$1" != restore ] || roll_back
  [ ! -e "$scratch/$1/data" ] || end_clone
  rm -rf "$state/work.$1" "${scratch:?}/$1"
}

# One run of a verb at a time, with a folder for small files and one of the server's for data.
begin() {
  verb=$1
  mkdir -p "$state"
  exec 9>"$state/lock.$verb"
  flock -n 9 || fail_for_now "another \`$verb\` is running on $host"
  clean "$verb"
  work=$state/work.$verb
  mkdir "$work"
  install -d -o mysql -g mysql -m 0700 "$scratch" "$scratch/$verb"
  scratch=$scratch/$verb
  trap 'end' EXIT
  trap 'exit 1' HUP INT TERM
}

end() {
  code=$?
  trap - EXIT
  stop_scratch
  [ "$verb" != restore ] || roll_back
  rm -rf "$work" "$scratch"
  exit "$code"
}

# A copy needs the space of the data: $1 bytes, and a little for what the server writes at its start.
need_space() {
  needed=$(($1 + $1 / 20 + 268435456))
  free=$(df -B1 --output=avail "$scratch" | tail -n 1)
  [ "$free" -ge "$needed" ] ||
    fail "no space for a copy of the data: $((needed / 1048576)) MiB are needed in $scratch, and $((free / 1048576)) MiB are free; set backup_scratch to a folder with more"
}

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
