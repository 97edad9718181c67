
# -- test: a copy restored on a scratch server

# The manifest of a copy in $work/manifest, whole.
fetch_manifest() {
  { fetch "$1.manifest" >"$work/manifest"; } 2>"$work/said"
  if fetched && [ "$(tail -n 1 "$work/manifest")" = end ]; then return; fi
  cat "$work/said" >&2
  return 1
}

value() { sed -n "s/^$1=//p" "$work/manifest"; }

# Unpacks a copy into $scratch/data and starts a server on it, whose tables are those of the manifest.
unpack() {
  fetch_manifest "$1" || { say "the manifest of $1 cannot be read"; return 1; }
  [ "$(value flavor)" = "$flavor" ] || { say "$1 is of $(value flavor), and this server is $flavor"; return 1; }
  need_space "$(value bytes)"
  mkdir "$scratch/data"
  fetch "$1.data" | part unpack tar -C "$scratch/data" -xp --same-owner
  if ! fetched || ! parts_ended unpack; then
    say "the data of $1 cannot be read"
    return 1
  fi
  [ "$(cat "$work/came")" = "$(value sum)" ] || { say "the data of $1 are not those of its manifest"; return 1; }
  chown -R mysql:mysql "$scratch/data"
  start_scratch "$(value option)"
  sed -n '/^table /p' "$work/manifest" >"$work/expected"
  checksums >"$work/tables"
  cmp -s "$work/expected" "$work/tables" && return
  say "tables of $1 differ from the manifest: $(diff "$work/expected" "$work/tables" | sed -n 's/^[<>] table [0-9]* //p' | sort -u | head -n 5 | tr '\n' ' ')"
  return 1
}

# $1: a copy, HOST/TIME; the last one of all unless said.
backup_test() {
  begin test
  take_key
  stored
  copy=${1:-$(copies | tail -n 1)}
  [ -n "$copy" ] || fail 'there is no copy to test'
  copies | grep -qx "$copy" || fail "there is no copy $copy with a manifest"
  say "testing $copy"
  # In a shell of its own: whatever fails there fails the test.
  if (
    trap 'stop_scratch' EXIT
    unpack "$copy"
  ); then good=1; else good=0; fi
  echo "$(date +%s) $good" >"$state/last.test"
  metrics
  if [ "$good" = 1 ]; then outcome=ok; else outcome=failed; fi
  send "tested/$(printf '%s' "$copy" | tr / .).$outcome" now || :
  [ "$good" = 1 ] || fail "the restore test of $copy has failed"
  say "the restore test of $copy is good: $(wc -l <"$work/expected") tables are equal"
}

# For the timer: the last copy, unless this was done.
backup_test_new() {
  mkdir -p "$state"
  work=$(mktemp -d "$state/work.XXXXXX")
  stored
  copy=$(copies | tail -n 1)
  mark=$(printf '%s' "$copy" | tr / .)
  if [ -z "$copy" ] || grep -q "/tested/$mark\.[a-z]* " "$work/list"; then
    rm -rf "$work"
    return
  fi
  rm -rf "$work"
  backup_test "$copy"
}
