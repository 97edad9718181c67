
# -- what goes to the storing host and comes from there

remote() {
  ssh -F none -i "$etc/ssh_key" -p "$port" -o UserKnownHostsFile="$etc/known_hosts" -o StrictHostKeyChecking=yes \
    -o BatchMode=yes -o IdentitiesOnly=yes -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=8 \
    "hostwright-backup@$store" "$@"
}

# A part of a pipe, whose status is kept by its name.
part() {
  part=$1
  shift
  if "$@"; then ended=0; else ended=$?; fi
  echo "$ended" >"$work/part.$part"
}

# Whether all parts of the pipe ended well; says which did not. 141: the next one had ended before.
parts_ended() {
  whole=yes
  for part in "$@"; do
    ended=$(cat "$work/part.$part" 2>/dev/null) || ended=unknown
    [ "$ended" != 0 ] || continue
    whole=no
    [ "$ended" = 141 ] || say "$part ended with $ended"
  done
  [ "$whole" = yes ]
}

# Stores what a command prints under a new name, compressed and encrypted. The sum at the end is sent only when every
# part of the pipe has ended well, and without it the name does not come into being. Gives size and sum.
send() {
  sent_as=$1
  shift
  rm -f "$work"/part.* "$work/sum"
  {
    {
      part read "$@" | part zstd zstd -q -c | part age age -R "$etc/recipients" | part tee tee /dev/fd/3 |
        sha256sum | cut -c1-64 >"$work/sum"
    } 3>&1
    parts_ended read zstd age tee && cat "$work/sum"
  } | part ssh remote put "$sent_as" >"$work/stored"
  answer=$(cat "$work/part.ssh")
  parts_ended read zstd age tee && [ "$answer" = 0 ] && return
  case $answer in
    255) fail_for_now "the storing host $store cannot be reached: $sent_as is not stored" ;;
    73) return 73 ;;
    *) fail "$sent_as is not stored" ;;
  esac
}

# A key may come by standard input, so that a host without one can read backups for once.
take_key() {
  [ -t 0 ] || cat >"$work/key"
}

key() { if [ -s "$work/key" ]; then echo "$work/key"; else echo "$etc/test.key"; fi; }

# The plain text of a stored file; $1 is HOST/NAME. Its encrypted form has the sum $work/came then.
fetch() {
  [ -s "$(key)" ] || fail "no key on $host can read backups: run this by \`hostwright do backup\`, which brings the key along"
  rm -f "$work"/part.*
  {
    {
      part ssh remote get "$1" | part tar tar -xO | part tee tee /dev/fd/3 | sha256sum | cut -c1-64 >"$work/came"
    } 3>&1
  } | part age age -d -i "$(key)" | part zstd zstd -q -dc
}

fetched() {
  parts_ended ssh tar tee age zstd && return
  [ "$(cat "$work/part.ssh")" != 255 ] || fail_for_now "the storing host $store cannot be reached"
  return 1
}

# What is stored: `HOST/NAME SIZE TIME` in lines.
stored() {
  remote list >"$work/list" || fail_for_now "the storing host $store does not answer"
}

# Copies with a manifest, oldest first: HOST/TIME.
copies() {
  sed -n 's/^\([^/ ]*\/[^/ ]*\)\.manifest .*/\1/p' "$work/list" | while IFS= read -r copy; do
    if grep -q "^$copy\.data " "$work/list"; then echo "$copy"; fi
  done | sort -t / -k 2
}
