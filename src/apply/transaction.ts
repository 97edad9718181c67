import type { Step, Transaction } from '../resources/resource.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import type { Section } from '../transport/sections.ts';

/** What a transaction is made of: files below validated trees, then the change of the service that reads them. */
export interface TransactionSteps {
  readonly transaction: Transaction;
  readonly files: readonly Step[];
  /** The paths that `files` write or remove. */
  readonly paths: readonly string[];
  /** Absent where the service is not to run. */
  readonly service?: Step;
}

interface Part {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function scriptPart(name: string, script: Script): Part {
  return { name, bytes: Buffer.from(script.text) };
}

/** Everything that varies comes by standard input, one part after the other. */
function partsOf({ transaction, files, service }: TransactionSteps): readonly Part[] {
  return [
    ...files.flatMap((file, index) => [
      scriptPart(`file.${index}.sh`, file.script),
      { name: `file.${index}.in`, bytes: file.stdin ?? new Uint8Array() },
    ]),
    scriptPart('validate.sh', transaction.validate),
    ...(service === undefined ? [] : [scriptPart('service.sh', service.script)]),
  ];
}

/** Runs the steps of all files; in the rehearsal and for real, the very same. */
function writeFiles(count: number): Script {
  return sh`write_files() {
  i=0
  while [ "$i" -lt ${count} ]; do
    mkdir -p "$HW/$i"
    HW="$HW/$i" sh -eu "$HW/file.$i.sh" <"$HW/file.$i.in"
    i=$((i + 1))
  done
}`;
}

/** Each tree as a directory: a tree that is a single file is rehearsed with the directory around it. */
function trees(paths: readonly string[]): Script {
  return sh`for tree in ${paths}; do
  if [ ! -d "$tree" ]; then
    if [ -e "$tree" ]; then tree=$(dirname "$tree"); else mkdir -p "$tree"; fi
  fi
  printf '%s\n' "$tree"
done | sort -u >"$HW/trees"`;
}

/**
 * A copy of each tree takes its place in a mount namespace that ends with this process: what happens there
 * is seen by nobody else.
 */
const rehearse = sh`if ! (
  unshare -m sh -eu -c '
    n=0
    mkdir "$HW/stage"
    while IFS= read -r tree; do
      n=$((n + 1))
      cp -aT "$tree" "$HW/stage/$n"
      mount --bind "$HW/stage/$n" "$tree"
    done <"$HW/trees"
    sh -eu "$HW/write-files.sh"
    sh -eu "$HW/validate.sh"'
) >"$HW/rehearsal" 2>&1; then
  echo 'the new configuration is not valid, so nothing was changed:' >&2
  tail -n 20 "$HW/rehearsal" >&2
  exit 1
fi`;

/**
 * One script: the changes are made in a copy of the trees that a private mount namespace shows in the place
 * of the real ones, and validated there; then for real; then the service changes. When that last step fails
 * the files that were there before come back, the service takes them up, and the script fails.
 */
export function transactionSection(steps: TransactionSteps): Section {
  const parts = partsOf(steps);
  const script = lines([
    ...parts.map((part) => sh`head -c ${part.bytes.length} >"$HW/"${part.name}`),
    sh`cat >"$HW/write-files.sh" <<'END'
set -eu
${writeFiles(steps.files.length)}
write_files
END`,
    trees(steps.transaction.trees),
    rehearse,
    sh`mkdir "$HW/before"
n=0
for path in ${steps.paths}; do
  n=$((n + 1))
  if [ -e "$path" ] || [ -L "$path" ]; then cp -aT "$path" "$HW/before/$n"; fi
done
sh -eu "$HW/write-files.sh"`,
    steps.service === undefined ? sh`` : serviceOrBack(steps.paths),
  ]);
  return { script, stdin: Buffer.concat(parts.map((part) => part.bytes)) };
}

function serviceOrBack(paths: readonly string[]): Script {
  return sh`if ! sh -eu "$HW/service.sh"; then
  n=0
  for path in ${paths}; do
    n=$((n + 1))
    rm -rf "$path"
    if [ -e "$HW/before/$n" ] || [ -L "$HW/before/$n" ]; then cp -aT "$HW/before/$n" "$path"; fi
  done
  echo 'the previous configuration is back in place' >&2
  sh -eu "$HW/service.sh" >&2 || echo 'and the service does not take it up either' >&2
  exit 1
fi`;
}
