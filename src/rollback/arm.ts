import {
  forgetFunction,
  undoFolder,
  undoFresh,
  undoLive,
  undoTimer,
  undoUnit,
  undoUnitFile,
  undoWants,
} from './unconfirmed.ts';
import type { Guard } from '../resources/capabilities/access.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import { snapshotFunctions } from './snapshot.ts';

/** A change that the host rolls back by itself unless it is confirmed. */
export interface Undo {
  readonly guard: Guard;
  /** What the change is called: `reload ssh.service`. */
  readonly title: string;
  /** Random: only the run that armed it confirms it. */
  readonly token: string;
  /** Seconds that a fresh connection has, from when the change is made. */
  readonly seconds: number;
}

/** A file that the scripts below find in `$HW`. */
export interface Part {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Before whatever lets anybody in, so that a host that goes down meanwhile comes up as it was. A script that
 * is gone when it is called was confirmed at that moment.
 */
const unit = `[Unit]
Description=Roll back a change that no fresh connection of Hostwright has confirmed
DefaultDependencies=no
RequiresMountsFor=${undoFolder}
After=local-fs.target systemd-remount-fs.service
Before=sysinit.target network-pre.target ufw.service ssh.socket shutdown.target
Conflicts=shutdown.target
ConditionPathExists=${undoFolder}/undo.sh

[Service]
Type=oneshot
ExecStart=/bin/sh -c '[ ! -e ${undoFolder}/undo.sh ] || exec sh ${undoFolder}/undo.sh'
`;

/** It waits until the change is made, or its script has died, and then for what is left of the time. */
const waitForTurn = sh`exec 9<${undoFolder}
flock -w 900 9 || echo 'the change still runs after 15 minutes'
while [ -e ${undoLive}/until ] && [ "$(cut -d. -f1 /proc/uptime)" -lt "$(cat ${undoLive}/until)" ]; do
  flock -u 9
  sleep 0.2
  flock -w 900 9
done
[ -e ${undoFolder}/undo.sh ] || exit 0`;

/** At boot a unit that was not enabled has not been started; nothing else that ran is there to be restored. */
function restoreEnablement(name: string): Script {
  return sh`was=$(cat ${undoFolder}/enabled) is=$(systemctl is-enabled ${name} 2>/dev/null)
case $was:$is in
  "$is:$was") ;;
  enabled:*) systemctl --no-reload --quiet enable ${name} || failed=yes ;;
  disabled:*) systemctl --no-reload --quiet disable ${name} || failed=yes ;;
esac
if [ -n "$booted" ] && [ "$was" = enabled ] && [ "$is" != enabled ]; then
  systemctl daemon-reload
  systemctl --no-block start ${name}
fi`;
}

/** Each part is tried, whatever becomes of the others. */
function undoScript({ guard, title }: Undo): Script {
  return lines([
    waitForTurn,
    snapshotFunctions,
    forgetFunction,
    sh`printf '%s\n' ${`no fresh connection has confirmed "${title}": rolling it back`}
failed=
hw_restore ${undoFolder}/before || failed=yes
if [ -d ${undoLive} ]; then booted=; else booted=yes; fi
${guard.unit === undefined ? sh`` : restoreEnablement(guard.unit)}
[ -n "$booted" ] || HW=${undoLive} sh -eu ${undoFolder}/restore.sh || failed=yes
hw_forget
if [ -n "$failed" ]; then echo 'the rollback is incomplete'; exit 1; fi
echo 'rolled back'`,
  ]);
}

export function undoParts(undo: Undo): readonly Part[] {
  const part = (name: string, text: string): Part => ({ name, bytes: Buffer.from(text) });
  return [
    part('undo.sh', undoScript(undo).text),
    part('keep.sh', undo.guard.keep.text),
    part('restore.sh', undo.guard.restore.text),
    part('undo.service', unit),
  ];
}

/** The lines of `hw_snapshot`. A change of a file is made where the links lead that it is named by. */
function listPaths({ paths, trees = [] }: Guard): Script {
  const whole = trees.length === 0 ? sh`:` : sh`printf 'whole %s\n' ${trees}`;
  if (paths.length === 0) return whole;
  return sh`${whole}
    printf '%s\n' ${paths} | while IFS= read -r path; do
      printf 'one %s\n' "$path"
      if [ -L "$path" ]; then printf 'one %s\n' "$(realpath -m -- "$path")"; fi
    done`;
}

/**
 * `hw_arm`: the state of before is on the disk, and a timer runs, before anything takes effect. Only with its last step,
 * which names the folder, does any of it count: what ends before has armed nothing, and clears up where it can. The
 * lock of the folder keeps the undoing back while the change is under way; it goes with the shell that calls this.
 */
function arm({ guard, title, token, seconds }: Undo): Script {
  return lines([
    snapshotFunctions,
    sh`hw_arm() {
  trap hw_forget EXIT
  rm -rf ${undoLive} ${undoFresh}
  mkdir -p /var/lib/hostwright
  mkdir -m 0700 ${undoLive} ${undoFresh}
  keep=$HW/keep.sh
  HW=${undoLive} sh -eu "$keep"
  { [ ! -e "$HW/places" ] || cat "$HW/places"
    ${listPaths(guard)}; } >"$HW/kept"
  hw_snapshot ${undoFresh}/before "$HW/kept"
  ${guard.unit === undefined ? sh`:` : sh`systemctl is-enabled ${guard.unit} >${undoFresh}/enabled 2>/dev/null || :`}
  printf '%s\n' ${token} >${undoFresh}/token
  printf '%s\n' ${title} >${undoFresh}/title
  cp "$HW/undo.sh" "$HW/restore.sh" ${undoFresh}
  sync -f ${undoFresh}
  cp "$HW/undo.service" ${undoUnitFile}
  mkdir -p ${undoWants}
  ln -sf ../${undoUnit} ${undoWants}/${undoUnit}
  sync -f ${undoWants}
  systemctl daemon-reload
  exec 9<${undoFresh}
  flock 9
  systemd-run --quiet --on-active=${seconds} --timer-property=AccuracySec=100ms --unit=${undoUnit} >&2
  mv -T ${undoFresh} ${undoFolder}
  if ! systemctl is-active --quiet ${undoTimer}; then echo 'the timer of the rollback has ended' >&2; exit 1; fi
  sync -f ${undoFolder}
  trap - EXIT
}`,
  ]);
}

/** `hw_made`: from now on a fresh connection has its time. `hw_disarm`: nothing is left to be rolled back. */
export function guardFunctions(undo: Undo): Script {
  return lines([
    forgetFunction,
    arm(undo),
    sh`hw_made() {
  echo $(($(cut -d. -f1 /proc/uptime) + ${undo.seconds})) >${undoLive}/until.new
  mv -T ${undoLive}/until.new ${undoLive}/until
  exec 9<&-
}
hw_disarm() {
  hw_forget
  exec 9<&-
}`,
  ]);
}

/** For a fresh connection: fails where the change is not there to be confirmed any more. */
export function confirm({ token }: Undo): Script {
  return lines([
    forgetFunction,
    sh`hw_late() { echo 'the host rolled it back before a fresh connection confirmed it' >&2; exit 1; }
[ -d ${undoFolder} ] || hw_late
exec 9<${undoFolder}
flock -w 60 9 || hw_late
[ "$(cat ${undoFolder}/token 2>/dev/null)" = ${token} ] || hw_late
hw_forget`,
  ]);
}
