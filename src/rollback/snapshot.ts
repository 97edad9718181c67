import { lines, sh, type Script } from '../transport/shell.ts';

/**
 * `hw_snapshot FOLDER LIST`: keeps what there is at some paths, each under its number. A line of LIST is
 * `one PATH`, or `whole PATH` for a directory that goes with everything in it: of any other directory only owner,
 * group and mode can change. Fails where there is no space for it.
 */
const snapshot = sh`hw_snapshot() {
  mkdir "$1" || return
  awk '!seen[$0]++ { print ++n " " $0 }' "$2" >"$1/list" || return
  sort -rn "$1/list" >"$1/reversed" || return
  while IFS= read -r line; do
    kept=$1/\${line%% *} line=\${line#* }
    path=\${line#* }
    if [ -L "$path" ] || [ ! -d "$path" ]; then
      { [ ! -e "$path" ] && [ ! -L "$path" ]; } || cp -aT "$path" "$kept" || return
    elif [ "\${line%% *}" = whole ]; then cp -axT "$path" "$kept" || return
    else mkdir "$kept" && chown --reference="$path" "$kept" && chmod --reference="$path" "$kept" || return; fi
  done <"$1/list"
}`;

/**
 * `hw_restore FOLDER`: restores what was copied aside, the last path first, so that what was made in a new folder
 * goes before the folder. A file takes the place of the new one at once, with all its attributes (`hw_replace` gives it
 * only some), if there is space for both; else the new one goes first. A directory that is still there is never removed: it may hold what nobody copied. One that fails
 * keeps no other back, and makes it fail in the end.
 */
const restore = sh`hw_restore_one() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    if [ -L "$3" ] || [ ! -d "$3" ]; then rm -f "$3" && mkdir "$3" || return; fi
    if [ "$2" = whole ]; then cp -axT "$1" "$3"
    else chown --reference="$1" "$3" && chmod --reference="$1" "$3"; fi
    return
  fi
  if [ -d "$3" ] && [ ! -L "$3" ]; then rm -rf --one-file-system "$3" || return; fi
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then rm -f "$3"; return; fi
  aside=\${3%/*}/.hostwright.back
  if cp -aT "$1" "$aside" 2>/dev/null && mv -fT "$aside" "$3"; then return; fi
  rm -f "$aside" "$3"
  cp -aT "$1" "$3"
}
hw_restore() {
  code=0
  while IFS= read -r line; do
    kept=$1/\${line%% *} line=\${line#* }
    hw_restore_one "$kept" "\${line%% *}" "\${line#* }" || code=1
  done <"$1/reversed"
  return "$code"
}`;

/** The functions `hw_snapshot` and `hw_restore`. */
export const snapshotFunctions: Script = lines([snapshot, restore]);
