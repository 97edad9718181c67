import type { Damage } from './damage.ts';

const apt = 'DEBIAN_FRONTEND=noninteractive apt-get -y -q';

/** What dpkg and apt say is there. */
export const packages: readonly Damage[] = [
  {
    what: 'a package purged',
    round: 4,
    host: 'web1',
    role: 'monitoring_agent',
    resource: 'package:prometheus-nginx-exporter',
    action: 'create',
    follows: [
      'file:/etc/default/prometheus-nginx-exporter create',
      'service:prometheus-nginx-exporter.service create',
    ],
    breaks: `${apt} purge prometheus-nginx-exporter`,
    sound: `timeout 5 bash -c 'exec 3<>/dev/tcp/10.213.99.11/9113'`,
  },
  {
    what: 'a package removed, its configuration left behind',
    round: 5,
    host: 'web3',
    role: 'monitoring_agent',
    resource: 'package:prometheus-mysqld-exporter',
    action: 'create',
    follows: ['service:prometheus-mysqld-exporter.service create'],
    breaks: `${apt} remove prometheus-mysqld-exporter`,
    sound: `timeout 5 bash -c 'exec 3<>/dev/tcp/10.213.99.13/9104'`,
  },
  {
    what: 'a package that dpkg has left half configured',
    round: 3,
    host: 'web2',
    role: 'base',
    resource: 'dpkg:system',
    action: 'update',
    seen: { unfinished: 'logrotate → none' },
    follows: ['package:logrotate update'],
    breaks: `sed -i '/^Package: logrotate$/,/^$/s/^Status: .*/Status: install ok half-configured/' /var/lib/dpkg/status`,
    sound: '[ -z "$(dpkg --audit)" ]',
  },
  {
    what: 'a package held at its version, and so kept from security upgrades',
    round: 4,
    host: 'web2',
    role: 'pki',
    resource: 'package:openssl',
    action: 'update',
    seen: { held: 'true → false' },
    breaks: 'apt-mark hold openssl',
    sound: '! apt-mark showhold | grep -qx openssl',
  },
  {
    what: 'a program removed that a service is reloaded with',
    round: 5,
    host: 'web1',
    role: 'haproxy',
    resource: 'package:socat',
    action: 'create',
    breaks: `${apt} remove socat`,
    sound: 'socat -V',
  },
];
