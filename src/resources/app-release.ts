import { z } from 'zod';
import { gitCommit, gitUrl, gitVersion } from '../release/git.ts';
import {
  recordName as record,
  type GitRelease,
  type KeptRelease,
  type PackedRelease,
  type Release,
} from '../release/release.ts';
import { tarball } from '../release/tarball.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import { path } from './path.ts';
import { removal } from './shell/removal.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from './resource.ts';
import { Unreadable, type Change } from './state.ts';
import { each, type Step } from './step.ts';

const isName = /^\w[\w.+@-]{0,120}$/;

function isRelease(value: unknown): value is Release {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    'name' in value &&
    typeof value.name === 'string' &&
    isName.test(value.name)
  );
}

const schema = z
  .strictObject({
    folder: path.describe('The folder of the application; releases are in `releases/NAME` below it'),
    release: z
      .custom<Release>(isRelease, 'expected a release, of readRelease() or gitRelease()')
      .meta({ title: 'Release' })
      .describe(
        "Files of the controller (`readRelease`), a commit or tag that the host fetches with git (`gitRelease`), or one that is on the host from before (`{ kind: 'kept', name }`)",
      ),
    keep: z
      .number()
      .int()
      .min(0)
      .default(3)
      .describe('The number of older releases to keep; the release of the link `current` always stays'),
    absent: z.literal(false).optional(),
  })
  .refine(({ release }) => release.kind !== 'git' || gitUrl.test(release.url), {
    message: 'expected the URL of a git repository without a name or password in it',
    path: ['release', 'url'],
  })
  .refine(({ release }) => release.kind !== 'git' || gitVersion.test(release.version), {
    message: 'expected a full commit id or a tag',
    path: ['release', 'version'],
  })
  // Of another repository or version there is none to be found out.
  .refine(
    ({ release }) =>
      release.kind !== 'git' ||
      !gitUrl.test(release.url) ||
      !gitVersion.test(release.version) ||
      gitCommit.test(release.commit),
    { message: 'expected a full commit id', path: ['release', 'commit'] },
  );

type AppRelease = z.output<typeof schema>;

const minute = 60_000;

function releases(folder: string): string {
  return `${folder}/releases`;
}

/** One digest over a whole tree, as `releaseDigest` makes it of the entries of a release. */
const releaseDigestFunction = sh`hw_release_digest() (
  cd "$1"
  export LC_ALL=C
  find . -mindepth 1 ! -path ./${record} -fprintf "$HW/entries" '%P|%y|%m|%u:%g|%l\0' -type f -fprintf "$HW/files" '%P\0'
  { sort -z "$HW/files" | xargs -0r sha256sum -z --
    sort -z "$HW/entries"; } | sha256sum | { read -r sum _; echo "$sum"; }
)`;

/** The digests of the release, as it is and as it was recorded; where it is not there, what is current instead. */
function probeOne({ folder, release }: AppRelease): Script {
  const own = `${releases(folder)}/${release.name}`;
  return sh`if [ -d ${own} ] && [ ! -L ${own} ]; then
  recorded=''
  if [ -f ${`${own}/${record}`} ]; then
    while read -r word value; do case $word in digest) recorded=$value ;; esac; done <${`${own}/${record}`}
  fi
  printf '%s %s\n' "$(hw_release_digest ${own})" "$recorded"
else printf 'other %s\n' "$(readlink ${`${folder}/current`} | sed 's|.*/||')"; fi`;
}

function parseOne(answer: string, { folder, release }: AppRelease) {
  const [, other] = /^other (.*)$/.exec(answer) ?? [];
  if (other !== undefined) {
    if (release.kind === 'kept')
      return new Unreadable(
        `the release ${release.name} is not on the host; name one of those in ${releases(folder)}`,
      );
    return other === '' || other === release.name ? null : { release: other };
  }
  const [, actual, recorded] = /^([0-9a-f]{64}) ([0-9a-f]{64}|)$/.exec(answer) ?? [];
  if (actual === undefined || recorded === undefined) throw new RangeError(`unexpected answer "${answer}"`);
  const isIntact = actual === recorded && (release.kind !== 'packed' || actual === release.digest);
  return { release: release.name, content: isIntact ? 'intact' : 'damaged' };
}

function unpack({ digest }: PackedRelease): Script {
  // New times: a web server tells browsers by them what has changed.
  return sh`tar -xzpmf - -C "$w/tree" --no-same-owner
digest=$(hw_release_digest "$w/tree")
if [ "$digest" != ${digest} ]; then echo 'the unpacked files differ from those sent' >&2; exit 1; fi
printf 'digest %s\n' "$digest" >"$w/record"`;
}

