import type { GroupDamage } from './group-damage.ts';

const settings = '/etc/mysql/mysql.conf.d/zz-hostwright.cnf';

const say = (statements: string): string => `mysql --no-defaults -e "${statements}"`;
const asked = (question: string, answer: string): string =>
  `test "$(mysql --no-defaults -BNe "${question}")" = '${answer}'`;
const isOnline = asked(
  'SELECT MEMBER_STATE FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid',
  'ONLINE',
);

/** Of a group whose writes web2 takes. What is done together leaves a majority. */
export const groupReplicationDamages: readonly (readonly GroupDamage[])[] = [
  [
    {
      what: 'a member that was told to leave, and not to come back',
      host: 'web3',
      breaks: `systemctl --quiet disable --now mysql-join.timer
${say('STOP GROUP_REPLICATION')}`,
      shown: ['mysql_group_member:web3 update', 'service:mysql-join.timer update'],
      words: 'OFFLINE',
      sound: `systemctl --quiet is-active mysql-join.timer; ${isOnline}`,
    },
    {
      what: 'another patience with silent members',
      host: 'web4',
      breaks: say('SET GLOBAL group_replication_member_expel_timeout = 60'),
      shown: ['mysql_settings:mysql update'],
      words: 'group_replication_member_expel_timeout',
      sound: asked('SELECT @@group_replication_member_expel_timeout', '0'),
    },
    {
      what: 'a member that would begin another group',
      host: 'web2',
      breaks: say('SET GLOBAL group_replication_bootstrap_group = ON'),
      shown: ['mysql_settings:mysql update'],
      words: 'group_replication_bootstrap_group',
      sound: asked('SELECT @@group_replication_bootstrap_group', '0'),
    },
  ],
  [
    {
      what: 'a server stopped and disabled',
      host: 'web4',
      breaks: 'systemctl --quiet disable --now mysql',
      shown: [
        'mysql_group_member:web4 create',
        'mysql_settings:mysql create',
        'service:mysql.service update',
      ],
      sound: `systemctl --quiet is-enabled mysql; ${isOnline}`,
    },
    {
      what: 'a member opened for writes beside the one that takes them',
      host: 'web3',
      breaks: say('SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF'),
      shown: ['mysql_group_member:web3 update'],
      words: 'taken beside the primary',
      sound: asked('SELECT @@super_read_only', '1'),
    },
    {
      what: 'the rules of the firewall for the database removed',
      host: 'web2',
      breaks: `for from in $(ufw status | awk '$1 == "3306/tcp" { print $3 }'); do
  ufw delete allow proto tcp from "$from" to any port 3306
done >/dev/null`,
      shown: ['ufw:firewall update'],
      words: '3306/tcp',
      sound: `iptables -S ufw-user-input | grep -q 'dport 3306 -j ACCEPT'`,
    },
  ],
  [
    {
      what: 'a line added to the settings of a server',
      host: 'web3',
      breaks: `echo 'group_replication_autorejoin_tries = 0' >>${settings}`,
      shown: [`file:${settings} update`],
      sound: `! grep -q 'autorejoin_tries = 0' ${settings}`,
    },
    {
      what: 'a member that has forgotten how it logs in to the others',
      host: 'web4',
      breaks: say(
        "CHANGE REPLICATION SOURCE TO SOURCE_USER = '', SOURCE_PASSWORD = '' FOR CHANNEL 'group_replication_recovery'",
      ),
      shown: ['mysql_group_member:web4 update'],
      sound: asked(
        "SELECT COUNT(*) FROM mysql.slave_master_info WHERE Channel_name = 'group_replication_recovery' AND User_name <> ''",
        '1',
      ),
    },
  ],
];
