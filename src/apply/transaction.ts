import { isWithin } from '../resources/path.ts';
import type { Step, Transaction } from '../resources/resource.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import type { Section } from '../transport/sections.ts';
import { copyAside, putBack } from './paths-of-before.ts';
import { guardFunctions, undoParts, type Part, type Undo } from './undo.ts';

/** What a transaction is made of: files below validated trees, then the change of the service that reads them. */
export interface TransactionSteps {
  readonly transaction: Transaction;
  readonly files: readonly Step[];
  /** The paths that `files` write or remove. */
  readonly paths: readonly string[];
  /** Absent where the service is not to run. */
  readonly service?: Step;
  /** Where the service is guarded. */
  readonly undo?: Undo;
}

function scriptPart(name: string, script: Script): Part {
  return { name, bytes: Buffer.from(script.text) };
}

/** Everything that varies comes by standard input, one part after the other. */
function partsOf({ transaction, files, service, undo }: TransactionSteps): readonly Part[] {
  return [
    ...files.flatMap((file, index) => [
      scriptPart(`file.${index}.sh`, file.script),
      { name: `file.${index}.in`, bytes: file.stdin ?? new Uint8Array() },
    ]),
    scriptPart('validate.sh', transaction.validate),
    ...(service === undefined ? [] : [scriptPart('service.sh', service.script)]),
    ...(undo === undefined ? [] : undoParts(undo)),
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

/**
 * Lists each tree that changes behind a letter: `w` for a directory that is copied whole, `a` for the directory around a
 * tree that is a single file or link. Above comes before below.
 */
function listTrees(trees: readonly string[], written: readonly string[]): Script {
  const single = trees.filter((tree) => written.includes(tree));
  const others = trees.filter((tree) => !written.includes(tree));
  return sh`printf '%s\n' ${written} >"$HW/paths"
{ for tree in ${single}; do
    mkdir -p "$(dirname "$tree")"
    printf 'a %s\n' "$(dirname "$tree")"
  done
  for tree in ${others}; do
    if [ -d "$tree" ] && [ ! -L "$tree" ]; then printf 'w %s\n' "$tree"
    elif [ -e "$tree" ] || [ -L "$tree" ]; then printf 'a %s\n' "$(dirname "$tree")"
    else mkdir -p "$tree"; printf 'w %s\n' "$tree"; fi
  done; } | sort -k2 -k1,1r | awk '!seen[substr($0, 3)]++' >"$HW/trees"`;
}

/**
 * A copy of each tree takes its place in a mount namespace that ends with this process: what happens there
 * is seen by nobody else. Directories beside a single file are not copied, they may be large: the very same
 * are shown there, but for one that is itself to be replaced.
 */
const rehearse = sh`cat >"$HW/rehearse.sh" <<'END'
set -eu
: >"$HW/copying"
n=0
mkdir "$HW/stage"
while IFS= read -r line; do
  n=$((n + 1))
  tree=$(printf '%s\n' "$line" | cut -c3-)
  stage="$HW/stage/$n"
  case "$line" in
    w*) cp -aT "$tree" "$stage" ;;
    a*)
      mkdir "$stage"
      chown --reference="$tree" "$stage"
      chmod --reference="$tree" "$stage"
      find "$tree" -mindepth 1 -maxdepth 1 ! -type d -exec cp -a -t "$stage" {} +
      find "$tree" -mindepth 1 -maxdepth 1 -type d >"$HW/beside"
      while IFS= read -r beside; do
        mkdir "$stage/$(basename "$beside")"
        if ! grep -qxF -e "$beside" "$HW/paths"; then mount --rbind "$beside" "$stage/$(basename "$beside")"; fi
      done <"$HW/beside" ;;
  esac
  mount --rbind "$stage" "$tree"
done <"$HW/trees"
sh -eu "$HW/write-files.sh"
rm "$HW/copying"
sh -eu "$HW/validate.sh"
END
if ! (unshare -m sh -eu "$HW/rehearse.sh") >"$HW/rehearsal" 2>&1; then
  if [ -e "$HW/copying" ]; then echo 'the new configuration cannot be tried, so nothing was changed:' >&2
  else echo 'the new configuration is not valid, so nothing was changed:' >&2; fi
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
    listTrees(
      steps.transaction.trees.filter((tree) => steps.paths.some((path) => isWithin(path, tree))),
      steps.paths,
    ),
    rehearse,
    copyAside(steps.paths),
    putBack(steps.paths),
    steps.undo === undefined ? unguarded : guardFunctions(steps.undo),
    sh`hw_copy_aside "$HW/before"
hw_arm
back() {
  hw_put_back "$HW/before"
  echo 'the previous configuration is back in place' >&2
}
if ! sh -eu "$HW/write-files.sh"; then
  back
  hw_disarm
  exit 1
fi`,
    steps.service === undefined ? sh`` : serviceOrBack,
    sh`hw_made`,
  ]);
  return { script, stdin: Buffer.concat(parts.map((part) => part.bytes)) };
}

const unguarded = sh`hw_arm() { :; }
hw_made() { :; }
hw_disarm() { :; }`;

/** Whatever went wrong, the files are those of before. */
const serviceOrBack = sh`if ! sh -eu "$HW/service.sh"; then
  back
  if sh -eu "$HW/service.sh" >&2; then hw_disarm
  else echo 'and the service does not take it up either' >&2; fi
  exit 1
fi`;
