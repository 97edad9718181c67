#!/bin/sh
# Removes backups that arrived more than so many days ago; of each host the newest one stays, and the newest that a
# restore test has passed. A file counts by when it arrived here: the clocks and names of senders decide nothing.
set -eu
umask 077
export LC_ALL=C

store=/var/lib/hostwright-backup
days=$1
cutoff=$(($(date +%s) - days * 86400))
two_days=172800
oldest=$cutoff

forget() {
  printf 'removed %s\n' "${1#"$store"/}"
  rm -f "$1"
}

arrival() { stat -c %Y "$1"; }

# Of manifests, newest first: those that stay are named.
kept() {
  newest='' passed=''
  while IFS= read -r name; do
    stays=''
    if [ -z "$newest" ]; then newest=$name stays=1; fi
    if [ -z "$passed" ] && [ -n "$(find "$store" -mindepth 3 -name "$1.$name.ok")" ]; then passed=$name stays=1; fi
    if [ -n "$stays" ] || [ "$(arrival "$store/$1/$name.manifest")" -ge "$cutoff" ]; then echo "$name"; fi
  done
}

for folder in "$store"/*/; do
  [ -d "$folder" ] || continue
  host=$(basename "$folder")
  find "$folder" -name '.part.*' -mmin +1440 -delete
  names=$(find "$folder" -maxdepth 1 -name '*.manifest' -printf '%Ts %f\n' | sort -rn | sed 's/^[0-9]* //; s/\.manifest$//')
  keep=$(printf '%s\n' "$names" | sed '/^$/d' | kept "$host")
  for name in $names; do
    if printf '%s\n' "$keep" | grep -Fqx -e "$name"; then
      came=$(arrival "$store/$host/$name.manifest")
      [ "$came" -ge "$oldest" ] || oldest=$came
      continue
    fi
    # The manifest first: what has none is no backup.
    forget "$store/$host/$name.manifest"
    forget "$store/$host/$name.data"
  done
  find "$folder" -maxdepth 1 -name '*.data' -mmin +2880 | while IFS= read -r data; do
    [ -e "${data%.data}.manifest" ] || forget "$data"
  done
done

# Binary logs and results of tests are of use with a backup that is older than they are.
find "$store" -mindepth 3 -type f ! -name '.*' ! -newermt "@$((oldest - two_days))" | while IFS= read -r file; do
  forget "$file"
done
