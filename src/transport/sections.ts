import { HostwrightError } from '../errors.ts';
import { sh, type Script } from './shell.ts';
import type { Answer, Request } from './transport.ts';

/** One of several scripts that share a round trip. */
export interface Section {
  readonly script: Script;
  readonly stdin?: Uint8Array;
}

/**
 * One request that runs scripts one after the other, each under `set -eu` in a `sh` of its own with its
 * own standard input and a private folder `$HW` that is gone afterwards. A failing script does not stop
 * the next.
 */
export function sectionsRequest(sections: readonly Section[], timeout?: number): Request {
  const parts = sections.flatMap((section) => [
    Buffer.from(section.script.text),
    section.stdin ?? new Uint8Array(),
  ]);
  const sizes = sections.map(
    (_, index) => `${parts[2 * index]?.length ?? 0} ${parts[2 * index + 1]?.length ?? 0}`,
  );
  const script = sh`work=$(mktemp -d /run/hostwright/work.XXXXXX)
trap 'rm -rf "$work"' EXIT
n=0
for size in ${sizes}; do
  n=$((n + 1))
  mkdir "$work/$n"
  set -- $size
  head -c "$1" >"$work/$n.sh"
  head -c "$2" >"$work/$n.in"
done
i=0
while [ "$i" -lt "$n" ]; do
  i=$((i + 1))
  code=0
  HW="$work/$i" sh -eu "$work/$i.sh" <"$work/$i.in" >"$work/$i.out" 2>"$work/$i.err" || code=$?
  printf '%s %s %s\n' "$code" "$(stat -c %s "$work/$i.out")" "$(stat -c %s "$work/$i.err")"
  cat "$work/$i.out" "$work/$i.err"
done`;
  return { script, stdin: Buffer.concat(parts), ...(timeout === undefined ? {} : { timeout }) };
}

/** The answers of each section; E_REMOTE when the host's answer is not of this shape. */
export function parseSections(host: string, answer: Answer, count: number): readonly Answer[] {
  const answers: Answer[] = [];
  let rest = answer.stdout;
  while (answers.length < count) {
    const end = rest.indexOf('\n');
    const header = /^(\d{1,3}) (\d{1,10}) (\d{1,10})$/.exec(
      rest.subarray(0, Math.max(end, 0)).toString('latin1'),
    );
    const [code, out, err] = header === null ? [] : header.slice(1).map(Number);
    if (code === undefined || out === undefined || err === undefined || rest.length < end + 1 + out + err) {
      throw new HostwrightError('E_REMOTE', 'the host answered in an unexpected form', {
        place: { host },
        found: answer.stderr.toString('utf8').trim().slice(-500) || `exit status ${answer.code}`,
        expected: `the results of ${count} scripts`,
      });
    }
    const start = end + 1;
    answers.push({
      code,
      stdout: rest.subarray(start, start + out),
      stderr: rest.subarray(start + out, start + out + err),
    });
    rest = rest.subarray(start + out + err);
  }
  return answers;
}
