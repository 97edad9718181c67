import { sh, type Script } from '../transport/shell.ts';

/** Where a host keeps the state of before, while a change that may cut the controller off is not confirmed. */
export const undoFolder = '/var/lib/hostwright/undo';
/** What of it is of no use after a reboot; that it is there says that there was none. */
export const undoLive = '/run/hostwright/undo';
/** Brings that state back: by a timer, at boot, or when asked to. */
export const undoUnit = 'hostwright-undo.service';

/** Takes back at once what is not confirmed: whoever could have done that is gone, or knows that it must not be. */
export const takeBack: Script = sh`if [ -d ${undoFolder} ]; then
  rm -f ${undoLive}/until
  systemctl start ${undoUnit} >&2 || if [ -d ${undoFolder} ]; then sh ${undoFolder}/undo.sh >&2; fi || :
fi`;
