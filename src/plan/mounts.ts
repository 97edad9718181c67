import { isWithin } from '../resources/path.ts';
import type { Section } from '../transport/sections.ts';
import { sh } from '../transport/shell.ts';

/** Something that is mounted on a host. */
export interface Mount {
  readonly at: string;
  /** What it shows, for people: `/root/copy of /dev/sda1 (ext4)`. */
  readonly what: string;
  /** Something that outlasts a reboot asks for it: fstab, a mount unit, the file system's own settings. */
  readonly isConfigured: boolean;
}

const unitFolders = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/run/systemd/generator',
  '/run/systemd/generator.early',
  '/run/systemd/generator.late',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
];

/** All mounts of a host, then what fstab and units say, in two processes, however many paths are declared. */
export const mountsProbe: Section = {
  script: sh`awk 'FILENAME == "/etc/fstab" { if (!/^[ \t]*#/ && NF > 1) print "fstab", $2; next }
{ for (i = 7; i < NF && $i != "-"; i++); print "mount", $5, $4, $(i + 1), $(i + 2) }' /proc/self/mountinfo /etc/fstab 2>/dev/null || :
find ${unitFolders} -maxdepth 1 '(' -name '*.mount' -o -name '*.automount' ')' -printf 'unit %f\n' 2>/dev/null || :`,
};

/** As mountinfo and fstab write a path: blanks and backslashes are octal. */
function unescaped(field: string): string {
  const bytes = field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** `/srv/my data` is mounted by `srv-my\x20data.mount`. */
function unitName(path: string): string {
  const bytes = Buffer.from(path.slice(1), 'utf8').toString('latin1');
  return bytes
    .replaceAll(/^\.|[^\w:./]/g, (byte) => `\\x${(byte.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`)
    .replaceAll('/', '-');
}

/** Mounted by what the file system, or a daemon, keeps of its own. */
const selfConfigured = new Set(['autofs', 'zfs']);

/** Mounted by systemd itself, and as short-lived as what is in it. */
const ofTheSystem = ['/dev', '/proc', '/run', '/sys'];

/** What `mountsProbe` printed; of several mounts at one path the last one is on top. */
export function parseMounts(output: Buffer): readonly Mount[] {
  const lines = output.toString('latin1').split('\n');
  const behind = (word: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const listed = new Set(behind('fstab').map(unescaped));
  const units = new Set(behind('unit').map((name) => name.replace(/\.(auto)?mount$/, '')));
  const mounts = behind('mount').map((line) => {
    const [at = '', root = '', type = '', source = ''] = line.split(' ').map(unescaped);
    return { at, root, type, source };
  });
  const automatic = new Set(mounts.filter(({ type }) => selfConfigured.has(type)).map(({ at }) => at));
  return mounts.map(({ at, root, type, source }) => ({
    at,
    what: `${root === '/' ? '' : `${root} of `}${source} (${type})`,
    isConfigured:
      at === '/' ||
      ofTheSystem.some((folder) => isWithin(at, folder)) ||
      listed.has(at) ||
      units.has(unitName(at)) ||
      automatic.has(at),
  }));
}
