import { HostwrightError } from '../errors.ts';
import { lines, sh, type Script } from '../transport/shell.ts';

/** Where a host keeps the state of before, while a change that may cut the controller off is not confirmed. */
export const undoFolder = '/var/lib/hostwright/undo';
/** Where that is made ready: nothing counts before it has its name. */
export const undoFresh = `${undoFolder}.new`;
/** What of it is of no use after a reboot; that it is there says that there was none. */
export const undoLive = '/run/hostwright/undo';
/** Restores that state: by a timer, at boot, or when asked to. */
export const undoUnit = 'hostwright-undo.service';
export const undoTimer = undoUnit.replace('.service', '.timer');
export const undoUnitFile = `/etc/systemd/system/${undoUnit}`;
export const undoWants = '/etc/systemd/system/sysinit.target.wants';

/**
 * Leaves nothing behind but what the journal says. At boot systemd must not forget meanwhile what waits for
 * this unit.
 */
export const forgetFunction = sh`hw_forget() {
  rm -f ${undoWants}/${undoUnit} ${undoUnitFile}
  rmdir --ignore-fail-on-non-empty ${undoWants} 2>/dev/null || :
  rm -rf ${undoFresh}
  if [ -d ${undoFolder} ]; then mv -T ${undoFolder} ${undoFresh}; fi
  rm -rf ${undoFresh}
  if [ -d ${undoLive} ]; then
    rm -rf ${undoLive}
    systemctl daemon-reload
    systemctl --no-block stop ${undoTimer} 2>/dev/null || :
  fi
}`;

/**
 * Rolls back at once what is not confirmed: the run that could confirm it has ended, or knows that it must not.
 * What was not armed yet when its run ended has changed nothing, and is removed.
 */
export const rollBack: Script = lines([
  forgetFunction,
  sh`if [ -d ${undoFolder} ]; then
  rm -f ${undoLive}/until
  systemctl start ${undoUnit} >&2 || if [ -d ${undoFolder} ]; then sh ${undoFolder}/undo.sh >&2; fi || :
elif [ -d ${undoLive} ] || [ -e ${undoUnitFile} ]; then hw_forget
fi`,
]);

/** Prints `unconfirmed=SECONDS TITLE` where a change waits: the seconds until the host rolls it back, if it says. */
export const printUnconfirmed: Script = sh`if [ -d ${undoFolder} ]; then
  left=
  if [ -e ${undoLive}/until ]; then left=$(($(cat ${undoLive}/until) - $(cut -d. -f1 /proc/uptime))); fi
  printf 'unconfirmed=%s %s\n' "$left" "$(head -n 1 ${undoFolder}/title)"
fi`;

/** E_UNCONFIRMED for what `printUnconfirmed` said. */
export function unconfirmed(host: string, words: string): HostwrightError {
  const [, seconds = '', title = ''] = /^(-?\d*) (.*)$/.exec(words) ?? [];
  const when = seconds === '' ? '' : ` within ${Math.max(Number(seconds), 0) + 1} s; then plan again`;
  return new HostwrightError('E_UNCONFIRMED', 'a change of an earlier run is not confirmed', {
    place: { host },
    found: title,
    hint: `the host rolls it back${when}, and "hostwright apply" rolls it back at once`,
  });
}
