import type { RuleCase } from './rule-case.ts';

export const monitoring: readonly RuleCase[] = [
  {
    what: 'NotificationsFail fires when messages do not arrive',
    series: {
      'alertmanager_notifications_failed_total{integration="email"}': '0+1x30',
      'alertmanager_notifications_failed_total{integration="slack"}': '3x30',
    },
    at: '12m',
    fires: [{ alertname: 'NotificationsFail', severity: 'warning', integration: 'email' }],
  },
];
