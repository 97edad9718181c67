import { z } from 'zod';
import { argv } from '../attribute.ts';
import { path } from '../path.ts';

export const schema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w@.:-]+$/, 'expected the name of a systemd unit')
    .transform((name) =>
      /\.(service|timer|socket|path|mount|target)$/.test(name) ? name : `${name}.service`,
    )
    .describe('A systemd unit; `.service` unless it says `.timer`, `.socket` or another'),
  running: z.boolean().default(true),
  enabled: z.boolean().default(true),
  reloadOn: z
    .array(path)
    .default([])
    .describe('Files and trees that the running process has read and takes up by a reload'),
  restartOn: z
    .array(path)
    .default([])
    .describe(
      'Files and trees that it takes up by a restart only; its own unit and drop-ins are always among them',
    ),
  validate: argv
    .optional()
    .describe(
      "The service's own check of its configuration; runs before anything below `reloadOn` and `restartOn` goes live",
    ),
  reload: argv
    .optional()
    .describe('How to reload, where it is not `systemctl reload`; fails when the service refuses'),
  healthy: argv
    .optional()
    .describe(
      'Succeeds when the service does its work; tried for `healthyWithin` after each start and reload',
    ),
  healthyWithin: z.number().int().positive().default(30).describe('Seconds'),
  log: path.optional().describe('A file in which it says why it fails, where it does not tell the journal'),
  guarded: z
    .boolean()
    .optional()
    .describe(
      'A change of it may cut Hostwright off: the host rolls it back unless a fresh connection succeeds. Default: true for ssh',
    ),
  absent: z.literal(false).optional(),
});

export type Service = z.output<typeof schema>;

/** What a restart takes up: the configuration that says so, and the unit that this project may have written. */
export function restartPaths({ name, restartOn }: Service): readonly string[] {
  return [...restartOn, `/etc/systemd/system/${name}`, `/etc/systemd/system/${name}.d`];
}
