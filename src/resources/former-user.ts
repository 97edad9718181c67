import { lines, sh, type Script } from '../transport/shell.ts';
import { keyFiles, keysIn } from './authorized-key.ts';
import type { FoundPath } from './home.ts';
import { replaceFunctions } from './shell/replace.ts';

/** Lines of sudoers(5) that are about a user: a basic expression. */
export function ruleOf(name: string): string {
  return `^[[:blank:]]*${name.replaceAll('.', '[.]')}[[:blank:]]`;
}

export function crontabOf(name: string): string {
  return `/var/spool/cron/crontabs/${name}`;
}

/** Where logind keeps that services of the user run without a session. */
export function lingerOf(name: string): string {
  return `/var/lib/systemd/linger/${name}`;
}

/** Seconds that processes have to end after SIGTERM, and again after SIGKILL. */
const patience = 5;

/** Ends every process of a number; says which are left, as of a service that starts them again. */
const endFunctions = sh`hw_processes() {
  grep -lsE "^Uid:.*[[:blank:]]$1([[:blank:]]|$)" /proc/[0-9]*/status |
    xargs -r grep -Ls '^State:[[:blank:]]*[XZ]' | cut -d/ -f3
}
hw_end() {
  for hw_signal in TERM KILL; do
    hw_round=0
    while hw_left=$(hw_processes "$1") && [ -n "$hw_left" ] && [ "$hw_round" -lt ${patience * 10} ]; do
      # TERM is said once, and KILL to whatever has been started since.
      if [ "$hw_round" -eq 0 ] || [ "$hw_signal" = KILL ]; then
        for hw_process in $hw_left; do kill -s "$hw_signal" "$hw_process" 2>/dev/null || :; done
      fi
      hw_round=$((hw_round + 1))
      sleep 0.1
    done
    [ -n "$hw_left" ] || return 0
  done
  for hw_process in $hw_left; do
    printf 'process %s of %s goes on: %sin %s\n' "$hw_process" "$2" \
      "$(tr '\0' ' ' <"/proc/$hw_process/cmdline" | head -c 200)" "$(sed -n 's/^0:://p' "/proc/$hw_process/cgroup")" >&2
  done
  echo 'the account is locked and expired; stop the service that starts them' >&2
  exit 1
}`;

/** A rule is taken out of a copy that visudo accepts; a file without rules goes. */
const rulesFunction = sh`hw_sudoers() {
  for hw_sudoers in /etc/sudoers /etc/sudoers.d/*; do
    if ! grep -qs -e "$1" "$hw_sudoers"; then continue; fi
    grep -v -e "$1" "$hw_sudoers" >"$HW/sudoers" || [ $? -eq 1 ]
    if [ "$hw_sudoers" != /etc/sudoers ] && ! grep -q '^[[:blank:]]*[^#[:blank:]]' "$HW/sudoers"; then
      rm -f "$hw_sudoers"
    else
      if command -v visudo >/dev/null; then visudo -cqf "$HW/sudoers" >&2; fi
      hw_replace 0440 "$hw_sudoers" <"$HW/sudoers"
    fi
  done
}`;

/**
 * Removes an account with all that lets its user in; the home directory stays. First it is locked: however long its
 * processes take, or if they do not end at all, nobody gets in with it. `userdel` refuses while a process with the same
 * number runs, unless it sees no process: those of an account that shares its number with another are not its own.
 */
export function removeUser(name: string, keepsGroup: boolean): Script {
  const group = keepsGroup ? sh`usermod --gid nogroup ${name}` : sh`:`;
  return lines([
    replaceFunctions,
    endFunctions,
    rulesFunction,
    sh`getent passwd >"$HW/accounts"
rm -f ${crontabOf(name)} ${lingerOf(name)}
IFS=: read -r _ _ uid gid _ home _ <<END || :
$(awk -F: -v name=${name} '$1 == name' "$HW/accounts")
END
if [ -n "$uid" ]; then
  usermod --lock --expiredate 1 ${name}
  if [ "$uid" -ne 0 ] && [ "$(awk -F: -v uid="$uid" '$3 == uid' "$HW/accounts" | wc -l)" -eq 1 ]; then
    find /var/spool/cron/atjobs -maxdepth 1 -type f -user "$uid" -delete 2>/dev/null || :
    loginctl terminate-user ${name} 2>/dev/null || :
    hw_end "$uid" ${name}
    if [ "$(awk -F: -v home="$home" '$6 == home' "$HW/accounts" | wc -l)" -eq 1 ]; then
      # As the user: a link of theirs leads nowhere that they may not write.
      setpriv --reuid="$uid" --regid="$gid" --clear-groups sh -c 'cd "$1/.ssh" && shift && rm -f -- "$@"' sh "$home" ${keyFiles} 2>/dev/null || :
    fi
  fi
  ${group}
  unshare -m sh -euc 'mount -t tmpfs none /proc; exec userdel "$1"' sh ${name}
fi
hw_sudoers ${ruleOf(name)}`,
  ]);
}

/** Of somebody who is to be gone: all that there is. Keys in a home that another account has too are of that one. */
export function leftOf(
  name: string,
  entry: readonly string[] | undefined,
  accounts: readonly (readonly string[])[],
  paths: readonly FoundPath[],
  rest: string,
): readonly string[] {
  const [, , uid, , , home = ''] = entry ?? [];
  const isShared = accounts.some(([other, id, at]) => other !== name && (id === uid || at === home));
  const keys = entry === undefined || isShared ? [] : keysIn(home);
  const files = new Set([...keys, crontabOf(name), lingerOf(name)]);
  const rules = [...rest.matchAll(/^(\/etc\/sudoers[^:\n]*):\s*(\S+)\s*$/gm)];
  return [
    ...(entry === undefined ? [] : ['the account']),
    ...paths.flatMap(({ path }) => (files.has(path) ? [path] : [])),
    ...new Set(rules.flatMap(([, file = '', of]) => (of === name ? [file] : []))),
  ];
}
