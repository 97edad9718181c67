import { lines, sh, type Script } from '../../transport/shell.ts';
import { unitFolders, unitNames, unitPaths, vendorPaths } from './unit-files.ts';

/** What a service takes up by a reload, or by a restart. */
export interface Watched {
  readonly unit: string;
  readonly action: 'reload' | 'restart';
  readonly paths: readonly string[];
  /** Folders of which it reads every file, also the backups of dpkg and editors. */
  readonly whole: readonly string[];
}

const folder = '/run/hostwright/loaded';

export function nameOf({ unit, action }: Watched): string {
  return `${unit}.${action}`;
}

/** Bytes of a file whose content counts; of a larger one, which no service reads as its configuration, size and time. */
const mostBytes = 64 * 1024 * 1024;

/** A link to a folder stands for all that is in it, unless paths below it are watched themselves. */
export function isFollowed(path: string, paths: readonly string[]): boolean {
  return !paths.some((other) => other.startsWith(`${path}/`));
}

/** What a restart takes up is declared, and of the unit. */
export function pathsOf({ unit, action, paths }: Watched): readonly string[] {
  return action === 'restart' ? [...new Set([...paths, ...unitPaths(unit)])] : [...new Set(paths)];
}

/** `hw_starts PATH...` prints where find(1) begins, at a link to a folder in there too; `hw_units NAME...` of units. */
const startFunctions = sh`hw_starts() {
  for hw_path; do
    printf '%s\0' "$hw_path"
    if [ -L "$hw_path" ] && [ -d "$hw_path" ]; then printf '%s/\0' "$hw_path"; fi
  done
}
hw_units() {
  for hw_folder in ${[...unitFolders]}; do
    for hw_name; do printf '%s\0' "$hw_folder/$hw_name"; done
  done
}`;

/** Prints where find(1) begins for some paths, of which some are not followed. */
function starts(plain: readonly string[], followed: readonly string[]): Script {
  return lines([
    ...(plain.length === 0 ? [] : [sh`printf '%s\0' ${plain}`]),
    ...(followed.length === 0 ? [] : [sh`hw_starts ${followed}`]),
  ]);
}

/** Names that dpkg, ucf and editors give to what they keep: most services read files with a suffix of their own. */
const backupNames = ['*.dpkg-*', '*.ucf-*', '*~', '.*.sw?', '#*#', '.#*'] as const;

/** systemd reads `*.conf` in its folders of drop-ins. */
const dropInFolder = '*/systemd/*.d/*';

const backup = /(\.dpkg-|\.ucf-)|~$|^\..*\.sw.$|^#.*#$|^\.#/s;

/** Whether what lies at a path counts; as `counts` of the host. */
export function isCounted(path: string, whole: readonly string[]): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/\/systemd\/.*\.d\//s.test(path) && !name.endsWith('.conf')) return false;
  return !backup.test(name) || whole.some((at) => path.startsWith(`${at}/`));
}

/** Words of find(1) that let the backups in some folders count. */
function kept(whole: readonly string[]): readonly string[] {
  return whole.flatMap((at) => ['-o', '-path', `${at.replace(/[\\*?[]/g, String.raw`\$&`)}/*`]);
}

const backups = backupNames.flatMap((name) => ['-o', '-name', name]).slice(1);
const counted = sh`'(' ! '(' ${backups} ')' "$@" ')' ! '(' -path ${dropInFolder} ! -name '*.conf' ')'`;

/** `find` tells of a folder with the name that it was asked for. */
const passing = sh`-name '.hostwright.*' -prune`;
const large = sh`-type f -size ${`+${mostBytes}c`}`;

/** Files and links to files; what links of units lead to, systemd looks at itself. */
const content = sh`'(' -type f ! -size ${`+${mostBytes}c`} -o -type l -xtype f ! -path '*/systemd/system*' ')'`;

/** Of paths that end with NUL those whose content counts: a link may lead to something large. */
const readable = sh`-maxdepth 0 -type f ! -size ${`+${mostBytes}c`}`;

/**
 * `hw_loaded WORD...` lists what counts where `starts` says: digests of files, also of those that links lead to, then
 * links and large files. The words are `-true` and those of `kept`.
 */
const loadedFunction = sh`hw_loaded() {
  { find -files0-from "$HW/starts" ${passing} -o ${content} ${counted} -print0 | sort -z |
      find -L -files0-from - ${readable} -exec sha256sum -- {} +
    find -files0-from "$HW/starts" ${passing} -o -type l ${counted} -printf '%p -> %l\n' -o ${large} ${counted} -printf '%p %s %T@\n' | sort
  } >"$HW/loaded" 2>/dev/null || :
}`;

