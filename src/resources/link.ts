import { basename, dirname } from 'node:path/posix';
import { z } from 'zod';
import { sh } from '../transport/shell.ts';
import { enter } from './shell/enter.ts';
import { forceWord, removal, remove } from './shell/removal.ts';
import { folderRequired, force, path, providesUnit } from './path.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from './resource.ts';
import { each } from './step.ts';
import { entries, statProbe } from './shell/stat.ts';

const schema = z.union([
  z.strictObject({
    path,
    to: z
      .string()
      .min(1)
      .refine((to) => !to.includes('\0'), 'expected no NUL')
      .describe('The target: absolute, or relative to the directory of the link'),
    absent: z.literal(false).optional(),
    force,
  }),
  z.strictObject({ path, to: z.undefined().optional(), absent: z.literal(true), force }),
]);

export const linkType = defineResource({
  name: 'link',
  summary: 'A symbolic link',
  schema,
  key: (link) => link.path,
  want: (link) => (link.absent === true ? null : { kind: 'link', to: link.to ?? '' }),
  probe: (batch) =>
    statProbe({ paths: batch.map((link) => link.path), hash: false, weigh: true }, (found) =>
      batch.map((link) => {
        const stat = found.get(link.path);
        if (stat === undefined) return null;
        return stat.kind === 'link'
          ? { kind: stat.kind, to: stat.target }
          : { kind: stat.kind, ...entries(stat) };
      }),
    ),
  apply: each(({ id, desired }) => {
    if (desired.absent === true) {
      return {
        resources: [id],
        title: `remove ${desired.path}`,
        script: remove(desired.path, desired.force),
      };
    }
    const name = basename(desired.path);
    // ln makes it under another name and renames it: at no moment is there none.
    const script = sh`${removal}
${enter(dirname(desired.path))}
hw_yield ./${name} ${forceWord(desired.force)}
ln -sfT -- ${desired.to ?? ''} ./${name} || hw_stuck . ./${name}`;
    return { resources: [id], title: `link ${desired.path}`, script };
  }),
  comparison: { computed: ['entries'], implied: ['kind'] },
  order: {
    requires: (link) => folderRequired(link.path),
    provides: (link, { kind, name }) =>
      (kind === 'directory' && link.path === name) || (kind === 'unit' && providesUnit(link.path, name)),
  },
  files: {
    path: (link) => link.path,
    staged: 'path',
    removesFolder: (link) => link.force,
    leadsTo: (link) => link.to,
  },
});

/** A symbolic link: `link('/etc/nginx/sites-enabled/app', { to: '../sites-available/app' })`. */
export function link(
  at: string,
  attributes: ({ readonly to: string } | { readonly absent: true }) & { readonly force?: boolean },
  options?: ResourceOptions,
): Resource {
  return declare(linkType, { path: at, ...attributes }, options);
}
