import { file, type Resource, type Secret } from 'hostwright';
import type { Variables } from './variables.ts';

const folder = '/etc/alertmanager';

/** A file with one secret, for Alertmanager and nobody else; gone when there is none any more. */
function secretFile(name: string, content: Secret | undefined): Resource {
  const path = `${folder}/${name}`;
  if (content === undefined) return file(path, { absent: true });
  return file(path, { content, group: 'alertmanager', mode: '0640' });
}

/** The files of the secrets; Alertmanager reads them anew for every message. */
export function secretFiles(vars: Variables): readonly Resource[] {
  return [
    secretFile('email-password', vars.monitoring_email_password),
    secretFile('slack-url', vars.monitoring_slack_webhook),
    secretFile('webhook-url', vars.monitoring_webhook),
  ];
}

type Severity = 'warning' | 'critical';

/** Where alerts of one severity go, null for a way that they do not take. */
function receiver(vars: Variables, severity: Severity) {
  const takes = (from: Severity): boolean => severity === 'critical' || from === 'warning';
  const { monitoring_email_to: to, monitoring_slack_webhook: slack, monitoring_webhook: webhook } = vars;
  return {
    name: severity,
    email: to !== undefined && takes(vars.monitoring_email_from_severity) ? to : null,
    slack:
      slack !== undefined && takes(vars.monitoring_slack_from_severity)
        ? { file: `${folder}/slack-url`, channel: vars.monitoring_slack_channel ?? null }
        : null,
    webhook:
      webhook !== undefined && takes(vars.monitoring_webhook_from_severity) ? `${folder}/webhook-url` : null,
  };
}

/** What alertmanager.yml.hbs is made of. Without a way to tell anybody, alerts are kept and not told. */
export function notifications(vars: Variables) {
  const receivers = [receiver(vars, 'warning'), receiver(vars, 'critical')].filter(
    ({ email, slack, webhook }) => email !== null || slack !== null || webhook !== null,
  );
  const named = (severity: Severity): string =>
    receivers.some(({ name }) => name === severity) ? severity : 'nobody';
  const { monitoring_email_to: to } = vars;
  return {
    receivers,
    receiverOfWarnings: named('warning'),
    receiverOfCritical: named('critical'),
    email:
      to === undefined
        ? null
        : {
            from: vars.monitoring_email_from ?? '',
            smarthost: vars.monitoring_email_smarthost ?? '',
            tls: vars.monitoring_email_tls,
            username: vars.monitoring_email_username ?? null,
            passwordFile: `${folder}/email-password`,
          },
  };
}
