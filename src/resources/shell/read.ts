import { lines, sh, type Script } from '../../transport/shell.ts';
import { enterFunctions } from './enter.ts';

/**
 * `hw_read_file FILE FROM COUNT` prints so many bytes of a regular file. What is put into its place meanwhile is neither
 * followed, nor waited for.
 */
export const readFunction: Script = lines([
  enterFunctions,
  sh`hw_read_file() (
  hw_enter_of "$1"
  if [ -e "./$hw_file" ] && [ ! -f "./$hw_file" ]; then printf '%s is not a regular file\n' "$1" >&2; exit 1; fi
  exec timeout 20 dd if="./$hw_file" iflag=nofollow,nonblock,fullblock,skip_bytes,count_bytes bs=64K skip="$2" count="$3" status=none
)`,
]);
