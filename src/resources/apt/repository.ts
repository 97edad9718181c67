import { createHash } from 'node:crypto';
import { z } from 'zod';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { aptGet } from './apt-get.ts';
import { oneLine } from '../attribute.ts';
import { path } from '../path.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import { replaceFunctions } from '../shell/replace.ts';
import { each } from '../step.ts';
import { contentOf, largestOf, statProbe } from '../shell/stat.ts';

const word = z.string().regex(/^[^\s\0]+$/, 'expected one word without white space');
const armoredKey = z
  .string()
  .regex(
    /^-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n[^\0]*\r?\n-----END PGP PUBLIC KEY BLOCK-----\s*$/,
    'expected the path of a keyring, or an ASCII-armoured public key',
  );

const schema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]+$/, 'expected a file name without its ending')
      .describe('The files are /etc/apt/sources.list.d/NAME.sources and /etc/apt/preferences.d/NAME'),
    types: z
      .array(z.enum(['deb', 'deb-src']))
      .nonempty()
      .default(['deb']),
    uris: z.array(word).nonempty().optional(),
    suites: z
      .array(word)
      .nonempty()
      .optional()
      .describe('Such as `sid` or `trixie-backports`; for a flat repository a path that ends with a slash'),
    components: z.array(word).default(['main']).describe('Empty for a flat repository'),
    architectures: z.array(word).nonempty().optional(),
    signedBy: z
      .union([path, armoredKey])
      .default('/usr/share/keyrings/debian-archive-keyring.gpg')
      .describe('The path of a keyring on the host, or the ASCII-armoured key itself'),
    checkValidUntil: z.boolean().default(true).describe('False for snapshots and mirrors without updates'),
    pin: z
      .strictObject({
        release: oneLine.min(1).describe('As in apt_preferences(5), such as `o=Debian,n=sid`'),
        priority: z.number().int().min(-32768).max(32767),
        packages: z
          .array(word)
          .nonempty()
          .default(['*'])
          .describe('Names, also with `*`: only for these is the priority'),
        others: z
          .number()
          .int()
          .min(-32768)
          .max(32767)
          .optional()
          .describe('The priority of all other packages of the `release`; -1: they are never installed'),
      })
      .optional()
      .describe('The priority. Below 100, only packages with this `release` come from here'),
    absent: z.boolean().default(false),
  })
  .refine((item) => item.absent || (item.uris !== undefined && item.suites !== undefined), {
    message: 'expected "uris" and "suites"',
  });

type AptRepository = z.output<typeof schema>;

function sourcesFile({ name }: AptRepository): string {
  return `/etc/apt/sources.list.d/${name}.sources`;
}

function preferencesFile({ name }: AptRepository): string {
  return `/etc/apt/preferences.d/${name}`;
}

/** A value of several lines in deb822(5): each behind a space, a dot in the place of an empty one. */
function folded(text: string): string {
  const below = text.trim().split(/\r?\n/);
  return `\n${below.map((line) => ` ${line.trim() === '' ? '.' : line}`).join('\n')}`;
}

function sources(item: AptRepository): string {
  const fields: [string, readonly string[] | undefined][] = [
    ['Types', item.types],
    ['URIs', item.uris],
    ['Suites', item.suites],
    ['Components', item.components],
    ['Architectures', item.architectures],
    ['Check-Valid-Until', item.checkValidUntil ? undefined : ['no']],
  ];
  const text = fields.flatMap(([name, words]) =>
    words === undefined || words.length === 0 ? [] : [`${name}: ${words.join(' ')}\n`],
  );
  const key = item.signedBy.startsWith('/') ? ` ${item.signedBy}` : folded(item.signedBy);
  return `${text.join('')}Signed-By:${key}\n`;
}

