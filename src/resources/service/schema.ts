import { z } from 'zod';
import { argv } from '../attribute.ts';
import { path } from '../path.ts';
import type { Watched } from './loaded.ts';
import { unitFolders, unitNames } from './unit-files.ts';

export const schema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w@.:-]+$/, 'expected the name of a systemd unit')
    .transform((name) =>
      /\.(service|timer|socket|path|mount|target)$/.test(name) ? name : `${name}.service`,
    )
    .describe('The name of a systemd unit; without a suffix it is a `.service`'),
  running: z.boolean().default(true),
  enabled: z.boolean().default(true),
  reloadOn: z
    .array(path)
    .default([])
    .describe(
      'Files and folders that the process reads on a reload. What links to files lead to counts; a link to a folder stands for all that is in it, unless a path below it is listed. Names that dpkg, ucf and editors give to backups do not count (`*.dpkg-*`, `*.ucf-*`, `*~`, `.*.swp`, `#*#`, `.#*`), see `readsAll`',
    ),
  restartOn: z
    .array(path)
    .default([])
    .describe(
      'Files and folders that need a restart. The unit, its template and all of their drop-ins always do',
    ),
  readsAll: z
    .array(path)
    .default([])
    .describe(
      'Folders of which the service reads every file whatever its name, so that backups count too (`include sites-enabled/*`)',
    ),
  keepOverrides: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Names or paths of drop-ins and units, with `*` and `?`, that stay although nobody declares them (`50-provider.conf`). Without it everything is removed that overrides the unit and is not declared: drop-ins of the unit, of its template, by prefix and by type, and a whole unit over that of a package, in /etc, /run and /usr/local',
    ),
  validate: argv
    .optional()
    .describe(
      'A command that checks the configuration; runs before anything below `reloadOn` and `restartOn` goes live',
    ),
  start: argv
    .optional()
    .describe(
      'The command that starts the service anew, for one whose first start is another one. Default: `systemctl restart`',
    ),
  startWithin: z
    .number()
    .int()
    .positive()
    .default(300)
    .describe('Seconds that a start may take, before the time of `healthyWithin`'),
  replaces: z
    .array(
      z.string().regex(/^[\w@.:-]+\.\w+$/, 'expected the full name of a unit, such as "apache2.service"'),
    )
    .default([])
    .describe(
      'Units whose place it takes, such as their port: those that run are stopped before a start, at the last moment. If the service does not become healthy, it is stopped, and they are started again',
    ),
  reload: argv
    .optional()
    .describe(
      'The reload command; fails when the service rejects the configuration. Default: `systemctl reload`',
    ),
  healthy: argv
    .optional()
    .describe(
      'A command that succeeds when the service works; repeated for `healthyWithin` after each start and reload, and run by each plan with a limit of 5 s: one that fails is healed by a restart',
    ),
  current: argv
    .optional()
    .describe(
      'A command that fails, with a line that says why, while the process runs something else than its files say. Run by each plan with a limit of 5 s; a reload heals it',
    ),
  healthyWithin: z
    .number()
    .int()
    .positive()
    .default(30)
    .describe('Seconds until the service must be healthy'),
  log: path
    .optional()
    .describe('A log file with the reason of a failure, for a service that does not log to the journal'),
  guarded: z
    .boolean()
    .optional()
    .describe(
      'A change may cut off Hostwright: the host rolls it back unless a fresh connection succeeds. Default: true for ssh',
    ),
  absent: z.literal(false).optional(),
});

export type Service = z.output<typeof schema>;

/** What a restart takes up and resources may write. */
export function restartPaths({ name, restartOn }: Service): readonly string[] {
  return [...restartOn, ...unitNames(name).map((file) => `${unitFolders[2]}/${file}`)];
}

/** What it has read, as far as it is declared; units of others count wherever they lie. */
export function watched({ name: unit, reloadOn, restartOn, readsAll: whole }: Service): readonly Watched[] {
  const restart: Watched = { unit, action: 'restart', paths: restartOn, whole };
  return reloadOn.length === 0 ? [restart] : [{ unit, action: 'reload', paths: reloadOn, whole }, restart];
}
