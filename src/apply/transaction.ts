import { isWithin } from '../resources/path.ts';
import type { Transaction } from '../resources/capabilities/runtime.ts';
import type { Step } from '../resources/step.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import type { Section } from '../transport/sections.ts';
import { snapshotFunctions } from '../rollback/snapshot.ts';
import { rehearse } from './rehearsal.ts';
import { guardFunctions, undoParts, type Part, type Undo } from '../rollback/arm.ts';

/** A step that writes or removes one path. */
export interface PathStep {
  readonly step: Step;
  readonly path: string;
  /** What is there goes, with everything in it where it is a directory. */
  readonly replaces: boolean;
  /** Bytes of what else it removes, below the path. */
  readonly removes?: readonly Uint8Array[];
}

/** What a transaction is made of: files below validated trees, then the change of the service that reads them. */
export interface TransactionSteps {
  readonly transaction: Transaction;
  readonly files: readonly PathStep[];
  /** Absent where the service is not to run. */
  readonly service?: Step;
  /** Where the service is guarded. */
  readonly undo?: Undo;
}

function textPart(name: string, text: string): Part {
  return { name, bytes: Buffer.from(text) };
}

function linesPart(name: string, texts: readonly string[]): Part {
  return textPart(name, texts.map((text) => `${text}\n`).join(''));
}

/** Everything that varies comes by standard input, one part after the other. */
function partsOf({ transaction, files, service, undo }: TransactionSteps): readonly Part[] {
  const trees = transaction.trees.filter((tree) => files.some(({ path }) => isWithin(path, tree)));
  return [
    ...files.flatMap(({ step }, index) => [
      textPart(`file.${index}.sh`, step.script.text),
      { name: `file.${index}.in`, bytes: step.stdin ?? new Uint8Array() },
    ]),
    {
      name: 'paths',
      bytes: Buffer.concat(
        files.flatMap(({ path, replaces, removes = [] }) => [
          ...removes.map((bytes) => Buffer.concat([Buffer.from('goes '), bytes, Buffer.from('\n')])),
          Buffer.from(`${replaces ? 'whole' : 'one'} ${path}\n`),
        ]),
      ),
    },
    // A tree that is a single file or link is staged with the folder that it lies in.
    linesPart(
      'trees',
      trees.filter((tree) => files.every(({ path }) => path !== tree)),
    ),
    textPart('validate.sh', transaction.validate.text),
    ...(service === undefined ? [] : [textPart('service.sh', service.script.text)]),
    ...(undo === undefined ? [] : undoParts(undo)),
  ];
}

/** Runs the step of one file; in the rehearsal and for real, the very same. */
const writeOne = sh`hw_write() {
  mkdir -p "$HW/$1"
  HW="$HW/$1" sh -eu "$HW/file.$1.sh" <"$HW/file.$1.in"
}`;

/** Predictable failures must come before the first write. */
const refuseUnwritable = sh`cut -d ' ' -f 2- "$HW/places" | while IFS= read -r path; do
  if [ -d "\${path%/*}" ] && [ ! -w "\${path%/*}" ]; then path=\${path%/*}
  elif [ ! -f "$path" ] || [ -L "$path" ] || [ -w "$path" ]; then continue; fi
  printf '%s cannot be written (read-only or immutable), no changes made\n' "$path" >&2
  exit 1
done`;

/** A name that no line of `paths` can hold. */
function brokenName(files: readonly PathStep[]): string | undefined {
  const paths = files.flatMap(({ path, removes = [] }) => [
    path,
    ...removes.map((bytes) => Buffer.from(bytes).toString('utf8')),
  ]);
  return paths.find((path) => path.includes('\n'));
}

const received = (parts: readonly Part[]): Script =>
  lines(parts.map((part) => sh`head -c ${part.bytes.length} >"$HW/"${part.name}`));

function rehearsed(parts: readonly Part[]): Script {
  return lines([received(parts), rehearse(writeOne), refuseUnwritable]);
}

function refused(broken: string): Section {
  return {
    script: sh`printf '%s\n' ${`${broken}: a name with a line break cannot be tried, no changes made`} >&2
exit 1`,
  };
}

/** Makes and validates the changes in a private copy, and no more: what would be wrong is known before anything is touched. */
export function rehearsalSection(steps: TransactionSteps): Section {
  const broken = brokenName(steps.files);
  if (broken !== undefined) return refused(broken);
  const parts = partsOf(steps);
  return { script: rehearsed(parts), stdin: Buffer.concat(parts.map((part) => part.bytes)) };
}

/**
 * One script: the changes are made and validated in a private copy; then for real, then the service
 * changes. When that last step fails the files that were there before are restored, the service takes them up, and
 * the script fails.
 */
export function transactionSection(steps: TransactionSteps): Section {
  const broken = brokenName(steps.files);
  if (broken !== undefined) return refused(broken);
  const parts = partsOf(steps);
  const script = lines([
    rehearsed(parts),
    snapshotFunctions,
    steps.undo === undefined ? unguarded : guardFunctions(steps.undo),
    sh`if ! hw_snapshot "$HW/before" "$HW/places"; then
  echo 'no snapshot can be made for a rollback, no changes made' >&2
  exit 1
fi
hw_arm
cat >"$HW/write-all.sh" <<'END'
${writeOne}
i=0
while [ "$i" -lt ${steps.files.length} ]; do
  hw_write "$i"
  i=$((i + 1))
done
END
if ! sh -eu "$HW/write-all.sh"; then
  if hw_restore "$HW/before"; then echo 'the previous configuration is restored' >&2
  else echo 'not all of the previous configuration could be restored' >&2; fi
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

/**
 * After any failure the previous files are restored. What is said of them depends on the service: only one that works
 * with them again has its previous configuration.
 */
const serviceOrBack = sh`if ! sh -eu "$HW/service.sh"; then
  restored=yes
  hw_restore "$HW/before" || restored=
  if sh -eu "$HW/service.sh" >"$HW/again" 2>&1; then
    hw_disarm
    if [ -n "$restored" ]; then echo 'the previous configuration is restored' >&2
    else echo 'not all of the previous configuration could be restored, and the service runs with what there is' >&2; fi
  else
    if [ -n "$restored" ]; then echo 'the previous files are restored, but the service does not work with them either:' >&2
    else echo 'not all of the previous files could be restored, and the service does not work:' >&2; fi
    tail -n 10 "$HW/again" >&2
  fi
  exit 1
fi`;