/** Servers may refuse to hand out a single commit: then everything is fetched. */
function checkOut({ url, commit }: GitRelease): Script {
  return sh`export GIT_TERMINAL_PROMPT=0 GIT_SSH_COMMAND='ssh -o BatchMode=yes'
mkdir "$w/git"
(
  cd "$w/git"
  git init -q
  git remote add origin ${url}
  git fetch -q --depth 1 origin ${commit} 2>/dev/null || git fetch -q origin '+refs/*:refs/all/*'
  git -c tar.umask=0022 archive --format=tar ${commit}
) >"$w/release.tar"
tar -xpf "$w/release.tar" -C "$w/tree" --no-same-owner
rm -rf "$w/tree"/${record}
{ printf 'digest %s\n' "$(hw_release_digest "$w/tree")"
  printf 'commit %s\n' ${commit}; } >"$w/record"`;
}

/** The newest stay, by the time of their records; folders without one are leftovers. */
function prune({ folder, release, keep }: AppRelease): Script {
  return sh`current=$(readlink ${`${folder}/current`} | sed 's|.*/||')
find . -mindepth 1 -maxdepth 1 -type d -exec sh -c 'for folder; do
    printf "%s %s\n" "$(stat -c %Y "$folder/$0" 2>/dev/null || echo 0)" "$(basename "$folder")"
  done' ${record} {} + | sort -rn | sed 's/^[^ ]* //' | awk -v new=${release.name} -v current="$current" -v keep=${keep} '
  $0 == new || $0 == current { next }
  ++n > keep' | while IFS= read -r old; do hw_remove "./$old"; done`;
}

/** Nobody has the files of a damaged one. */
function cannotRepair({ name }: KeptRelease): Script {
  return sh`echo ${`the release ${name} was changed on the host, and its files are nowhere else; deploy another one`} >&2
exit 1`;
}

function step({ id, desired }: Change<AppRelease>): Step {
  const { folder, release } = desired;
  if (release.kind === 'kept')
    return { resources: [id], title: `check release ${release.name}`, script: cannotRepair(release) };
  const target = `${releases(folder)}/${release.name}`;
  const script = lines([
    removal,
    releaseDigestFunction,
    sh`mkdir -p ${releases(folder)}
cd ${releases(folder)}
for old in ./.hostwright.*; do hw_remove "$old"; done
w=$(mktemp -d .hostwright.XXXXXX)
trap 'hw_remove "./$w"' EXIT
# Nothing in it gets the group of a folder around it.
chmod 00700 "$w"
mkdir -m 0755 "$w/tree"`,
    release.kind === 'packed' ? unpack(release) : checkOut(release),
    sh`date -u '+installed %Y-%m-%dT%H:%M:%S.%NZ' >>"$w/record"
mv "$w/record" "$w/tree"/${record}
sync -f "$w/tree"
if [ -e ${target} ] || [ -L ${target} ]; then
  [ -z "$(hw_mounts ${target})" ] || hw_stuck ${target}
  mv -T ${target} "$w/before"
fi
mv -T "$w/tree" ${target}`,
    prune(desired),
  ]);
  const common = { resources: [id], title: `unpack release ${release.name}`, script, timeout: 15 * minute };
  return release.kind === 'packed' ? { ...common, stdin: tarball(release.entries) } : common;
}

export const appReleaseType = defineResource({
  name: 'app_release',
  summary:
    'A release of an application in its own folder, with exactly the released files. Declare the link `current` as a `link`',
  schema,
  key: ({ folder }) => folder,
  want: ({ release }) => ({ release: release.name, content: 'intact' }),
  probe: (batch) => ({
    script: lines([releaseDigestFunction, ...batch.map(probeOne)]),
    parse: (output) => {
      const answers = output.toString('utf8').split('\n');
      return batch.map((item, index) => parseOne(answers[index] ?? '', item));
    },
  }),
  apply: each(step),
  order: { after: ({ release }) => (release.kind === 'git' ? ['package:git'] : []) },
  // Its folder is new, and nothing uses it before the link leads there.
  preparation: { isEarly: ({ actual }) => actual?.content === undefined },
  files: {
    readAt: ({ folder, release }) => [`${releases(folder)}/${release.name}`],
    // Reached by the link, so that a service names the same path whatever release is the current one.
    path: ({ folder }) => `${folder}/current/${record}`,
  },
});

/** `appRelease('/srv/shop', readRelease('/home/me/shop'))`, with a `link` to `releases/NAME` beside it. */
export function appRelease(
  folder: string,
  release: Release,
  attributes: Omit<z.input<typeof schema>, 'folder' | 'release'> = {},
  options?: ResourceOptions,
): Resource {
  return declare(appReleaseType, { folder, release, ...attributes }, options);
}
