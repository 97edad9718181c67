import { sh, type Script } from '../transport/shell.ts';

/** `hw_copy_aside FOLDER`: keeps what there is at some paths, each under its number. */
export function copyAside(paths: readonly string[]): Script {
  return sh`hw_copy_aside() {
  mkdir "$1"
  n=0
  for path in ${paths}; do
    n=$((n + 1))
    if [ -e "$path" ] || [ -L "$path" ]; then cp -aT "$path" "$1/$n"; fi
  done
}`;
}

/**
 * `hw_put_back FOLDER`: the paths are again what was copied aside; what was not there goes. A file takes the
 * place of the new one at once, if there is space for both; else the new one goes first. One that fails keeps no
 * other back, and makes it fail in the end.
 */
export function putBack(paths: readonly string[]): Script {
  return sh`hw_put_back() {
  n=0
  code=0
  for path in ${paths}; do
    n=$((n + 1))
    if [ -f "$1/$n" ] && [ ! -L "$1/$n" ] && [ -f "$path" ]; then
      aside=$(dirname "$path")/.hostwright.back
      if cp -aT "$1/$n" "$aside" 2>/dev/null && mv -fT "$aside" "$path"; then continue; fi
      rm -f "$aside"
    fi
    rm -rf "$path" || code=1
    if [ -e "$1/$n" ] || [ -L "$1/$n" ]; then cp -aT "$1/$n" "$path" || code=1; fi
  done
  return "$code"
}`;
}
