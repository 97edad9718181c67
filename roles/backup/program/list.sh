
# -- list: what is stored, for people and for the action

# `HOST TIME SIZE TESTED GTID` in lines, with tabs; what the manifest says is left out without a key.
backup_list() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  take_key
  stored
  mkdir "$work/all"
  copies >"$work/copies"
  [ -s "$work/copies" ] || return 0
  # shellcheck disable=SC2046 # They are words.
  remote get $(sed 's/$/.manifest/' "$work/copies") | tar -x -C "$work/all"
  while IFS= read -r copy; do
    mark=$(printf '%s' "$copy" | tr / .)
    tested=$(sed -n "s|^[^/ ]*/tested/$mark\.\([a-z]*\) .*|\1|p" "$work/list" | sort | head -n 1)
    size=$(sed -n "s|^$copy\.data \([0-9]*\) .*|\1|p" "$work/list")
    if ! { age -d -i "$(key)" | zstd -q -dc; } <"$work/all/$copy.manifest" >"$work/manifest" 2>/dev/null; then
      echo 'gtid=not readable' >"$work/manifest"
    fi
    printf '%s\t%s\t%s\t%s\t%s\n' "${copy%/*}" "${copy#*/}" "$size" "${tested:-no}" "$(value gtid)"
  done <"$work/copies"
}
