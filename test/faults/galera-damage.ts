import type { GroupDamage } from './group-damage.ts';

const settings = '/etc/mysql/mariadb.conf.d/zz-hostwright.cnf';

const asked = (question: string, answer: string): string =>
  `test "$(mariadb -BNe "${question}")" = '${answer}'`;

/** What is done together leaves a majority. */
export const galeraDamages: readonly (readonly GroupDamage[])[] = [
  [
    {
      what: 'the arbitrator stopped',
      host: 'web1',
      breaks: 'systemctl stop garb',
      shown: ['service:garb.service update'],
      sound: 'systemctl --quiet is-active garb',
    },
    {
      what: 'a member that lets the others run ahead',
      host: 'web2',
      breaks: 'mariadb -e "SET GLOBAL wsrep_desync = ON"',
      shown: ['mysql_settings:mariadb update'],
      words: 'wsrep_desync',
      sound: asked('SELECT @@wsrep_desync', '0'),
    },
    {
      what: 'a line added to the settings of a server',
      host: 'web3',
      breaks: `echo 'wsrep_retry_autocommit = 3' >>${settings}`,
      shown: [`file:${settings} update`],
      sound: `! grep -q wsrep_retry_autocommit ${settings}`,
    },
  ],
  [
    {
      what: 'a server stopped and disabled',
      host: 'web3',
      breaks: 'systemctl --quiet disable --now mariadb',
      shown: ['galera_member:web3 create', 'mysql_settings:mariadb create', 'service:mariadb.service update'],
      sound: `systemctl --quiet is-enabled mariadb; ${asked('SELECT @@wsrep_on', '1')}`,
    },
    {
      what: 'the settings of the arbitrator edited',
      host: 'web1',
      breaks: `sed -i 's/^GALERA_GROUP=.*/GALERA_GROUP="other"/' /etc/default/garb`,
      shown: ['file:/etc/default/garb update', 'service:garb.service restart'],
      sound: `! grep -q other /etc/default/garb`,
    },
    {
      what: 'the rules of the firewall for the cluster removed',
      host: 'web2',
      breaks: `for from in $(ufw status | awk '$1 == "4567/tcp" { print $3 }'); do
  ufw delete allow proto tcp from "$from" to any port 4567
done >/dev/null`,
      shown: ['ufw:firewall update'],
      words: '4567/tcp',
      sound: `iptables -S ufw-user-input | grep -q 'dport 4567 -j ACCEPT'`,
    },
  ],
  [
    {
      what: 'a server made read-only',
      host: 'web2',
      breaks: 'mariadb -e "SET GLOBAL read_only = ON"',
      shown: ['galera_member:web2 update'],
      words: 'readOnly',
      sound: asked('SELECT @@read_only', '0'),
    },
    {
      what: 'the arbitrator not started at boot',
      host: 'web1',
      breaks: 'systemctl --quiet disable garb',
      shown: ['service:garb.service update'],
      sound: 'systemctl --quiet is-enabled garb',
    },
    {
      what: 'what answers proxies stopped',
      host: 'web3',
      breaks: 'systemctl --quiet disable --now mysql-writer.socket mysql-writer.service',
      shown: ['service:mysql-writer.service update', 'service:mysql-writer.socket update'],
      sound: 'systemctl --quiet is-active mysql-writer.socket',
    },
  ],
];
