import { z } from 'hostwright';
import { stockGroups } from './rights.ts';

const accountName = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'expected the name of a user: lower-case letters, digits, "_" and "-"');

/** In files that go by lines and words. */
const word = z
  .string()
  .regex(/^[^\s#\p{Cc}\p{Cf}]+$/u, 'expected a name or an address, without white space and "#"');

const size = z.string().regex(/^\d+[KMGT]?$/, 'expected a size such as "500M" or "2G"');

const admin = z.strictObject({
  name: accountName,
  keys: z.array(z.string()).nonempty('expected at least one public key: without one this user cannot log in'),
  comment: z.string().optional(),
  shell: z.string().optional(),
  sudo: z.boolean().default(true),
});

export const variables = z.object({
  ansible_password: z
    .unknown()
    .optional()
    .optional()
    .describe('a password for ssh, which this role does away with'),
  ansible_ssh_pass: z.unknown().optional().optional().describe('the old name of ansible_password'),
  base_hostname: z
    .string()
    .optional()
    .describe('the name the host gives itself; its name in the inventory unless that is an address'),
  base_hosts: z
    .record(word, z.array(word))
    .default({})
    .describe('more lines of /etc/hosts: names by address'),
  base_admins: z
    .array(admin)
    .default([])
    .describe(
      'users with name, keys (public, as in .pub files), comment, shell and sudo (true: everything, without a password)',
    ),
  base_former_admins: z
    .array(accountName)
    .default([])
    .describe(
      'users that are to be gone, with their processes, keys, rules in sudoers and crontabs; their home directories stay',
    ),
  base_root_accounts: z
    .array(accountName)
    .default([])
    .describe('other accounts with the number of root (UID 0) that may stay; those not named are removed'),
  base_root_keys: z
    .array(z.string())
    .default([])
    .describe(
      'public keys that may log in as root; others are removed, but not where Hostwright logs in as root and this is empty',
    ),
  base_other_keys: z
    .array(accountName)
    .default([])
    .describe('users of base_admins, or root, whose other keys stay'),
  base_group_members: z
    .partialRecord(z.enum(stockGroups), z.array(z.string()))
    .default({})
    .describe(
      'more accounts that may be in the groups root, sudo, adm, shadow and disk, by group; others than these, base_admins and the login user of Hostwright are taken out',
    ),
  base_ssh_root: z
    .enum(['prohibit-password', 'no'])
    .default('prohibit-password')
    .describe('whether root may log in over ssh, with a key or not at all'),
  base_ssh_users: z
    .array(accountName)
    .default([])
    .describe(
      'if not empty, only these users, base_admins and the login user of Hostwright may log in over ssh',
    ),
  base_sshd_config: z
    .string()
    .default('')
    .describe(
      'lines for the end of sshd_config, such as Match blocks; settings of the role come first and win',
    ),
  base_keep: z
    .array(z.string())
    .default([])
    .describe(
      'names in the folders of the role that stay although it does not write them, with * and ?: 50-cloud-init.conf',
    ),
  base_ntp_servers: z.array(word).default([]).describe('time servers; those of Debian when empty'),
  base_upgrades: z.boolean().default(true).describe('install security updates every day'),
  base_reboot: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time such as "04:30"')
    .optional()
    .describe('when to reboot after an update that asks for it; never when left out'),
  base_journal_size: size.default('500M').describe('the most that the journal takes of the disk'),
  base_journal_days: z.number().int().positive().default(90).describe('days after which the journal forgets'),
  base_sysctl: z
    .record(z.string(), z.union([z.number(), z.string()]))
    .default({})
    .describe('more kernel parameters, or other values for those of this role'),
});

export type Variables = z.output<typeof variables>;
