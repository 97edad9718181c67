import { HostwrightError } from '../errors.ts';
import { sh, type Script } from './shell.ts';
import type { Answer, Request } from './transport.ts';

/** One of several scripts that share a round trip. */
export interface Section {
  readonly script: Script;
  readonly stdin?: Uint8Array;
}

/** The code of a section that was not begun because the request was asked to stop: no script ends with it. */
export const notBegun = 256;

export interface SectionsOptions {
  /** Milliseconds. */
  readonly timeout?: number;
  /** So many of the first sections are not begun once the request has been asked to stop. */
  readonly stoppable?: number;
}

/**
 * One request that runs scripts one after the other, each under `set -eu` in a `sh` of its own with its
 * own standard input and a private folder `$HW` that is gone afterwards. A failing script does not stop
 * the next. What is the same for all of them is done once for all: a process costs a host about a
 * millisecond, and there are often hundreds of sections.
 */
export function sectionsRequest(
  sections: readonly Section[],
  { timeout, stoppable = 0 }: SectionsOptions = {},
): Request {
  const parts = sections.flatMap((section) => [
    Buffer.from(section.script.text),
    section.stdin ?? new Uint8Array(),
  ]);
  const sizes = sections.map(
    (_, index) => `${parts[2 * index]?.length ?? 0} ${parts[2 * index + 1]?.length ?? 0}`,
  );
  const script = sh`work=$(mktemp -d /run/hostwright/work.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
fail() { rm -rf "$work"; echo 'no space left below /run/hostwright' >&2; exit 1; }
n=0
for size in ${sizes}; do
  n=$((n + 1))
  set -- $size
  head -c "$1" >"$work/$n.sh" || fail
  if [ "$2" = 0 ]; then : >"$work/$n.in"; else head -c "$2" >"$work/$n.in"; fi || fail
done
(cd "$work" && seq "$n" | xargs -r mkdir && seq "$n" | sed 's/.*/&.out\n&.err/' >names && : >codes) || fail
i=0
while [ "$i" -lt "$n" ]; do
  i=$((i + 1))
  if [ "$i" -le ${stoppable} ] && [ -s "$HW_STOP" ]; then
    : >"$work/$i.out" && : >"$work/$i.err" && echo ${notBegun} >>"$work/codes"
    continue
  fi
  code=0
  HW="$work/$i" sh -eu "$work/$i.sh" <"$work/$i.in" >"$work/$i.out" 2>"$work/$i.err" || code=$?
  echo "$code" >>"$work/codes"
done
cd "$work" && xargs -r stat -c %s <names | paste -d ' ' codes - - && xargs -r cat <names || fail`;
  return {
    script,
    stdin: Buffer.concat(parts),
    ...(timeout === undefined ? {} : { timeout }),
    ...(stoppable === 0 ? {} : { heedsStop: true }),
  };
}

/** The answers of each section; E_REMOTE when the host's answer is not of this shape. */
export function parseSections(host: string, answer: Answer, count: number): readonly Answer[] {
  let at = 0;
  const take = (length: number): Buffer => {
    if (answer.stdout.length < at + length) throw unexpected(host, answer, count);
    at += length;
    return answer.stdout.subarray(at - length, at);
  };
  const headers = Array.from({ length: count }, () => {
    const line = take(Math.max(answer.stdout.indexOf('\n', at) + 1 - at, 0)).toString('latin1');
    const found = /^(\d{1,3}) (\d{1,10}) (\d{1,10})\n$/.exec(line)?.slice(1).map(Number);
    const [code, out, err] = found ?? [];
    if (code === undefined || out === undefined || err === undefined) throw unexpected(host, answer, count);
    return { code, out, err };
  });
  return headers.map(({ code, out, err }) => ({ code, stdout: take(out), stderr: take(err) }));
}

function unexpected(host: string, answer: Answer, count: number): HostwrightError {
  const words = answer.stderr.toString('utf8').trim();
  if (/no space left/i.test(words)) {
    return new HostwrightError('E_REMOTE', 'no space left below /run/hostwright', {
      place: { host },
      found: words.slice(-500),
      hint: 'find out what fills /run (df /run, df -i /run), then run the command again',
    });
  }
  return new HostwrightError('E_REMOTE', 'the host answered in an unexpected form', {
    place: { host },
    found: answer.stderr.toString('utf8').trim().slice(-500) || `exit status ${answer.code}`,
    expected: `the results of ${count} scripts`,
  });
}
