import { sh } from '../../transport/shell.ts';

/**
 * Starts a unit anew. Before release 259 systemd forgets a running service when one more name becomes an alias of
 * it, as `enable` makes `sshd.service` one of `ssh.service` (systemd#38817): it takes it for ended, and the process
 * keeps its port from the next one. That process is ended here, but after a first start: the end of a main process
 * that it has forgotten was seen to bring systemd 257 down, and the host with it, unless a newer one has taken its
 * place. Where processes may outlive their unit (`KillMode=process`) only the one that runs its program is meant.
 */
export const startFunction = sh`hw_forgotten() {
  case $(systemctl show -p ActiveState --value "$1") in inactive | failed) ;; *) return 0 ;; esac
  kept=$(systemctl show -p KillMode --value "$1")
  program=$(systemctl show -p ExecStart --value "$1" | sed -n '1s/^{ path=\([^ ]*\) .*/\1/p')
  grep -ls "/$1\$" /proc/[0-9]*/cgroup | cut -d/ -f3 | while read -r pid; do
    grep -qsx 'PPid:[[:space:]]*1' "/proc/$pid/status" || continue
    case $kept in
    process | none) [ "/proc/$pid/exe" -ef "$program" ] || continue ;;
    esac
    echo "$pid"
  done
}
hw_start() {
  forgotten=$(hw_forgotten "$1")
  systemctl reset-failed "$1" 2>/dev/null || :
  if [ -n "$forgotten" ]; then
    systemctl start "$1" 2>/dev/null || :
    for pid in $forgotten; do
      kill "$pid" 2>/dev/null || continue
      timeout 60 tail --pid="$pid" -f /dev/null || kill -KILL "$pid" || :
    done
    systemctl reset-failed "$1" 2>/dev/null || :
  fi
  systemctl restart "$1"
}`;
