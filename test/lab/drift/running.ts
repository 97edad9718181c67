import type { Damage } from './damage.ts';

const answers = (port: number): string =>
  `timeout 3 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; printf "GET / HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n" >&3; IFS= read -r line <&3'`;

/** Nothing overrides the unit any more, as far as systemd knows. */
const plain = (unit: string, properties = 'DropInPaths'): string =>
  `! systemctl show -p ${properties} --value ${unit} | grep -qE '/(etc|run)/systemd/system(.control)?/.*(foreign|override|50-)'`;

/** The unit of a package is the one that counts. */
const ofPackage = (unit: string): string =>
  `systemctl show -p FragmentPath --value ${unit} | grep -q '^/usr/lib/'`;

const dropIn = (folder: string, lines: string): string =>
  `mkdir -p ${folder}; printf '[Service]\\n${lines}\\n' >${folder}/foreign.conf; systemctl daemon-reload`;

/** What runs, and is not what its files say: processes, effective units, what was loaded and edited back. */
export const running: readonly Damage[] = [
  {
    what: 'the workers of nginx stopped by a signal, while systemd calls it active',
    round: 7,
    host: 'web1',
    role: 'nginx',
    resource: 'service:nginx.service',
    action: 'update',
    seen: { healthy: '' },
    breaks: 'pkill -STOP -P "$(systemctl show -p MainPID --value nginx)"',
    sound: answers(8081),
  },
  {
    what: 'Prometheus frozen with systemctl freeze',
    round: 7,
    host: 'web1',
    role: 'monitoring_server',
    resource: 'service:prometheus.service',
    action: 'update',
    seen: { healthy: 'frozen → healthy' },
    breaks: 'systemctl freeze prometheus',
    sound: answers(9090),
  },
  {
    what: 'a service frozen through its control group',
    round: 7,
    host: 'web1',
    role: 'monitoring_server',
    resource: 'service:prometheus-alertmanager.service',
    action: 'update',
    seen: { healthy: 'frozen → healthy' },
    breaks: 'echo 1 >/sys/fs/cgroup/system.slice/prometheus-alertmanager.service/cgroup.freeze',
    sound: answers(9093),
  },
  {
    what: 'the application stopped by a signal',
    round: 7,
    host: 'web1',
    role: 'app',
    resource: 'service:visits.service',
    action: 'update',
    seen: { healthy: '' },
    breaks: 'kill -STOP "$(systemctl show -p MainPID --value visits)"',
    sound: answers(3000),
  },
  {
    what: 'a unit replaced in /run, and the service restarted',
    round: 7,
    host: 'web1',
    role: 'monitoring_server',
    resource: 'service:prometheus-blackbox-exporter.service',
    action: 'restart',
    breaks: `sed 's/^\\[Service\\]/&\\nNice=7/' /usr/lib/systemd/system/prometheus-blackbox-exporter.service >/run/systemd/system/prometheus-blackbox-exporter.service
systemctl daemon-reload; systemctl restart prometheus-blackbox-exporter`,
    sound: `${ofPackage('prometheus-blackbox-exporter')}
[ "$(ps -o ni= -p "$(systemctl show -p MainPID --value prometheus-blackbox-exporter)" | tr -d ' ')" = 0 ]`,
  },
  {
    what: 'a limit set at run time with systemctl set-property --runtime',
    round: 7,
    host: 'web1',
    role: 'monitoring_agent',
    resource: 'service:prometheus-nginx-exporter.service',
    action: 'update',
    seen: {
      overriddenBy:
        '/run/systemd/system.control/prometheus-nginx-exporter.service.d/50-TasksMax.conf → nothing',
    },
    breaks: 'systemctl set-property --runtime prometheus-nginx-exporter TasksMax=20',
    sound: plain('prometheus-nginx-exporter'),
  },
  {
    what: 'a unit replaced with systemctl edit --full, and the service restarted',
    round: 7,
    host: 'web1',
    role: 'monitoring_agent',
    resource: 'service:prometheus-node-exporter.service',
    action: 'restart',
    breaks: `sed 's/^\\[Service\\]/&\\nNice=7/' /usr/lib/systemd/system/prometheus-node-exporter.service |
  systemctl edit --full --stdin prometheus-node-exporter
systemctl restart prometheus-node-exporter`,
    sound: `${ofPackage('prometheus-node-exporter')}
[ "$(ps -o ni= -p "$(systemctl show -p MainPID --value prometheus-node-exporter)" | tr -d ' ')" = 0 ]`,
  },
  {
    what: 'a configuration edited, reloaded and edited back',
    round: 7,
    host: 'web1',
    role: 'haproxy',
    resource: 'service:haproxy.service',
    action: 'reload',
    breaks: `cp -p /etc/haproxy/haproxy.cfg /root/haproxy.cfg
sed -i '/^frontend http /a\\    bind 127.0.0.1:8998' /etc/haproxy/haproxy.cfg
systemctl reload haproxy
until timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8998' 2>/dev/null; do sleep 0.2; done
mv /root/haproxy.cfg /etc/haproxy/haproxy.cfg`,
    sound: `! timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8998' 2>/dev/null`,
  },
  {
    what: 'a drop-in for sshd, not in effect yet',
    round: 7,
    host: 'web1',
    role: 'base',
    resource: 'service:ssh.service',
    action: 'update',
    seen: { overriddenBy: '/etc/systemd/system/ssh.service.d/foreign.conf → nothing' },
    breaks: dropIn('/etc/systemd/system/ssh.service.d', 'Restart=no'),
    sound: plain('ssh'),
  },
  {
    what: 'a drop-in for the journal',
    round: 7,
    host: 'web1',
    role: 'base',
    resource: 'service:systemd-journald.service',
    action: 'update',
    seen: { overriddenBy: '/etc/systemd/system/systemd-journald.service.d/foreign.conf → nothing' },
    breaks: dropIn('/etc/systemd/system/systemd-journald.service.d', 'LimitNOFILE=100'),
    sound: plain('systemd-journald'),
  },
  {
    what: 'a timer made a monthly one with systemctl edit',
    round: 7,
    host: 'web1',
    role: 'base',
    resource: 'service:apt-daily.timer',
    action: 'update',
    seen: { overriddenBy: '/etc/systemd/system/apt-daily.timer.d/override.conf → nothing' },
    breaks: `printf '[Timer]\\nOnCalendar=\\nOnCalendar=monthly\\n' | systemctl edit --stdin apt-daily.timer`,
    sound: '! systemctl show -p TimersCalendar --value apt-daily.timer | grep -q "OnCalendar=\\*-\\*-01 "',
  },
  {
    what: 'a drop-in for the unit that a timer starts',
    round: 7,
    host: 'web1',
    role: 'certificate',
    resource: 'unit:hostwright-certificate.service',
    action: 'update',
    seen: { overriddenBy: '/etc/systemd/system/hostwright-certificate.service.d/foreign.conf → nothing' },
    breaks: dropIn(
      '/etc/systemd/system/hostwright-certificate.service.d',
      'ExecStart=\\nExecStart=/bin/true',
    ),
    sound: plain('hostwright-certificate'),
  },
  {
    what: 'another command for the database server in a drop-in',
    round: 7,
    host: 'web2',
    role: 'mysql',
    resource: 'service:mysql.service',
    action: 'update',
    seen: { overriddenBy: '/etc/systemd/system/mysql.service.d/foreign.conf → nothing' },
    breaks: dropIn(
      '/etc/systemd/system/mysql.service.d',
      'ExecStart=\\nExecStart=/usr/sbin/mysqld --skip-grant-tables',
    ),
    sound: plain('mysql'),
  },
  {
    what: 'a drop-in for all units whose names begin with prometheus-',
    round: 7,
    host: 'web2',
    role: 'monitoring_agent',
    resource: 'service:prometheus-node-exporter.service',
    action: 'update',
    seen: { overriddenBy: '/etc/systemd/system/prometheus-.service.d/foreign.conf → nothing' },
    follows: [
      'service:prometheus-nginx-exporter.service update',
      'service:prometheus-mysqld-exporter.service update',
    ],
    breaks: dropIn('/etc/systemd/system/prometheus-.service.d', 'Restart=no'),
    sound: plain('prometheus-node-exporter prometheus-nginx-exporter prometheus-mysqld-exporter'),
  },
  {
    what: 'a configuration edited, the service restarted, and the configuration edited back',
    round: 7,
    host: 'web2',
    role: 'nginx',
    resource: 'service:nginx.service',
    action: 'reload',
    breaks: `cp -p /etc/nginx/sites-available/app /root/app.conf
sed -i '0,/^  listen 8443/s//  listen 127.0.0.1:8997 ssl;\\n&/' /etc/nginx/sites-available/app
systemctl restart nginx
mv /root/app.conf /etc/nginx/sites-available/app`,
    sound: `! timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8997' 2>/dev/null`,
  },
  {
    what: 'the application frozen',
    round: 7,
    host: 'web2',
    role: 'app',
    resource: 'service:visits.service',
    action: 'update',
    seen: { healthy: 'frozen → healthy' },
    breaks: 'systemctl freeze visits',
    sound: answers(3000),
  },
  {
    what: 'a drop-in for sshd until the next boot',
    round: 7,
    host: 'web2',
    role: 'base',
    resource: 'service:ssh.service',
    action: 'update',
    seen: { overriddenBy: '/run/systemd/system/ssh.service.d/foreign.conf → nothing' },
    breaks: dropIn('/run/systemd/system/ssh.service.d', 'Restart=no'),
    sound: plain('ssh'),
  },
  {
    what: 'security upgrades put off by a drop-in of their timer',
    round: 7,
    host: 'web2',
    role: 'base',
    resource: 'service:apt-daily-upgrade.timer',
    action: 'update',
    seen: { overriddenBy: '/run/systemd/system/apt-daily-upgrade.timer.d/foreign.conf → nothing' },
    breaks: `mkdir -p /run/systemd/system/apt-daily-upgrade.timer.d
printf '[Timer]\\nOnCalendar=\\nOnCalendar=yearly\\n' >/run/systemd/system/apt-daily-upgrade.timer.d/foreign.conf
systemctl daemon-reload`,
    sound: plain('apt-daily-upgrade.timer'),
  },
  {
    what: 'an exporter stopped by a signal',
    round: 8,
    host: 'web3',
    role: 'monitoring_agent',
    resource: 'service:prometheus-node-exporter.service',
    action: 'update',
    seen: { healthy: '' },
    breaks: 'systemctl kill --signal=STOP prometheus-node-exporter',
    sound: `! grep -q '^State:.*T' /proc/"$(systemctl show -p MainPID --value prometheus-node-exporter)"/status`,
  },
  {
    what: 'a unit replaced with systemctl edit --full, with a process that runs as root',
    round: 8,
    host: 'web3',
    role: 'monitoring_agent',
    resource: 'service:prometheus-mysqld-exporter.service',
    action: 'restart',
    breaks: `sed 's/^User=.*/User=root/' /usr/lib/systemd/system/prometheus-mysqld-exporter.service |
  systemctl edit --full --stdin prometheus-mysqld-exporter
systemctl restart prometheus-mysqld-exporter`,
    sound: `${ofPackage('prometheus-mysqld-exporter')}
[ "$(stat -c %U /proc/"$(systemctl show -p MainPID --value prometheus-mysqld-exporter)")" = prometheus ]`,
  },
  {
    what: 'a sandbox weakened by a drop-in in /run, and the service restarted',
    round: 8,
    host: 'web3',
    role: 'nginx',
    resource: 'service:nginx.service',
    action: 'restart',
    breaks: `mkdir -p /run/systemd/system/nginx.service.d
printf '[Service]\\nNoNewPrivileges=no\\n' >/run/systemd/system/nginx.service.d/zz.conf
systemctl daemon-reload; systemctl restart nginx`,
    sound: `grep -q 'NoNewPrivs:.*1' /proc/"$(systemctl show -p MainPID --value nginx)"/status`,
  },
  {
    what: 'all processes of the application stopped',
    round: 8,
    host: 'web3',
    role: 'app',
    resource: 'service:visits.service',
    action: 'update',
    seen: { healthy: '' },
    breaks: 'systemctl kill --signal=STOP visits',
    sound: answers(3000),
  },
  {
    what: 'the memory of the database server limited with systemctl set-property',
    round: 8,
    host: 'web3',
    role: 'mysql',
    resource: 'service:mysql.service',
    action: 'update',
    seen: { overriddenBy: '/etc/systemd/system.control/mysql.service.d/50-MemoryHigh.conf → nothing' },
    breaks: 'systemctl set-property mysql MemoryHigh=4G',
    sound: plain('mysql'),
  },
  {
    what: 'options of a service edited, the service restarted, and the options edited back',
    round: 8,
    host: 'web3',
    role: 'monitoring_agent',
    resource: 'service:prometheus-nginx-exporter.service',
    action: 'restart',
    breaks: `cp -p /etc/default/prometheus-nginx-exporter /root/options
sed -i 's/^ARGS="/&--log.level=debug /' /etc/default/prometheus-nginx-exporter
systemctl restart prometheus-nginx-exporter
mv /root/options /etc/default/prometheus-nginx-exporter`,
    sound: `! grep -qz 'log.level=debug' /proc/"$(systemctl show -p MainPID --value prometheus-nginx-exporter)"/cmdline`,
  },
  {
    what: 'a whole timer replaced until the next boot',
    round: 8,
    host: 'web3',
    role: 'base',
    resource: 'service:apt-daily.timer',
    action: 'update',
    seen: { overriddenBy: '/run/systemd/system/apt-daily.timer → nothing' },
    breaks: `sed 's/^OnCalendar=.*/OnCalendar=yearly/' /usr/lib/systemd/system/apt-daily.timer >/run/systemd/system/apt-daily.timer
systemctl daemon-reload`,
    sound: ofPackage('apt-daily.timer'),
  },
  {
    what: 'a drop-in for sshd in /usr/local',
    round: 8,
    host: 'web3',
    role: 'base',
    resource: 'service:ssh.service',
    action: 'update',
    seen: { overriddenBy: '/usr/local/lib/systemd/system/ssh.service.d/foreign.conf → nothing' },
    breaks: dropIn('/usr/local/lib/systemd/system/ssh.service.d', 'Restart=no'),
    sound: `[ "$(systemctl show -p Restart --value ssh)" = on-failure ]`,
  },
  {
    what: 'a drop-in for the service that keeps the clock',
    round: 8,
    host: 'web3',
    role: 'base',
    resource: 'service:systemd-timesyncd.service',
    action: 'update',
    seen: { overriddenBy: '/etc/systemd/system/systemd-timesyncd.service.d/foreign.conf → nothing' },
    breaks: dropIn('/etc/systemd/system/systemd-timesyncd.service.d', 'ExecStart=\\nExecStart=/bin/true'),
    sound: plain('systemd-timesyncd'),
  },
  {
    what: 'the journal held back with systemctl set-property',
    round: 8,
    host: 'web3',
    role: 'base',
    resource: 'service:systemd-journald.service',
    action: 'update',
    seen: {
      overriddenBy: '/etc/systemd/system.control/systemd-journald.service.d/50-CPUWeight.conf → nothing',
    },
    breaks: 'systemctl set-property systemd-journald CPUWeight=1',
    sound: plain('systemd-journald'),
  },
  {
    what: 'a drop-in for all services',
    round: 8,
    host: 'web1',
    role: 'haproxy',
    resource: 'service:haproxy.service',
    action: 'update',
    seen: { overriddenBy: '/etc/systemd/system/service.d/foreign.conf → nothing' },
    follows: [
      'service:nginx.service update',
      'service:visits.service update',
      'service:haproxy-mysql.service update',
      'service:ssh.service update',
      'service:systemd-journald.service update',
      'service:systemd-timesyncd.service update',
      'service:unattended-upgrades.service update',
      'service:prometheus.service update',
      'service:prometheus-alertmanager.service update',
      'service:prometheus-blackbox-exporter.service update',
      'service:prometheus-node-exporter.service update',
      'service:prometheus-nginx-exporter.service update',
      'unit:hostwright-certificate.service update',
      'unit:hostwright-certificate-metrics.service update',
      'ufw:firewall update',
    ],
    breaks: dropIn('/etc/systemd/system/service.d', 'Restart=no'),
    sound: plain('haproxy nginx ssh prometheus'),
  },
];
