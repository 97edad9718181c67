#!/bin/sh
# What a host may do with the backups that are stored here; sshd starts it with the name of that host, and with how
# many bytes it may hold in all and how many must stay free on the disk. `put NAME` stores standard input under a new
# name of its own, whole or not at all: the last line is the SHA-256 of all before it. `get HOST/NAME...` gives files
# as a tar, `list` their sizes and times. Nothing replaces or removes a file.
set -euf
umask 077
export LC_ALL=C

store=/var/lib/hostwright-backup
host=$1 quota=$2 reserve=$3
# shellcheck disable=SC2086 # A request is words.
set -- ${SSH_ORIGINAL_COMMAND:-}

refuse() {
  code=$1
  shift
  printf '%s\n' "$*" >&2
  exit "$code"
}

is_word() {
  case $1 in '' | .* | *[!A-Za-z0-9._-]*) return 1 ;; esac
  [ "${#1}" -le 100 ]
}

# NAME or FOLDER/NAME.
is_name() {
  case $1 in
    */*) is_word "${1%%/*}" && is_word "${1#*/}" ;;
    *) is_word "$1" ;;
  esac
}

# In bytes, what may still be written.
room() {
  free=$(($(df -B1 --output=avail "$store" | tail -n 1) - reserve))
  left=$((quota - $(du -sb "$store/$host" | cut -f1)))
  if [ "$left" -lt "$free" ]; then echo "$left"; else echo "$free"; fi
}

put() {
  final=$store/$host/$1
  folder=${final%/*}
  mkdir -p "$folder"
  [ ! -e "$final" ] || refuse 73 "$1 is there already, and is not replaced"
  part=$(mktemp "$folder/.part.XXXXXX")
  trap 'rm -f "$part"' EXIT
  trap 'exit 1' HUP INT TERM
  room=$(room)
  [ "$room" -gt 0 ] || refuse 75 "no space for backups of $host: $room bytes are left of the quota or above the reserve"
  head -c "$((room + 65))" >"$part" || refuse 75 "$1 cannot be written"
  size=$(($(stat -c %s "$part") - 65))
  [ "$size" -lt "$room" ] || refuse 75 "no space for $1: it is larger than the $room bytes that are left"
  [ "$size" -ge 0 ] || refuse 65 "$1 is incomplete"
  sum=$(tail -c 65 "$part" | tr -d '\0')
  truncate -s "$size" "$part"
  [ "$(sha256sum <"$part")" = "$sum  -" ] || refuse 65 "$1 is incomplete or damaged"
  chmod 0400 "$part"
  sync "$part"
  # Unlike a rename, a link replaces nothing.
  ln "$part" "$final" || refuse 73 "$1 is there already, and is not replaced"
  rm -f "$part"
  sync "$folder"
  echo "$size"
}

get() {
  for name in "$@"; do
    case $name in */*) ;; *) refuse 64 "$name is no name of a backup" ;; esac
    if ! is_word "${name%%/*}" || ! is_name "${name#*/}"; then refuse 64 "$name is no name of a backup"; fi
    [ -f "$store/$name" ] || refuse 66 "$name is not there"
  done
  tar -C "$store" -c -- "$@"
}

mkdir -p "$store/$host"
case ${1:-}/$# in
  put/2)
    is_name "$2" || refuse 64 "$2 is no name of a backup"
    put "$2"
    ;;
  get/1) refuse 64 'get what?' ;;
  get/*)
    shift
    get "$@"
    ;;
  list/1) find "$store" -mindepth 2 -type f ! -name '.*' -printf '%P %s %Ts\n' | sort ;;
  *) refuse 64 'only put NAME, get HOST/NAME and list are possible' ;;
esac
