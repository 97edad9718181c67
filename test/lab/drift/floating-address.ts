import type { Damage } from './damage.ts';

const config = '/etc/keepalived/keepalived.conf';
const option = '/etc/default/keepalived';
const check = '/usr/local/lib/hostwright/haproxy-answers';
const dropIn = '/etc/systemd/system/keepalived.service.d/hostwright.conf';
const runs = `[ "$(systemctl is-active keepalived)" = active ] && [ -n "$(pgrep keepalived)" ]`;

const onService = (damage: Omit<Damage, 'host' | 'role' | 'resource'>): Damage => ({
  host: 'web1',
  role: 'floating_address',
  resource: 'service:keepalived.service',
  ...damage,
});

/** keepalived writes down what it has loaded when it is told to; its /tmp is its own. */
const saysPriority = (priority: number): string => `pid=$(systemctl show -p MainPID --value keepalived)
data=/proc/$pid/root/tmp/keepalived.data
rm -f "$data"; kill -USR1 "$pid"
for try in $(seq 50); do ! grep -qs 'Priority = ${priority}$' "$data" || exit 0; sleep 0.1; done
exit 1`;

/** The lab of the test that tries them, test/faults/balancers.test.ts: the compact site has one balancer. */
export const balancersSubnet = '10.213.114';
const peer = `${balancersSubnet}.12`;
const shared = `${balancersSubnet}.100`;

/** Of a balancer that shares an address with another one, web2, and does not have it. */
export const floatingAddress: readonly Damage[] = [
  {
    what: 'another priority in the configuration of keepalived',
    round: 1,
    host: 'web1',
    role: 'floating_address',
    resource: `file:${config}`,
    action: 'update',
    seen: { content: '' },
    follows: ['service:keepalived.service reload'],
    breaks: `sed -i 's/priority .*/priority 100/' ${config}`,
    sound: `grep -q 'priority 254$' ${config}`,
  },
  {
    what: 'the check of HAProxy that keepalived cannot run',
    round: 1,
    host: 'web1',
    role: 'floating_address',
    resource: `file:${check}`,
    action: 'update',
    seen: { mode: '0644 → 0755' },
    breaks: `chmod 0644 ${check}`,
    sound: check,
  },
  {
    what: 'a shell for the account of that check',
    round: 1,
    host: 'web1',
    role: 'floating_address',
    resource: 'user:keepalived_script',
    action: 'update',
    seen: { shell: '/bin/bash → /usr/sbin/nologin' },
    breaks: 'usermod --shell /bin/bash keepalived_script',
    sound: `getent passwd keepalived_script | grep -q ':/usr/sbin/nologin$'`,
  },
  {
    what: 'the rule for VRRP deleted',
    round: 1,
    host: 'web1',
    role: 'firewall',
    resource: 'ufw:firewall',
    action: 'update',
    breaks: `ufw delete allow from ${peer} proto vrrp`,
    sound: `iptables -S ufw-user-input | grep -q -- '-s ${peer}/32 .*-j ACCEPT'`,
  },
  onService({
    what: 'keepalived stopped',
    round: 2,
    action: 'update',
    seen: { running: 'false → true' },
    breaks: 'systemctl stop keepalived',
    sound: runs,
  }),
  {
    what: 'options of keepalived beside those of its unit',
    round: 2,
    host: 'web1',
    role: 'floating_address',
    resource: `file:${option}`,
    action: 'update',
    seen: { content: '' },
    breaks: `echo 'DAEMON_ARGS="--dont-fork --vrrp"' >${option}`,
    sound: `grep -qx 'DAEMON_ARGS=""' ${option}`,
  },
  onService({
    what: 'keepalived masked',
    round: 3,
    action: 'update',
    seen: { running: 'false → true', enabled: 'masked → true' },
    breaks: 'systemctl mask --now keepalived',
    sound: runs,
  }),
  onService({
    what: 'keepalived that hangs (SIGSTOP)',
    round: 4,
    action: 'update',
    seen: { healthy: '' },
    breaks: 'systemctl kill --signal=STOP keepalived',
    sound: `! cat $(printf '/proc/%s/status ' $(pgrep keepalived)) | grep -q '^State:.*T'`,
  }),
  onService({
    what: 'another priority loaded, and the file edited back',
    round: 5,
    action: 'reload',
    breaks: `cp -p ${config} /run/before
sed -i 's/priority .*/priority 100/' ${config}; systemctl reload keepalived; cp -p /run/before ${config}`,
    sound: saysPriority(254),
  }),
  {
    what: 'the sandbox of keepalived removed, and keepalived restarted',
    round: 6,
    host: 'web1',
    role: 'floating_address',
    resource: 'unit:keepalived.service.d/hostwright.conf',
    action: 'create',
    follows: ['service:keepalived.service restart'],
    breaks: `rm ${dropIn}; systemctl daemon-reload; systemctl restart keepalived`,
    sound: `grep -q 'NoNewPrivs:.*1' /proc/"$(systemctl show -p MainPID --value keepalived)"/status`,
  },
  onService({
    what: 'the address added by hand to a balancer that does not have it',
    round: 7,
    action: 'update',
    seen: { healthy: `has ${shared}, which somebody has added by hand → healthy` },
    breaks: `ip address add ${shared}/32 dev $(ip -4 route show default | awk '{ print $5; exit }')`,
    sound: `[ -z "$(ip -oneline address show to ${shared})" ]`,
  }),
];
