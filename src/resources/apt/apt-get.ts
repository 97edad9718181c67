import { sh } from '../../transport/shell.ts';

/**
 * apt-get without questions. Where others hold one of its locks it waits ten seconds, and then leaves with 75 and
 * the words of apt that say who; Hostwright asks again for as long as `DPkg::Lock::Timeout` of the host says. The
 * lock timeout of apt covers only the locks of dpkg; those of the lists and the archives fail at once.
 */
export const aptGet = sh`hw_apt() {
  hw_deadline=$(($(date +%s) + 10))
  while :; do
    if env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a APT_LISTCHANGES_FRONTEND=none apt-get -y -q \
      -o DPkg::Lock::Timeout=5 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
      -o Dpkg::Use-Pty=0 "$@" >"$HW/apt" 2>&1; then return 0; fi
    grep -q 'Could not get lock\|Unable to lock' "$HW/apt" || break
    if [ "$(date +%s)" -ge "$hw_deadline" ]; then
      hw_patience=600
      eval "$(apt-config shell hw_patience DPkg::Lock::Timeout)"
      echo "wait $hw_patience"
      sed -n 's/.*\(Could not get lock.*\)/\1/p; s/.*\(Unable to lock.*\)/\1/p' "$HW/apt" | sed 's/[.]*$//' | head -n 1 >&2
      exit 75
    fi
    sleep 2
  done
  tail -n 20 "$HW/apt" >&2
  return 1
}
hw_apt_update_if_old() {
  fresh=$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mmin -720 2>/dev/null | head -n 1)
  if [ -z "$fresh" ] || [ -n "$(find /etc/apt -name '*.sources' -newer /var/lib/apt/lists 2>/dev/null)" ]; then hw_apt update; fi
}`;
