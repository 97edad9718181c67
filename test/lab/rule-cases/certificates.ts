import type { RuleCase } from './rule-case.ts';
import { atTwentyMinutes, day } from './time.ts';

const publicExpiry = 'probe_ssl_earliest_cert_expiry{job="site", host="web1"}';

/** A certificate of the internal CA, of `days` of which so many are left after twenty minutes. */
const internal = (left: number, days: number, certificate = 'nginx'): RuleCase['series'] => ({
  [`hostwright_certificate_not_after_seconds{host="web2", certificate="${certificate}"}`]:
    atTwentyMinutes(left),
  [`hostwright_certificate_not_before_seconds{host="web2", certificate="${certificate}"}`]: atTwentyMinutes(
    left - days,
  ),
});
const fiveYears = 5 * 365;
const thirtyYears = 30 * 365;

export const certificates: readonly RuleCase[] = [
  {
    what: 'CertificateExpires warns of the public certificate',
    series: { [publicExpiry]: atTwentyMinutes(9) },
    at: '20m',
    fires: [{ alertname: 'CertificateExpires', severity: 'warning', host: 'web1', certificate: 'public' }],
  },
  {
    what: 'CertificateExpires becomes critical in the last two days of the public certificate',
    series: { [publicExpiry]: atTwentyMinutes(1) },
    at: '20m',
    fires: [
      { alertname: 'CertificateExpires', severity: 'warning', host: 'web1', certificate: 'public' },
      { alertname: 'CertificateExpires', severity: 'critical', host: 'web1', certificate: 'public' },
    ],
  },
  {
    what: 'CertificateExpires warns a year before an internal certificate of five years runs out',
    series: internal(364, fiveYears),
    at: '20m',
    fires: [{ alertname: 'CertificateExpires', severity: 'warning', host: 'web2', certificate: 'nginx' }],
  },
  {
    what: 'CertificateExpires becomes critical three months before it runs out',
    series: internal(90, fiveYears),
    at: '20m',
    fires: [
      { alertname: 'CertificateExpires', severity: 'warning', host: 'web2', certificate: 'nginx' },
      { alertname: 'CertificateExpires', severity: 'critical', host: 'web2', certificate: 'nginx' },
    ],
  },
  {
    what: 'CertificateExpires goes on when it has run out',
    series: internal(-90, fiveYears),
    at: '20m',
    fires: [
      { alertname: 'CertificateExpires', severity: 'warning', host: 'web2', certificate: 'nginx' },
      { alertname: 'CertificateExpires', severity: 'critical', host: 'web2', certificate: 'nginx' },
    ],
  },
  {
    what: 'CertificateExpires warns of a short internal certificate that no run has renewed',
    series: internal(17, 90),
    at: '20m',
    fires: [{ alertname: 'CertificateExpires', severity: 'warning', host: 'web2', certificate: 'nginx' }],
  },
  {
    what: 'CertificateExpires does not fire while there is time, for a site whose runs are due too',
    series: {
      [publicExpiry]: atTwentyMinutes(11),
      ...internal(366, fiveYears),
      ...internal(19, 90, 'mysql'),
      ...internal(7 * 365, thirtyYears, 'ca'),
    },
    at: '20m',
    fires: [],
  },
  {
    what: 'AuthorityExpires warns six years before the internal CA runs out',
    series: internal(6 * 365 - 1, thirtyYears, 'ca'),
    at: '20m',
    fires: [{ alertname: 'AuthorityExpires', severity: 'warning', host: 'web2', certificate: 'ca' }],
  },
  {
    what: 'AuthorityExpires becomes critical a year and a half before',
    series: internal(500, thirtyYears, 'ca'),
    at: '20m',
    fires: [
      { alertname: 'AuthorityExpires', severity: 'warning', host: 'web2', certificate: 'ca' },
      { alertname: 'AuthorityExpires', severity: 'critical', host: 'web2', certificate: 'ca' },
    ],
  },
  {
    what: 'CertificatesUnknown fires for a host that says nothing of its certificates',
    interval: '5m',
    series: {
      'up{job="node", host="web1"}': '1x40',
      'up{job="node", host="web2"}': '1x40',
      'hostwright_certificate_not_after_seconds{host="web1", certificate="nginx"}': `${fiveYears * day}x40`,
      'hostwright_certificate_not_before_seconds{host="web1", certificate="nginx"}': '0x40',
    },
    at: '130m',
    fires: [{ alertname: 'CertificatesUnknown', severity: 'warning', host: 'web2' }],
  },
];
