#!/bin/bash
# balancer-takeover ADDRESS COMMAND [ARGUMENT...]: runs the command while this host has the address. keepalived tells of
# each change by a line in the pipe at descriptor 3: a takeover, and that another host had the address too. Whatever the
# line says, what counts is who has the address now. Once a minute it is run again, for what no line has told.
address=$1
shift
has_address() { ip -oneline address show to "$address" | grep -q .; }
while :; do
  pause=60
  if has_address; then
    if timeout 60 "$@"; then
      [ "${told:-}" = yes ] || echo "$address was sent to this host"
      told=yes
    else
      echo "the command failed with status $?: it is run again" >&2
      told=no
      pause=2
    fi
  else
    told=no
  fi
  IFS= read -r -t "$pause" -u 3 _ || :
done
