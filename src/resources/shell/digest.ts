import { sh } from '../../transport/shell.ts';

/** Bytes of a file whose content counts; of a larger one, which no service reads as its configuration, size and time. */
export const mostBytes = 64 * 1024 * 1024;

/**
 * One digest over the contents of all files and the targets of all links below some paths. What services have read is
 * recorded by it: `service/loaded.ts` makes the same of a list.
 */
export const digestFunction = sh`hw_digest() {
  { find "$@" -name '.hostwright.*' -prune -o -type f ! -size ${`+${mostBytes}c`} -print0 | sort -z | xargs -0r sha256sum --
    find "$@" -type l -printf '%p -> %l\n' -o -type f -size ${`+${mostBytes}c`} ! -path '*/.hostwright.*' -printf '%p %s %T@\n' | sort; } 2>/dev/null | sha256sum | cut -c1-64
}`;
