import { subnet, type Damage } from './damage.ts';

/** As root through the socket, by standard input. */
const sql = (statements: string): string => `mysql -N <<'SQL'\n${statements};\nSQL\n`;
const says = (query: string, answer: string): string => `[ "$(${sql(query)})" = '${answer}' ]`;

/** Whether somebody answers an HTTP request at a port. */
const isAnswered = (address: string, port: number): string =>
  `[ -n "$(timeout 5 bash -c 'exec 3<>/dev/tcp/${address}/${port}; printf "GET /writer HTTP/1.0\\r\\n\\r\\n" >&3; head -n 1 <&3')" ]`;

/** A database greets who connects through the proxy. */
const isGreeted = `[ -n "$(timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/3307; head -c 1 <&3 | od -An -c')" ]`;

/** Who takes writes, who waits for whom, and how applications find out. */
export const databaseSwitch: readonly Damage[] = [
  {
    what: 'a primary whose commits wait for no replica',
    round: 19,
    host: 'web2',
    role: 'mysql',
    resource: 'mysql_primary:web2',
    action: 'update',
    seen: { semiSync: 'off → on' },
    breaks: sql('SET GLOBAL rpl_semi_sync_source_enabled = OFF'),
    sound: says('SELECT @@global.rpl_semi_sync_source_enabled', '1'),
  },
  {
    what: 'the unit that opens a primary stopped and disabled',
    round: 19,
    host: 'web2',
    role: 'mysql',
    resource: 'service:mysql-open.service',
    action: 'update',
    seen: { running: 'false → true', enabled: 'false → true' },
    breaks: 'systemctl disable --now mysql-open.service',
    sound:
      'systemctl -q is-active mysql-open.service && test -L /etc/systemd/system/mysql.service.wants/mysql-open.service',
  },
  {
    what: 'rights taken from the account that asks who takes writes',
    round: 19,
    host: 'web2',
    role: 'mysql',
    resource: `mysql_user:observer@${subnet}.13`,
    action: 'update',
    seen: { grants: '' },
    breaks: sql(`REVOKE SELECT ON \`performance\\_schema\`.* FROM 'observer'@'${subnet}.13'`),
    sound: says(
      `SELECT COUNT(*) FROM mysql.db WHERE User = 'observer' AND Host = '${subnet}.13' AND Select_priv = 'Y'`,
      '1',
    ),
  },
  {
    what: 'a relay log that is not on disk when it is acknowledged',
    round: 19,
    host: 'web3',
    role: 'mysql',
    resource: 'mysql_settings:mysql',
    action: 'update',
    seen: { sync_relay_log: '10000 → 1' },
    breaks: sql('SET GLOBAL sync_relay_log = 10000'),
    sound: says('SELECT @@global.sync_relay_log', '1'),
  },
  {
    what: 'a replica that administrators can write to',
    round: 19,
    host: 'web3',
    role: 'mysql',
    resource: 'mysql_replica:web2',
    action: 'update',
    seen: { readOnly: 'false → true' },
    breaks: sql('SET GLOBAL super_read_only = OFF'),
    sound: says('SELECT @@global.super_read_only', '1'),
  },
  {
    what: 'the socket stopped where proxies ask who takes writes',
    round: 19,
    host: 'web3',
    role: 'mysql',
    resource: 'service:mysql-writer.socket',
    action: 'update',
    seen: { running: 'false → true' },
    follows: ['service:mysql-writer.service update'],
    breaks: 'systemctl stop mysql-writer.service mysql-writer.socket',
    sound: isAnswered(`${subnet}.13`, 9200),
  },
  {
    what: 'a primary whose commits give up soon',
    round: 20,
    host: 'web2',
    role: 'mysql',
    resource: 'mysql_primary:web2',
    action: 'update',
    seen: { semiSync: 'gives up after 77 ms → on' },
    breaks: sql('SET GLOBAL rpl_semi_sync_source_timeout = 77'),
    sound: says('SELECT @@global.rpl_semi_sync_source_timeout', '10000'),
  },
  {
    what: 'the unit that opens a primary replaced by one that opens always',
    round: 20,
    host: 'web2',
    role: 'mysql',
    resource: 'service:mysql-open.service',
    action: 'update',
    seen: { overriddenBy: '/run/systemd/system/mysql-open.service.d/always.conf → nothing' },
    breaks: `mkdir -p /run/systemd/system/mysql-open.service.d
printf '[Service]\\nExecStart=\\nExecStart=/bin/true\\n' >/run/systemd/system/mysql-open.service.d/always.conf
systemctl daemon-reload`,
    sound: '! systemctl show -P ExecStart mysql-open.service | grep -q /bin/true',
  },
  {
    what: 'a proxy of the databases that is paused',
    round: 20,
    host: 'web2',
    role: 'database_proxy',
    resource: 'service:haproxy-mysql.service',
    action: 'update',
    seen: { healthy: '' },
    breaks:
      'systemctl kill --signal=STOP haproxy-mysql.service; until grep -q "State:.*T" /proc/$(systemctl show -P MainPID haproxy-mysql)/status; do sleep 0.1; done',
    sound: isGreeted,
  },
  {
    what: 'a proxy of the databases that asks a stranger',
    round: 20,
    host: 'web1',
    role: 'database_proxy',
    resource: 'file:/etc/haproxy-mysql/haproxy.cfg',
    action: 'update',
    seen: { content: '' },
    follows: ['service:haproxy-mysql.service reload'],
    breaks: 'sed -i "s/server web2 [^ ]*/server web2 192.0.2.66:3306/" /etc/haproxy-mysql/haproxy.cfg',
    sound: '! grep -q 192.0.2.66 /etc/haproxy-mysql/haproxy.cfg',
  },
];