/** Lists what counts of one: needs both. */
function listOf(one: Watched): Script {
  const ofUnit = one.action === 'restart' ? unitPaths(one.unit) : [];
  // Each counts once, also a folder of drop-ins that is declared.
  const paths = [...new Set(one.paths)].filter((path) => !ofUnit.includes(path));
  const begin = starts(
    paths.filter((path) => !isFollowed(path, one.paths)),
    paths.filter((path) => isFollowed(path, one.paths)),
  );
  const units = ofUnit.length > 0 ? sh`hw_units ${unitNames(one.unit)}` : sh``;
  return sh`{ ${lines([begin, units])}
} >"$HW/starts"; hw_loaded -true ${kept(one.whole)}`;
}

/** Bytes of a list that is recorded as it is; of a longer one, of some hundred files, its digest. */
const mostRecorded = 64 * 1024;

/** What systemd says of the process that a record is about; another start or reload gives it other values. */
export const ofProcess = ['InvocationID', 'StateChangeTimestampMonotonic'] as const;

/** What the process has read is now what lies on disk. */
export function recordLoaded(watched: readonly Watched[]): Script {
  const [first] = watched;
  if (first === undefined) return sh``;
  return lines([
    startFunctions,
    loadedFunction,
    sh`mkdir -p ${folder}
hw_process=$(systemctl show -p ${ofProcess.join(',')} ${first.unit})`,
    ...watched.map(
      (one) => sh`${listOf(one)}
{ printf 'loaded %s\n%s\n' ${nameOf(one)} "$hw_process"
  printf 'digest %s\n' "$(sha256sum <"$HW/loaded" | cut -c1-64)"
  if [ "$(stat -c %s "$HW/loaded")" -le ${mostRecorded} ]; then cat "$HW/loaded"; fi
  echo end; } >${`${folder}/${nameOf(one)}`}`,
    ),
  ]);
}

/** Links that systemd itself makes to what belongs together. */
const wants = sh`-path '*/systemd/*' '(' -name '*.wants' -o -name '*.requires' -o -name '*.upholds' ')' -prune`;

/**
 * Lists everything below some paths and digests what counts by its content, in three processes for all services. All
 * is read each time: by times and sizes alone, a copy with the times of the original or a change while the clock was
 * wrong would be missed.
 */
const list = sh`{ find -files0-from "$HW/starts" ${passing} -o ${wants} -o -printf ${String.raw`\0%y\0%C@\0%H\0%p\0`} \
  '(' -type l -printf '%p -> %l' -o ${large} -printf '%p %s %T@' -o -true ')' -printf ${String.raw`\0`} \
  ${content} -fprint0 "$HW/contents"
  find -L -files0-from "$HW/contents" ${readable} -exec sha256sum -- {} +
} >"$HW/list" 2>/dev/null || :`;

/** Bytes of a list that is sent. Of a longer one, with some ten thousand files, the host makes the digests. */
const mostListed = 4 * 1024 * 1024;

/** Lists what lies on disk of what services have read; `printLoaded` prints it, with what was recorded. */
export function listLoaded(watched: readonly Watched[]): Script {
  // The folders of units are listed once.
  const isElsewhere = (path: string): boolean => !unitFolders.some((at) => path.startsWith(`${at}/`));
  const all = watched.map(({ paths }) => paths.filter(isElsewhere));
  const followed = new Set(all.flatMap((paths) => paths.filter((path) => isFollowed(path, paths))));
  const plain = all.flat().filter((path) => !followed.has(path));
  const vendor = watched.flatMap(({ unit }) => vendorPaths(unit));
  return sh`${startFunctions}
{ ${starts([...new Set([...plain, ...unitFolders, ...vendor])], [...followed])}
} >"$HW/starts"
${list}`;
}

/** Prints what `listLoaded` has found and what was recorded of the services, for `parseLoaded`. */
export function printLoaded(watched: readonly Watched[]): Script {
  return lines([
    sh`set --
for hw_record in ${watched.map((one) => `${folder}/${nameOf(one)}`)}; do
  if [ -s "$hw_record" ]; then set -- "$@" "$hw_record"; fi
done
if [ "$(stat -c %s "$HW/list")" -le ${mostListed} ]; then cat "$@" "$HW/list"; exit; fi
cat "$@" </dev/null
hw_sum() {
  printf 'sum %s %s %s\n' "$(sha256sum <"$HW/loaded" | cut -c1-64)" "$(find -files0-from "$HW/starts" -printf '%C@\n' 2>/dev/null | sort -n | tail -n 1)" "$1"
}`,
    loadedFunction,
    ...watched.map((one) => sh`${listOf(one)}; hw_sum ${nameOf(one)}`),
  ]);
}
