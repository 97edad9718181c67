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

/** `hw_put_back FOLDER`: the paths are again what was copied aside; what was not there goes. */
export function putBack(paths: readonly string[]): Script {
  return sh`hw_put_back() {
  n=0
  for path in ${paths}; do
    n=$((n + 1))
    rm -rf "$path"
    if [ -e "$1/$n" ] || [ -L "$1/$n" ]; then cp -aT "$1/$n" "$path"; fi
  done
}`;
}
