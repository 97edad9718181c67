import { secret, z } from 'hostwright';
import { frontVariables } from '../dashboard/front.ts';

const severity = z.enum(['warning', 'critical']);
const hostAndPort = z
  .string()
  .regex(/^[^\s:]+:\d{1,5}$/, 'expected a host and a port, such as "mail.example.com:587"');

const settings = z.object({
  domain: z
    .string()
    .optional()
    .describe('the name of the site; with it, what every balancer serves under this name is probed'),
  monitoring_server_keep: z
    .array(z.string())
    .default([])
    .describe(
      'names in /etc/prometheus/rules, /etc/alertmanager and /etc/blackbox that stay although the role does not write them, with * and ?',
    ),
  monitoring_scrape_seconds: z
    .number()
    .int()
    .min(1)
    .max(60)
    .default(5)
    .describe('seconds between two readings of every metric and rule'),
  monitoring_retention_days: z.number().int().positive().default(15).describe('days that metrics are kept'),
  monitoring_retention_gigabytes: z
    .number()
    .int()
    .positive()
    .default(5)
    .describe('gigabytes of metrics that are kept at most, the newest'),
  monitoring_site_frontend: z
    .string()
    .default('https')
    .describe('the frontend of HAProxy whose requests are those of the site; a regular expression'),
  monitoring_qps_threshold: z
    .number()
    .positive()
    .default(1000)
    .describe('requests a second above which QpsHigh is raised'),
  monitoring_qps_drop_percent: z
    .number()
    .min(1)
    .max(99)
    .default(50)
    .describe('a drop by more than this part of the requests of the hour before raises QpsDropped'),
  monitoring_qps_drop_floor: z
    .number()
    .min(0)
    .default(5)
    .describe('requests a second below which a site counts as idle and no drop is told'),
  monitoring_replication_lag_seconds: z
    .number()
    .positive()
    .default(30)
    .describe('seconds that a replica may be behind'),
  monitoring_disk_percent: z
    .number()
    .min(1)
    .max(50)
    .default(10)
    .describe('free part of a disk, in percent, below which it is almost full'),
  monitoring_backup_hours: z
    .number()
    .positive()
    .max(10_000)
    .default(26)
    .describe('hours after which the last copy of a database is too old'),
  monitoring_certificate_days: z
    .number()
    .positive()
    .default(10)
    .describe('days that the public certificate must be good for; less than a third of its lifetime'),
  monitoring_dashboard: z
    .boolean()
    .default(true)
    .describe('a page with graphs and alerts, on 127.0.0.1: see `hostwright dashboard`'),
  ...frontVariables,
  monitoring_log_errors: z
    .number()
    .int()
    .positive()
    .default(50)
    .describe('errors in the journal of a host within ten minutes; more are told'),
  monitoring_login_failures: z
    .number()
    .int()
    .positive()
    .default(100)
    .describe('failed logins on a host within ten minutes; more are told'),
  monitoring_email_to: z.string().optional().describe('who gets alerts by e-mail, separated by commas'),
  monitoring_email_from: z.email().optional().describe('the sender of that e-mail'),
  monitoring_email_smarthost: hostAndPort.optional().describe('the mail server that takes it, HOST:PORT'),
  monitoring_email_tls: z.boolean().default(true).describe('send it by STARTTLS only'),
  monitoring_email_username: z.string().optional().describe('the login at the mail server'),
  monitoring_email_password: secret().optional().describe('the password of that login'),
  monitoring_email_from_severity: severity
    .default('warning')
    .describe('"critical" leaves warnings out of the e-mail'),
  monitoring_slack_webhook: secret()
    .optional()
    .describe('the URL of an incoming webhook of Slack, Mattermost or another that takes the same'),
  monitoring_slack_channel: z
    .string()
    .optional()
    .describe('the channel, where it is not that of the webhook'),
  monitoring_slack_from_severity: severity
    .default('warning')
    .describe('"critical" leaves warnings out of the channel'),
  monitoring_webhook: secret()
    .optional()
    .describe("a URL that gets alerts as Alertmanager's own JSON, for what else there is"),
  monitoring_webhook_from_severity: severity
    .default('warning')
    .describe('"critical" leaves warnings out of the webhook'),
});

/** Variables that make sense only together with another one. */
const together: readonly (readonly [keyof Settings, keyof Settings])[] = [
  ['monitoring_email_to', 'monitoring_email_from'],
  ['monitoring_email_to', 'monitoring_email_smarthost'],
  ['monitoring_email_smarthost', 'monitoring_email_to'],
  ['monitoring_email_from', 'monitoring_email_to'],
  ['monitoring_email_username', 'monitoring_email_password'],
  ['monitoring_email_password', 'monitoring_email_username'],
  ['monitoring_slack_channel', 'monitoring_slack_webhook'],
];

type Settings = z.output<typeof settings>;
export type Variables = Settings;

export const variables = settings.superRefine((vars, context) => {
  for (const [given, other] of together) {
    if (vars[given] === undefined || vars[other] !== undefined) continue;
    context.addIssue({
      code: 'custom',
      path: [given],
      message: `expected ${other} to be set as well`,
    });
  }
});
