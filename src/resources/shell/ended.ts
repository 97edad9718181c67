import { sh, type Script } from '../../transport/shell.ts';

/**
 * `hw_ended STATUS COMMAND...` goes on after a success; else it says how the command ended, behind whatever it
 * said itself (often nothing), and returns the same status.
 */
export const endedFunction: Script = sh`hw_ended() {
  hw_code=$1
  shift
  [ "$hw_code" -ne 0 ] || return 0
  if [ "$hw_code" -gt 128 ] && hw_signal=$(kill -l "$((hw_code - 128))" 2>/dev/null); then
    hw_how="was ended by signal $hw_signal"
  else
    hw_how="ended with exit status $hw_code"
  fi
  printf '%.200s %s\n' "$*" "$hw_how" >&2
  return "$hw_code"
}`;

/**
 * Runs a command of the user, with words that the shell makes behind it; needs `endedFunction`. What it prints is
 * shown when the step fails.
 */
export function runOrSay(words: readonly string[], more: Script = sh``): Script {
  return sh`hw_status=0
${words} ${more} >&2 || hw_status=$?
hw_ended "$hw_status" ${words}`;
}