function preferences({ pin }: AptRepository): string {
  if (pin === undefined) return '';
  const pinOf = (packages: readonly string[], priority: number): string =>
    `Package: ${packages.join(' ')}\nPin: release ${pin.release}\nPin-Priority: ${priority}\n`;
  // The names win over the star, whatever comes first.
  const others = pin.others === undefined ? '' : `\n${pinOf(['*'], pin.others)}`;
  return `${pinOf(pin.packages, pin.priority)}${others}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The preferences in words where they are as declared, else what tells them apart. */
function pinned(item: AptRepository, sha256: string | undefined): string | null {
  if (sha256 === undefined) return null;
  if (item.pin === undefined || sha256 !== digest(preferences(item))) return `sha256:${sha256.slice(0, 16)}`;
  const { priority, release, others } = item.pin;
  return `${priority} for ${release}${others === undefined ? '' : `, ${others} for its other packages`}`;
}

/**
 * The lists of this repository alone are fetched and their signatures checked before its file goes live: a
 * wrong address or key never breaks the next apt-get of anybody else. Those of the others are brought up to date
 * first: with only these, every package would come from here. The file is dated as the lists, so that packages do
 * not take them for old.
 */
function install(item: AptRepository): Script {
  const text = sources(item);
  const pins = preferences(item);
  const preference =
    pins === ''
      ? sh`rm -f ${preferencesFile(item)}`
      : sh`printf '%s' ${pins} | hw_replace 0644 ${preferencesFile(item)}`;
  return lines([
    aptGet,
    replaceFunctions,
    sh`printf '%s' ${text} >"$HW/candidate.sources"
others=fresh
hw_apt_update_if_old || others=old
hw_apt -o Dir::Etc::SourceList="$HW/candidate.sources" -o Dir::Etc::SourceParts=- \
  -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any update`,
    preference,
    sh`hw_replace 0644 ${sourcesFile(item)} <"$HW/candidate.sources"
[ "$others" = old ] || touch -r /var/lib/apt/lists ${sourcesFile(item)}`,
  ]);
}

export const aptRepositoryType = defineResource({
  name: 'apt_repository',
  summary: 'A source of Debian packages with its key and priority; a change updates the package lists',
  schema,
  key: (item) => item.name,
  want: (item) => {
    if (item.absent) return null;
    const content = contentOf({ sha256: digest(sources(item)), size: 0 });
    const pin = item.pin === undefined ? null : pinned(item, digest(preferences(item)));
    return { kind: 'file', mode: '0644', content, pin };
  },
  probe: (batch) =>
    statProbe(
      {
        paths: batch.flatMap((item) => [sourcesFile(item), preferencesFile(item)]),
        hash: largestOf(
          batch.flatMap((item) => [sources(item), preferences(item)].map((text) => Buffer.from(text))),
        ),
        weigh: true,
      },
      (found) =>
        batch.map((item) => {
          const stat = found.get(sourcesFile(item));
          const preference = found.get(preferencesFile(item));
          const pin = preference === undefined ? null : (pinned(item, preference.sha256) ?? preference.kind);
          if (stat === undefined) return pin === null ? null : { pin };
          return { kind: stat.kind, mode: stat.mode, content: contentOf(stat), pin };
        }),
    ),
  apply: each(({ id, desired: item }) => {
    if (item.absent) {
      const script = sh`rm -f ${[sourcesFile(item), preferencesFile(item)]}`;
      return { resources: [id], title: `remove repository ${item.name}`, script };
    }
    return {
      resources: [id],
      title: `fetch the lists of ${item.name}`,
      script: install(item),
      timeout: 15 * 60_000,
    };
  }),
  order: { stage: 'source' },
  files: {
    path: sourcesFile,
    alsoOwns: (item) => [preferencesFile(item)],
    text: (item) => (item.absent ? null : sources(item)),
  },
});

/**
 * A source of packages: `aptRepository('sid', { uris: ['http://deb.debian.org/debian'], suites: ['sid'],
 * pin: { release: 'o=Debian,n=sid', priority: 50 } })`.
 */
export function aptRepository(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(aptRepositoryType, { name, ...attributes }, options);
}
