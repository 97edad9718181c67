import { z } from 'zod';
import { argv } from '../attribute.ts';
import { path } from '../path.ts';
import type { Watched } from './loaded.ts';

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
  reloadOn: z.array(path).default([]).describe('Files and folders that the process reads on a reload'),
  restartOn: z
    .array(path)
    .default([])
    .describe('Files and folders that need a restart. The unit and its drop-ins always do'),
  validate: argv
    .optional()
    .describe(
      'A command that checks the configuration; runs before anything below `reloadOn` and `restartOn` goes live',
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

/** What a restart takes up: the configuration that says so, and the unit that this project may have written. */
export function restartPaths({ name, restartOn }: Service): readonly string[] {
  return [...restartOn, `/etc/systemd/system/${name}`, `/etc/systemd/system/${name}.d`];
}

/** What it has read, as far as it is declared. */
export function watched(service: Service): readonly Watched[] {
  const { name: unit, reloadOn } = service;
  const all: readonly Watched[] = [
    { unit, action: 'reload', paths: reloadOn },
    { unit, action: 'restart', paths: restartPaths(service) },
  ];
  return all.filter(({ paths }) => paths.length > 0);
}
