import { lines, sh, type Script } from '../../transport/shell.ts';
import type { Service } from './schema.ts';

/** The commands of a service that say how it does. */
export type Check = 'healthy' | 'current';

const checks: readonly Check[] = ['healthy', 'current'];

/** Seconds that one has; one that takes longer has failed. */
export const checkSeconds = 5;

/** What was found about a service that runs and does not do as it should, in words. */
export interface Findings {
  /** Processes that do not run: `frozen`, `process 71 (mysqld) is stopped`. */
  readonly hung: readonly string[];
  /** By check what it said when it failed. */
  readonly failed: ReadonlyMap<Check, string>;
}

/** `bash -c` runs in the bash that runs all checks: a process less for each. */
function commandOf(words: readonly string[]): Script {
  const [program, option, script, , ...values] = words;
  return program === 'bash' && option === '-c' && script !== undefined
    ? sh`hw_script ${script} ${values}`
    : sh`${words}`;
}

function wordsOf(service: Service, check: Check): readonly string[] | undefined {
  return service.running ? service[check] : undefined;
}

/** Runs the checks of the services whose numbers are the words of its argument, all at the same time. */
function runner(batch: readonly Service[]): Script {
  return lines([
    sh`hw_script() {
  hw_words=$1
  shift
  eval "$hw_words"
}
hw_check() {
  hw_at=$HW/$1
  shift
  exec >"$hw_at" 2>&1 </dev/null
  trap 'echo "$?" >"$hw_at.code"' EXIT
  "$@"
}
for hw_number in $1; do
  case $hw_number in`,
    ...batch.flatMap((service, index) => {
      const own = checks.flatMap((check) => {
        const words = wordsOf(service, check);
        return words === undefined ? [] : [sh`hw_check ${`${index}.${check}`} ${commandOf(words)} &`];
      });
      return own.length === 0 ? [] : [lines([sh`${index})`, ...own, sh`;;`])];
    }),
    sh`*) ;;
  esac
done
wait`,
  ]);
}

/** Which processes of some control groups are stopped or frozen: systemd calls such a service active. */
const findHung = sh`BEGIN {
  for (i = 1; i < ARGC; i += 2) {
    number = ARGV[i]; group = "/sys/fs/cgroup" ARGV[i + 1]
    file = group "/cgroup.events"
    while ((getline line <file) > 0) if (line == "frozen 1") print "frozen " number
    close(file)
    file = group "/cgroup.procs"
    for (n = 0; n < 1000 && (getline pid <file) > 0; n++) {
      status = "/proc/" pid "/status"; name = ""
      while ((getline line <status) > 0) {
        if (line ~ /^Name:/) name = substr(line, 7)
        if (line ~ /^State:/) { if (line ~ /^State:[ \t]*T/) print "stopped " number " " pid " " name; break }
      }
      close(status)
    }
    close(file)
  }
}`;

/**
 * Begins to ask how the services do that run: `$shown` is what systemctl says of all of them, in their order, with
 * ControlGroup and ActiveState. Goes on in the background until `endChecks`.
 */
export function beginChecks(batch: readonly Service[]): Script {
  const all = batch.flatMap((service) => checks.map((check) => wordsOf(service, check) ?? []));
  const shell = all.some(([program]) => program === 'bash') ? 'bash' : 'sh';
  const begin = all.every(({ length }) => length === 0)
    ? sh`hw_runner=`
    : sh`printf '%s\n' ${runner(batch).text} >"$HW/checks"
timeout -k 1 ${checkSeconds} ${shell} "$HW/checks" "$hw_active" &
hw_runner=$!`;
  return sh`hw_active='' hw_number=-1 hw_group=''
set -f --
IFS='
'
for hw_line in $shown; do
  case $hw_line in
  ControlGroup=*) hw_group=\${hw_line#*=} ;;
  Id=*) hw_number=$((hw_number + 1)) ;;
  ActiveState=*)
    if [ "$hw_line" = ActiveState=active ]; then
      hw_active="$hw_active $hw_number"
      if [ -n "$hw_group" ]; then set -- "$@" "$hw_number" "$hw_group"; fi
    fi
    hw_group='' ;;
  esac
done
unset IFS
set +f
${begin}
if [ $# -gt 0 ]; then awk ${findHung.text} "$@"; fi
set --`;
}

/** Waits for the checks and prints what there is to say, for `parseChecks`. */
export function endChecks(batch: readonly Service[]): Script {
  const names = batch.flatMap((service, index) =>
    checks.flatMap((check) => (wordsOf(service, check) === undefined ? [] : [`${index}.${check}`])),
  );
  if (names.length === 0) return sh`echo checked`;
  return sh`wait "$hw_runner" || :
set -- ${names}
for hw_name; do
  case " $hw_active " in *" \${hw_name%.*} "*) ;; *) continue ;; esac
  hw_code=none
  if [ -s "$HW/$hw_name.code" ]; then read -r hw_code <"$HW/$hw_name.code"; fi
  if [ "$hw_code" = 0 ]; then continue; fi
  echo "check \${hw_name%.*} \${hw_name#*.} $hw_code"
  if [ -s "$HW/$hw_name" ]; then tail -n 5 "$HW/$hw_name" | cut -c1-300 | sed 's/^/ /'; fi
done
echo checked`;
}

/** What a failed check said that counts; programs name the file that the checks are run from. */
function wordsIn(said: readonly string[], code: string): string {
  const [last] = said
    .map((line) => line.replace(/^\/run\/hostwright\/\S*\/checks: (line \d+: )?/, '').trim())
    .filter((line) => line !== '')
    .slice(-1);
  // Without an answer it is ended: by SIGTERM, then by SIGKILL.
  if (['none', '143', '137'].includes(code)) return `no answer within ${checkSeconds} s`;
  return last ?? `its check ends with exit status ${code}`;
}

/** By the number of a service what was found; RangeError for any other output. */
export function parseChecks(output: string): (index: number) => Findings {
  const hung = new Map<number, string[]>();
  const failed = new Map<number, Map<Check, string>>();
  const out = output.split('\n').slice(0, -1);
  for (let at = 0; at < out.length; at += 1) {
    const line = out[at] ?? '';
    const [, frozen] = /^frozen (\d+)$/.exec(line) ?? [];
    const [, stopped, pid, name] = /^stopped (\d+) (\d+) (.*)$/.exec(line) ?? [];
    const [, number, check, code] = /^check (\d+) (healthy|current) (\d+|none)$/.exec(line) ?? [];
    const index = Number(frozen ?? stopped ?? number);
    if (Number.isNaN(index)) throw new RangeError(`unexpected finding "${line.slice(0, 80)}"`);
    if (code === undefined) {
      const what = frozen === undefined ? `process ${pid ?? ''} (${name ?? ''}) is stopped` : 'frozen';
      hung.set(index, [...(hung.get(index) ?? []), what]);
      continue;
    }
    const said: string[] = [];
    while (out[at + 1]?.startsWith(' ') === true) said.push(out[(at += 1)]?.slice(1) ?? '');
    const own = failed.get(index) ?? new Map<Check, string>();
    own.set(check === 'current' ? 'current' : 'healthy', wordsIn(said, code));
    failed.set(index, own);
  }
  return (index) => ({ hung: hung.get(index) ?? [], failed: failed.get(index) ?? new Map<Check, string>() });
}
