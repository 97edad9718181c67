import { sh } from '../transport/shell.ts';

/**
 * apt-get without questions. The lock timeout of dpkg covers only its own lock; those of the lists and the
 * archives fail at once, so these are tried again for ten minutes.
 */
export const aptGet = sh`hw_apt() {
  tries=0
  while :; do
    if env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a APT_LISTCHANGES_FRONTEND=none apt-get -y -q \
      -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
      -o Dpkg::Use-Pty=0 "$@" >"$HW/apt" 2>&1; then return 0; fi
    tries=$((tries + 1))
    if [ "$tries" -lt 120 ] && grep -q 'Could not get lock\|Unable to lock' "$HW/apt"; then sleep 5; continue; fi
    tail -n 20 "$HW/apt" >&2
    return 1
  done
}
hw_apt_update_if_old() {
  fresh=$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mmin -720 2>/dev/null | head -n 1)
  if [ -z "$fresh" ] || [ -n "$(find /etc/apt -name '*.sources' -newer /var/lib/apt/lists 2>/dev/null)" ]; then hw_apt update; fi
}`;
