import { HostwrightError } from '../errors.ts';
import { lines, sh, type Script } from './shell.ts';
import type { Answer, Request } from './transport.ts';

/** One of several scripts that share a round trip. */
export interface Section {
  readonly script: Script;
  readonly stdin?: Uint8Array;
}

/** The code of a section that was not begun because the request was asked to stop: no script ends with it. */
export const notBegun = 256;

/** Milliseconds by the clock of the host, from when its request began; ten is the smallest difference. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What has become of a section. */
export interface SectionAnswer extends Answer {
  /** Of those that can be stopped, when they ran. */
  readonly span?: Span;
}

export interface SectionsOptions {
  /** Milliseconds. */
  readonly timeout?: number | undefined;
  /** So many of the first sections are not begun once the request has been asked to stop. */
  readonly stoppable?: number;
}

/**
 * One request that runs scripts one after the other, each under `set -eu` in a subshell of its own with its own
 * standard input and a private folder `$HW` that is gone afterwards. A failing script does not stop the next, nor
 * does one that cannot be parsed. All input is there before the first begins: where there is no space, nothing is
 * done. What is the same for all is done once for all: a process costs a host about a millisecond, and there are
 * often hundreds of sections.
 */
export function sectionsRequest(
  sections: readonly Section[],
  { timeout, stoppable = 0 }: SectionsOptions = {},
): Request {
  const numbers = sections.map((_, index) => index + 1);
  const outputs = numbers.flatMap((number) => [`${number}.out`, `${number}.err`]);
  const inputs = sections.flatMap(({ stdin = new Uint8Array() }, index) =>
    stdin.length === 0 ? [] : [sh`head -c ${stdin.length} >"$hw_work/"${index + 1}.in || hw_full`],
  );
  const runs = sections.map(
    ({ script, stdin = new Uint8Array() }, index) =>
      sh`hw_section ${index + 1} ${stdin.length === 0 ? sh`/dev/null` : sh`"$hw_work/"${index + 1}.in`} ${script.text}`,
  );
  // Without a process: what is stopped is what takes long, and only that is worth a look at the clock.
  const clock = stoppable === 0 ? sh`:` : sh`read -r hw_now _ </proc/uptime`;
  const script = sh`hw_work=$(mktemp -d /run/hostwright/work.XXXXXX) || exit 1
trap 'rm -rf "$hw_work"' EXIT
hw_full() { rm -rf "$hw_work"; echo 'no space left below /run/hostwright' >&2; exit 1; }
hw_section() {
  if [ "$1" -le ${stoppable} ] && [ -s "$HW_STOP" ]; then
    : >"$hw_work/$1.out" && : >"$hw_work/$1.err" && hw_codes="$hw_codes ${notBegun}"
    return
  fi
  (HW=$hw_work/$1 hw_script=$3; shift 3; export HW; set -eu; eval "$hw_script") <"$2" >"$hw_work/$1.out" 2>"$hw_work/$1.err"
  hw_code=$?
  if [ "$1" -le ${stoppable} ]; then
    hw_from=$hw_now
    ${clock}
    hw_code=$hw_code@$hw_from@$hw_now
  fi
  hw_codes="$hw_codes $hw_code"
}
hw_codes='' hw_now=0.00
(cd "$hw_work" && mkdir ${numbers}) || hw_full
${lines(inputs)}
${clock}
${lines(runs)}
set -- $hw_codes
cd "$hw_work" && stat -c %s ${outputs} >sizes || hw_full
while read -r hw_out && read -r hw_err; do echo "$1 $hw_out $hw_err"; shift; done <sizes
cat ${outputs} || hw_full`;
  return {
    script,
    stdin: Buffer.concat(sections.map(({ stdin }) => stdin ?? new Uint8Array())),
    timeout,
    ...(stoppable === 0 ? {} : { heedsStop: true }),
  };
}

/** The answers of each section; E_REMOTE when the host's answer is not of this shape. */
export function parseSections(host: string, answer: Answer, count: number): readonly SectionAnswer[] {
  let at = 0;
  const take = (length: number): Buffer => {
    if (answer.stdout.length < at + length) throw unexpected(host, answer, count);
    at += length;
    return answer.stdout.subarray(at - length, at);
  };
  const headers = Array.from({ length: count }, () => {
    const line = take(Math.max(answer.stdout.indexOf('\n', at) + 1 - at, 0)).toString('latin1');
    const [, code, times, out, err] = header.exec(line) ?? [];
    if (code === undefined) throw unexpected(host, answer, count);
    return { code: Number(code), out: Number(out), err: Number(err), times: timesOf(times) };
  });
  const [first] = headers.flatMap(({ times }) => times?.slice(0, 1) ?? []);
  return headers.map(({ code, out, err, times }) => ({
    ...{ code, stdout: take(out), stderr: take(err) },
    ...(times !== undefined && first !== undefined && { span: spanOf(times, first) }),
  }));
}

/** `CODE[@FROM@TO] STDOUT-BYTES STDERR-BYTES`, the times in seconds since the host was booted. */
const header = /^(\d{1,3})((?:@\d{1,10}\.\d\d){2})? (\d{1,10}) (\d{1,10})\n$/;

type Times = readonly [from: number, to: number];

function timesOf(text: string | undefined): Times | undefined {
  const [, from, to] = text?.split('@').map(Number) ?? [];
  return from === undefined || to === undefined ? undefined : [from, to];
}

function spanOf([from, to]: Times, first: number): Span {
  const since = (time: number): number => Math.max(0, Math.round((time - first) * 1000));
  return { from: since(from), to: since(Math.max(from, to)) };
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
