import { randomPassword, secret, z } from 'hostwright';
import { createAgeKey, isAgeKey } from './keys.ts';

export const variables = z.object({
  backup_recipients: z
    .array(
      z.string().regex(/^age1[02-9ac-hj-np-z]{58}$/, 'expected a recipient of age that begins with age1'),
    )
    .default([])
    .describe('who can read the backups beside the holder of backup_test_key, as `age-keygen` prints it'),
  backup_test_key: secret({ generate: () => Promise.resolve(createAgeKey()) })
    .refine(isAgeKey, 'expected an identity of age that begins with AGE-SECRET-KEY-1')
    .describe('the key that the restore test reads backups with; made on first use'),
  backup_test_host: z
    .string()
    .optional()
    .describe(
      'the host of the group db that tests each backup and has the key for it; the one that sends unless set; "none"',
    ),
  backup_ssh_seed: secret({ generate: () => Promise.resolve(randomPassword()) }).describe(
    'what the ssh keys of senders and of the storing host are made of; made on first use',
  ),
  backup_port: z.number().int().min(1).max(65535).default(2222).describe('port of the storing host'),
  backup_time: z
    .string()
    .regex(/^[^\n\0]+$/, 'expected a time as systemd.time(7) has it')
    .default('*-*-* 02:00:00')
    .describe('when a copy is made, as systemd.time(7) has it; up to an hour later'),
  backup_keep_days: z.number().int().positive().max(3650).default(14).describe('days that backups are kept'),
  backup_quota_gigabytes: z
    .number()
    .positive()
    .max(1_000_000)
    .default(100)
    .describe('how much each sender may store'),
  backup_reserve_gigabytes: z
    .number()
    .nonnegative()
    .max(1_000_000)
    .default(2)
    .describe('how much stays free on the disk of the storing host'),
  backup_scratch: z
    .string()
    .regex(/^\/[A-Za-z0-9_./-]+$/, 'expected an absolute path')
    .optional()
    .describe('where copies are made and tested, with the space of the data'),
});

export type Variables = z.output<typeof variables>;
