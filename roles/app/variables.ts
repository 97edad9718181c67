import { randomPassword, secret, z } from 'hostwright';

const word = z
  .string()
  .min(1)
  .regex(/^[^\0\n]*$/, 'expected a single line');
const value = z.union([z.string(), z.number(), z.boolean(), secret()]);

export const variables = z.object({
  app_name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'expected lower-case letters, digits and "-"')
    .default('app')
    .describe('of the unit, its user and its folder below /srv'),
  app_source: z
    .string()
    .min(1)
    .refine(
      (source) => !/^https?:\/\/[^/]*@/.test(source),
      'expected a URL without a name or password in it, which everybody could read',
    )
    .describe(
      'a folder or a tar archive, relative to site.yml, or the URL of a git repository (https, ssh, git@…)',
    ),
  app_version: z
    .string()
    .optional()
    .describe(
      'of a git repository: a full commit id or a tag (its commit is asked once a run); a branch is none, because it moves',
    ),
  app_release: z
    .string()
    .regex(/^\w[\w.+@-]{0,120}$/, 'expected the name of a release, as in /srv/NAME/releases')
    .optional()
    .describe(
      'a release that is on the hosts from before, in the place of app_source; `do app rollback` sets it, and without it app_source is deployed again',
    ),
  app_exclude: z
    .array(z.string())
    .default(['.git', '__pycache__'])
    .describe('names of files and folders that are no part of a release'),
  app_packages: z.array(z.string()).default([]).describe('Debian packages that the application needs'),
  app_group_members: z
    .array(z.string())
    .default([])
    .describe(
      'accounts that may be in the group of the application, which reads its environment; others are taken out',
    ),
  app_command: z
    .array(word)
    .nonempty()
    .describe('the program and its arguments, run without a shell in the folder of the release'),
  app_check: z
    .array(word)
    .nonempty()
    .optional()
    .describe(
      'a command that fails for a bad release, run in its folder before it goes live; it changes nothing',
    ),
  app_port: z.number().int().min(1).max(65535).default(3000).describe('on 127.0.0.1, also its PORT'),
  app_socket_activation: z
    .boolean()
    .default(false)
    .describe(
      'true for an application that takes its socket from systemd (LISTEN_FDS): no connection is refused while it restarts',
    ),
  app_health_path: z
    .string()
    .regex(/^\/[\w./~-]*$/, 'expected a path such as /healthz')
    .default('/healthz')
    .describe('answers 200 while the application can serve'),
  app_health_timeout: z
    .number()
    .int()
    .positive()
    .default(15)
    .describe('seconds until a new release must be healthy; then the previous one comes back'),
  app_keep_releases: z.number().int().min(0).default(3).describe('older releases that stay on the host'),
  app_environment: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/, 'expected the name of an environment variable'), value)
    .default({})
    .describe('environment variables; values may be encrypted'),
  app_database: z
    .string()
    .regex(/^\w{1,64}$/, 'expected letters, digits and "_"')
    .optional()
    .describe('a database of the site that the application uses; made with its user by the role mysql'),
  app_database_user: z
    .string()
    .regex(/^\w{1,32}$/, 'expected letters, digits and "_"')
    .optional()
    .describe('its user (default: the name of the database)'),
  app_database_password: secret({ generate: async () => randomPassword() }).describe(
    'of that user; made on first use',
  ),
  app_group: z.string().default('app').describe('the group of the inventory that this role is for'),
});

export type Variables = z.output<typeof variables>;
