import { z } from 'zod';
import { lines, sh } from '../../transport/shell.ts';
import type { DeclaredPaths } from '../resource.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import { aptGet } from './apt-get.ts';
import { withoutStarting } from './start-policy.ts';

const schema = z.strictObject({ absent: z.literal(false).optional() });

/** Left out where an image has no documentation: dpkg calls what its own settings exclude missing. */
const unneeded = '/usr/share/(doc|man|info|locale|lintian|groff|linda)/';

/** In parts, each begun by a line `== NAME`. */
const probe = sh`export LC_ALL=C
dpkg --verify 2>/dev/null | grep -vE ${`^missing .* ${unneeded}`} >"$HW/verify" || :
echo '== verify'
cat "$HW/verify"
echo '== owners'
sed -n 's|^[^/]*\(/.*\)$|\1|p' "$HW/verify" | xargs -d '\n' -r dpkg-query -S 2>/dev/null | grep -v '^diversion ' || :
echo '== versions'
dpkg-query -W -f '\${Package}\n' | xargs -r apt-cache policy 2>/dev/null | awk '
/^[^ ]/ { name = $1; sub(/:$/, "", name); installed = ""; next }
/^ \*\*\* / { installed = $2; isKnown = 0; next }
/^     [^ ]/ { if (installed != "" && !isKnown) print name, installed, $1; installed = ""; next }
installed != "" && $0 !~ /\/var\/lib\/dpkg\/status$/ { isKnown = 1 }'
echo '== diversions'
dpkg-divert --list | sed -n 's/^local diversion of //p'
echo '== alternatives'
update-alternatives --get-selections 2>/dev/null | awk '$2 == "manual" { print $1, $3 }'`;

interface Difference {
  readonly path: string;
  readonly isMissing: boolean;
  /** A file of settings, which belongs to the administrator. */
  readonly isSetting: boolean;
}

/** A line of `dpkg --verify`: `??5??????   /usr/sbin/nginx`, `missing   c /etc/motd`. */
function parseDifference(line: string): Difference | undefined {
  const [, found, letter, path] = /^(missing|[?.\w]{9}) +(?:(\w) )? *(\/.*)$/.exec(line) ?? [];
  if (found === undefined || path === undefined) return undefined;
  return { path, isMissing: found === 'missing', isSetting: letter === 'c' };
}

const mostShown = 20;

function listed(items: readonly string[]): string {
  if (items.length === 0) return 'none';
  const rest = items.length - mostShown;
  return `${items.slice(0, mostShown).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function parse(output: string, host: DeclaredPaths) {
  const parts = new Map(
    output.split(/^== /m).map((part): [string, readonly string[]] => {
      const [name = '', ...rest] = part.split('\n');
      return [name, rest.filter((line) => line !== '')];
    }),
  );
  const part = (name: string): readonly string[] => {
    const found = parts.get(name);
    if (found === undefined) throw new RangeError(`no part ${name} in the answer`);
    return found;
  };
  const owners = new Map(
    part('owners').flatMap((line): [string, string][] => {
      const [, names = '', path] = /^([^:]+(?::\w+)?(?:, [^:]+(?::\w+)?)*): (\/.*)$/.exec(line) ?? [];
      return path === undefined ? [] : [[path, names.replaceAll(/:\w+/g, '')]];
    }),
  );
  // What a role declares is compared by its own resource.
  const all = part('verify')
    .flatMap((line) => parseDifference(line) ?? [])
    .filter(({ path }) => !host.owns(path));
  const files = all.filter(({ isSetting }) => !isSetting);
  const named = (some: readonly Difference[]): readonly string[] =>
    some.map(({ path }) => `${path} (${owners.get(path) ?? 'unknown package'})`);
  const packages = new Set(files.flatMap(({ path }) => owners.get(path)?.split(', ') ?? []));
  return {
    changed: listed(named(files.filter(({ isMissing }) => !isMissing))),
    missing: listed(named(files.filter(({ isMissing }) => isMissing))),
    packages: [...packages].toSorted().join(' '),
    settings: listed(all.filter(({ isSetting }) => isSetting).map(({ path }) => path)),
    versions: listed(
      part('versions').map((line) => {
        const [name = '', installed = '', known = ''] = line.split(' ');
        return `${name} ${installed} (newest known: ${known})`;
      }),
    ),
    diversions: listed(part('diversions')),
    alternatives: listed(part('alternatives').map((line) => line.replace(' ', ' is '))),
  };
}

type Found = ReturnType<typeof parse>;

/** What nobody declares may be as somebody wants it: it is said, and stays. */
function remarks(found: Found): readonly string[] {
  const all = [
    [found.settings, 'settings of packages were changed that no role declares'],
    [found.versions, 'versions are newer than every source of the host has'],
    [found.diversions, 'files of packages are diverted by hand'],
    [found.alternatives, 'alternatives were chosen by hand'],
  ] as const;
  return all.filter(([what]) => what !== 'none').map(([what, text]) => `${text}: ${what}`);
}

export const packageFilesType = defineResource({
  name: 'package_files',
  summary:
    'The files of all packages, as dpkg knows them, without those that roles declare. Only `--deep` looks at them, because that takes seconds; a package with changed or missing files is installed again. Settings of packages, newer versions than all sources have, diversions and alternatives are reported and stay',
  schema,
  key: () => 'system',
  want: () => ({ changed: 'none', missing: 'none' }),
  probe: (batch, host) => ({
    script: probe,
    parse: (output) => {
      const found = parse(output.toString('utf8'), host);
      return batch.map(() => found);
    },
  }),
  comparison: {
    computed: ['packages', 'settings', 'versions', 'diversions', 'alternatives'],
    deep: true,
    remarks,
  },
  apply: (changes, host) =>
    changes.map(({ id, actual }) => {
      const packages = (actual?.packages ?? '').split(' ');
      return {
        resources: [id],
        title: `install again ${packages.join(', ')}`,
        script: withoutStarting(
          host.declared('service'),
          lines([
            aptGet,
            sh`hw_apt_update_if_old
hw_apt install --reinstall ${packages} || { hw_apt update; hw_apt install --reinstall ${packages}; }`,
          ]),
        ),
        timeout: 30 * 60_000,
      };
    }),
  order: { stage: 'package' },
  interruption: { interrupts: () => true },
});

/** The files of all packages: `packageFiles()`. */
export function packageFiles(options?: ResourceOptions): Resource {
  return declare(packageFilesType, {}, options);
}
