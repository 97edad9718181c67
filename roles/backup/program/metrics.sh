
# -- what the node exporter tells of it

gauge() { printf '# HELP hostwright_backup_%s %s\n# TYPE hostwright_backup_%s gauge\nhostwright_backup_%s %s\n' "$1" "$2" "$1" "$1" "$3"; }

# Time and number of the last run that counts; before the first one, when this host was set up, and $2.
last() {
  [ -s "$state/last.none" ] || stat -c %Y "$etc/backup.conf" >"$state/last.none"
  if [ -s "$state/last.$1" ]; then cat "$state/last.$1"; else echo "$(cat "$state/last.none") $2"; fi
}

metrics() {
  folder=/var/lib/prometheus/node-exporter
  [ -d "$folder" ] || return 0
  out=$(mktemp "$folder/.backup.XXXXXX")
  {
    gauge logs_time_seconds 'Up to when the binary logs are stored, as a Unix time.' "$(last logs 0 | cut -d ' ' -f 1)"
    if [ "$sends" = yes ]; then
      gauge time_seconds 'When the last copy was stored, as a Unix time.' "$(last now 0 | cut -d ' ' -f 1)"
      gauge size_bytes 'Size of the last copy.' "$(last now 0 | cut -d ' ' -f 2)"
    fi
    if [ "$tests" = yes ]; then
      gauge test_time_seconds 'When a copy was last restored to test it, as a Unix time.' "$(last test 1 | cut -d ' ' -f 1)"
      gauge test_success 'Whether the last copy that was tested was good.' "$(last test 1 | cut -d ' ' -f 2)"
    fi
  } >"$out"
  chmod 0644 "$out"
  mv -f "$out" "$folder/hostwright_backup.prom"
}
