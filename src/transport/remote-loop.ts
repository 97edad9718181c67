import { stopSign } from './frame.ts';
import { sh, type Script } from './shell.ts';

export interface RemoteLoop {
  /** Names the folder of the session; two sessions never share one. */
  readonly session: string;
  /** Random word that starts every line of the loop, so that garbage cannot pass for an answer. */
  readonly nonce: string;
  /** `/run/hostwright`: on a tmpfs, because standard input of scripts may hold secrets. */
  readonly directory: string;
  /** Bytes of standard output and error together that one answer may have. */
  readonly answerLimit: number;
}

/**
 * The long-lived shell on a host: reads framed requests from its standard input, runs each script in a
 * process of its own, and writes framed answers (frame.ts has both formats).
 *
 * - `read` takes byte by byte and `head -c` never more than asked, so neither swallows what follows.
 * - The line after a body proves that the body is whole: a connection that dies in the middle of an upload
 *   must not run half a script.
 * - File descriptor 8 locks the session's own folder while it lives; whoever can take that lock may clean
 *   up. Descriptor 9 is the lock of the host, 7 the connection. Scripts get none of them, or a daemon would keep
 *   them for ever.
 * - `timeout` makes a process group, which ends a script whose controller has given up on it.
 * - A script whose controller has died runs to its end; the loop then finds its pipe broken.
 * - The watchdog is killed outright: one that has just begun may swallow any other signal with the trap of the
 *   loop, and would be waited for for ever.
 * - A second signal must not break off the cleaning up after the first.
 * - While a script runs that can be asked to stop, `head` waits for the one byte that says so. It is killed
 *   outright before the next request is read: it has taken that byte or nothing.
 * - PIPE is trapped, not ignored: ignoring would be inherited and break `yes | head` in scripts.
 */
export function remoteLoop({ session, nonce, directory, answerLimit }: RemoteLoop): Script {
  return sh`umask 077
n=${nonce} b=${directory} limit=${answerLimit}
new=$b/new.${session} s=$b/session.${session} watch=
fail() { printf '%s failed %s\n' "$n" "$1"; exit 1; }
trap 'trap "" HUP INT TERM PIPE; [ -z "$watch" ] || { kill -KILL "$watch"; wait "$watch"; } 2>/dev/null; rm -rf "$new" "$s"' EXIT
trap 'exit 129' HUP INT TERM PIPE
[ "$(id -u)" = 0 ] || [ -w "$b" ] || fail "not root but $(id -un)"
mkdir -p "$b" && mkdir "$new" || fail "cannot make a folder below $b"
exec 7<&0 8>"$new/alive" 9>>"$b/lock"
flock -n 8 && mv "$new" "$s" || fail "cannot set up a folder below $b"
for old in "$b"/session.*; do
  [ "$old" = "$s" ] || [ ! -e "$old/alive" ] || flock -n "$old/alive" rm -rf "$old"
done
${watchdog}
printf '%s ready\n' "$n"
while read -r q script input seconds heeds mode wait holder; do
  ${forgetStop}
  f=$s/$q k='done' c=0
  head -c "$script" >"$f.script" && head -c "$input" >"$f.in" || fail "no space left below $b"
  read -r end && [ "$end" = "end $q" ] || exit 1
  : >"$f.out" && : >"$f.err" || fail "no space left below $b"
  ${takeLock}
  ${runScript}
  set -- $(stat -c %s "$f.out" "$f.err")
  [ $# = 2 ] || fail "another program removed files below $b"
  [ $(($1 + $2)) -le "$limit" ] || k=large
  printf '%s answer %s %s %s %s %s\n' "$n" "$q" "$k" "$c" "$1" "$2"
  if [ "$k" != large ]; then
    [ "$1" = 0 ] || head -c "$1" "$f.out"
    [ "$2" = 0 ] || head -c "$2" "$f.err"
  fi
  printf '%s end %s\n' "$n" "$q"
  rm -f "$f".*
done
`;
}

/**
 * Ends a script that writes more than an answer may hold before it fills the tmpfs. When the loop is killed
 * without a chance to clean up, its locks stay here until the script in hand has ended, and so does its folder.
 */
const watchdog = sh`(
  exec </dev/null >/dev/null 2>&1 7<&-
  while sleep 1 8>&- 9>&-; do
    kill -0 $$ || {
      if read -r group <"$s/group"; then
        while kill -0 "$group"; do sleep 1 8>&- 9>&-; done
      fi
      rm -rf "$s"
      exit
    }
    found=$(find "$s" '(' -name '*.out' -o -name '*.err' ')' -size +"$limit"c 8>&- 9>&-)
    [ -z "$found" ] || { read -r group <"$s/group" && kill -KILL "-$group"; }
  done
) &
watch=$!`;

/** A request may have ended before its stop sign came. */
const forgetStop = sh`q=\${q#${stopSign}}`;

/** The descriptor stays open in the loop, so the lock goes away with the connection, whatever happens. */
const takeLock = sh`if [ "$mode" != none ]; then
    if flock "--$mode" -w "$wait" 9; then
      printf '%s\n' "$holder" >"$s/holder"
    else
      k=locked
      rm -f "$s/holder"
      cat "$b"/session.*/holder >"$f.out" 2>/dev/null
    fi
  fi`;

/** The number of the process that becomes `timeout` is read in a way that needs no further process. */
const runScript = sh`if [ "$k" = 'done' ]; then
    stop='' listener=''
    if [ "$heeds" = heeds ]; then
      stop=$s/stop
      : >"$stop"
      head -c 1 <&7 >"$stop" 7<&- 8>&- 9>&- &
      listener=$!
    fi
    (
      umask 022
      [ -z "$stop" ] || export HW_STOP="$stop"
      read -r group rest </proc/self/stat && echo "$group" >"$s/group"
      exec timeout -k 5 "$seconds" sh "$f.script" <"$f.in" >"$f.out" 2>"$f.err" 7<&- 8>&- 9>&-
    )
    c=$?
    [ -z "$listener" ] || { kill -KILL "$listener"; wait "$listener"; } 2>/dev/null
  fi`;
