import type { ResourceId } from '../../../src/resources/state.ts';
import type { Damage } from './damage.ts';

/** What came into a folder of which a role owns all. */
interface Intrusion extends Pick<Damage, 'what' | 'round' | 'host' | 'role' | 'breaks' | 'follows'> {
  readonly folder: string;
  /** As the plan shows it. */
  readonly undeclared: string;
  /** The names that are to be gone; those that are shown, where they are all files. */
  readonly names?: readonly string[];
}

function intrusion({ folder, undeclared, names, ...damage }: Intrusion): Damage {
  const gone = names ?? undeclared.split(', ');
  const resource: ResourceId = `directory:${folder}`;
  return {
    ...damage,
    ...{ resource, action: 'update', seen: { undeclared: `${undeclared} → nothing` } },
    breaks: `cd ${folder}\n${damage.breaks}`,
    sound: gone.map((name) => `[ ! -e ${folder}/${name} ] && [ ! -L ${folder}/${name} ]`).join('\n'),
  };
}

const sshd = '/etc/ssh/sshd_config.d';
const journald = '/etc/systemd/journald.conf.d';
const timesyncd = '/etc/systemd/timesyncd.conf.d';
const pki = '/etc/hostwright/pki';
const none = 'printf "[Journal]\\nStorage=none\\n"';

const inFolders: readonly Intrusion[] = [
  {
    what: "the settings of a provider's image restored by hand, not loaded yet",
    ...{ round: 9, host: 'web1', role: 'base', folder: sshd, undeclared: '50-cloud-init.conf' },
    breaks: 'echo "PasswordAuthentication yes" >50-cloud-init.conf',
  },
  {
    what: 'an earlier drop-in of sshd, loaded',
    ...{ round: 10, host: 'web1', role: 'base', folder: sshd, undeclared: '00-a.conf' },
    follows: ['service:ssh.service reload'],
    breaks: 'echo "PasswordAuthentication yes" >00-a.conf; systemctl reload ssh',
  },
  {
    what: 'a drop-in of journald that keeps nothing, loaded',
    ...{ round: 9, host: 'web1', role: 'base', folder: journald, undeclared: 'zz.conf' },
    follows: ['service:systemd-journald.service restart'],
    breaks: `${none} >zz.conf; systemctl restart systemd-journald`,
  },
  {
    what: 'a backup of an editor beside the settings of journald',
    ...{ round: 10, host: 'web3', role: 'base', folder: journald, undeclared: 'hostwright.conf~' },
    breaks: 'cp hostwright.conf hostwright.conf~',
  },
  {
    what: 'time taken from somewhere else by a drop-in',
    ...{ round: 9, host: 'web1', role: 'base', folder: timesyncd, undeclared: 'zz.conf' },
    breaks: 'printf "[Time]\\nNTP=6.6.6.6\\n" >zz.conf',
  },
  {
    what: 'needrestart made to ask',
    ...{ round: 9, host: 'web2', role: 'base', folder: '/etc/needrestart/conf.d', undeclared: 'zz.conf' },
    breaks: `echo '$nrconf{restart} = "i";' >zz.conf`,
  },
  {
    what: 'the certificate and key of a former role',
    ...{ round: 9, host: 'web1', role: 'pki', folder: pki, undeclared: 'old.crt, old.key' },
    breaks: 'cp nginx.crt old.crt; cp nginx.key old.key',
  },
  {
    what: 'a hidden file among the certificates',
    ...{ round: 9, host: 'web2', role: 'pki', folder: pki, undeclared: '.ca.crt' },
    breaks: 'cp ca.crt .ca.crt',
  },
  {
    what: 'a link to a folder that everybody may write to among the certificates',
    ...{ round: 10, host: 'web3', role: 'pki', folder: pki, undeclared: 'tmp (link)', names: ['tmp'] },
    breaks: 'ln -s /var/tmp tmp',
  },
  {
    what: 'a site of somebody else, loaded',
    ...{ round: 9, host: 'web1', role: 'nginx', folder: '/etc/nginx/sites-enabled', undeclared: 'other' },
    follows: ['service:nginx.service reload'],
    breaks: 'echo "server { listen 127.0.0.1:8090; }" >other; systemctl reload nginx',
  },
  {
    what: 'a link to a site elsewhere, which nobody has loaded yet',
    ...{ round: 9, host: 'web2', role: 'nginx', folder: '/etc/nginx/sites-enabled' },
    ...{ undeclared: 'other (link)', names: ['other'] },
    breaks: 'ln -s /var/tmp/other other',
  },
  {
    what: 'the backup of an editor in a folder of which nginx reads every file',
    ...{ round: 10, host: 'web3', role: 'nginx', folder: '/etc/nginx/sites-enabled', undeclared: 'app~' },
    breaks: 'cp ../sites-available/app app~',
  },
  {
    what: 'a snippet that hides nothing from anybody, loaded',
    ...{ round: 10, host: 'web1', role: 'nginx', folder: '/etc/nginx/conf.d', undeclared: 'tokens.conf' },
    follows: ['service:nginx.service reload'],
    breaks: 'echo "underscores_in_headers on;" >tokens.conf; systemctl reload nginx',
  },
  {
    what: 'a folder of old snippets',
    ...{ round: 9, host: 'web2', role: 'nginx', folder: '/etc/nginx/conf.d' },
    ...{ undeclared: 'old/ (2 entries, 0 KiB)', names: ['old'] },
    breaks: 'mkdir old; echo "gzip on;" >old/a.conf; echo "gzip on;" >old/b.conf',
  },
  {
    what: 'a module that nobody has asked for',
    ...{ round: 9, host: 'web1', role: 'nginx', folder: '/etc/nginx/modules-enabled', undeclared: 'zz.conf' },
    breaks: 'echo "# load_module modules/evil.so;" >zz.conf',
  },
  {
    what: 'a file of snippets with a name that is no text',
    ...{ round: 10, host: 'web3', role: 'nginx', folder: '/etc/nginx/conf.d' },
    ...{ undeclared: String.raw`"a\xff.conf"`, names: ['a*.conf'] },
    breaks: String.raw`touch "$(printf 'a\377.conf')"`,
  },
  {
    what: 'a certificate of somebody else beside that of the site',
    ...{ round: 9, host: 'web1', role: 'haproxy', folder: '/etc/haproxy/certs', undeclared: 'other.pem' },
    breaks: 'cp site.pem other.pem',
  },
  {
    what: 'a backup of the certificate and its key',
    ...{ round: 10, host: 'web1', role: 'haproxy', folder: '/etc/haproxy/certs' },
    ...{ undeclared: 'site.pem.dpkg-old', names: ['site.pem.dpkg-old'] },
    breaks: 'cp site.pem site.pem.dpkg-old',
  },
  {
    what: 'a page of somebody else among those of HAProxy',
    ...{ round: 9, host: 'web1', role: 'haproxy', folder: '/etc/haproxy/errors', undeclared: 'new.html' },
    breaks: 'echo hello >new.html',
  },
  {
    what: 'a rule that silences, loaded',
    ...{ round: 9, host: 'web1', role: 'monitoring_server', folder: '/etc/prometheus/rules' },
    undeclared: 'zz.yml',
    follows: ['service:prometheus.service reload'],
    breaks: 'printf "groups: []\\n" >zz.yml; systemctl reload prometheus',
  },
  {
    what: 'a backup of the rules',
    ...{ round: 10, host: 'web1', role: 'monitoring_server', folder: '/etc/prometheus/rules' },
    undeclared: 'alerts.yml.dpkg-dist',
    breaks: 'cp alerts.yml alerts.yml.dpkg-dist',
  },
  {
    what: 'templates of messages that nobody declares',
    ...{ round: 9, host: 'web1', role: 'monitoring_server', folder: '/etc/alertmanager' },
    ...{ undeclared: 'templates/ (1 entry, 0 KiB)', names: ['templates'] },
    breaks: 'mkdir templates; echo x >templates/a.tmpl',
  },
  {
    what: 'a password in a file beside those of Alertmanager',
    ...{ round: 10, host: 'web1', role: 'monitoring_server', folder: '/etc/alertmanager' },
    undeclared: 'notes',
    breaks: 'echo secret >notes',
  },
  {
    what: 'what an editor has left of the settings of a prober',
    ...{ round: 9, host: 'web1', role: 'monitoring_server', folder: '/etc/blackbox' },
    undeclared: '.blackbox.yml.swp',
    breaks: 'cp blackbox.yml .blackbox.yml.swp',
  },
  {
    what: 'a link among the settings of the exporters',
    ...{ round: 9, host: 'web1', role: 'monitoring_agent', folder: '/etc/prometheus-exporters' },
    ...{ undeclared: 'web (link)', names: ['web'] },
    breaks: 'ln -s /var/tmp web',
  },
  {
    what: 'a copy of the login of an exporter',
    ...{ round: 9, host: 'web2', role: 'monitoring_agent', folder: '/etc/prometheus-exporters' },
    undeclared: 'mysqld.cnf.bak',
    breaks: 'cp mysqld.cnf mysqld.cnf.bak',
  },
  {
    what: 'settings of MySQL that allow logins without TLS, which it has not read yet',
    ...{ round: 9, host: 'web2', role: 'mysql', folder: '/etc/mysql/mysql.conf.d', undeclared: 'zzz.cnf' },
    breaks: 'printf "[mysqld]\\nrequire_secure_transport = OFF\\n" >zzz.cnf',
  },
  {
    what: 'settings of the server among those of its clients',
    ...{ round: 9, host: 'web2', role: 'mysql', folder: '/etc/mysql/conf.d', undeclared: 'tuning.cnf' },
    breaks: 'printf "[mysqld]\\nskip_grant_tables\\n" >tuning.cnf',
  },
];

const elsewhere: readonly Damage[] = [
  {
    what: 'a drop-in of journald where it lasts until the next boot',
    ...{ round: 9, host: 'web2', role: 'base', resource: 'directory:/run/systemd/journald.conf.d' },
    action: 'delete',
    follows: ['service:systemd-journald.service restart'],
    breaks: `mkdir -p /run/systemd/journald.conf.d; ${none} >/run/systemd/journald.conf.d/zz.conf
systemctl restart systemd-journald`,
    sound: '[ ! -e /run/systemd/journald.conf.d ]',
  },
  {
    what: 'a drop-in of journald in a folder of its own, loaded',
    ...{ round: 10, host: 'web3', role: 'base' },
    resource: 'directory:/usr/local/lib/systemd/journald.conf.d',
    action: 'delete',
    follows: ['service:systemd-journald.service restart'],
    breaks: `at=/usr/local/lib/systemd/journald.conf.d
mkdir -p $at; ${none} >$at/zz.conf; systemctl restart systemd-journald`,
    sound: '! systemd-analyze cat-config systemd/journald.conf | grep -q Storage=none',
  },
  {
    what: 'time taken from somewhere else until the next boot',
    ...{ round: 10, host: 'web3', role: 'base', resource: 'directory:/run/systemd/timesyncd.conf.d' },
    action: 'delete',
    breaks: `mkdir -p /run/systemd/timesyncd.conf.d
printf '[Time]\\nNTP=6.6.6.6\\n' >/run/systemd/timesyncd.conf.d/zz.conf`,
    sound: '! systemd-analyze cat-config systemd/timesyncd.conf | grep -q 6.6.6.6',
  },
  {
    what: 'the main file of journald edited, and journald restarted',
    ...{ round: 9, host: 'web1', role: 'base', resource: 'file:/etc/systemd/journald.conf' },
    ...{ action: 'update', seen: { content: '' }, follows: ['service:systemd-journald.service restart'] },
    breaks: 'echo ForwardToWall=yes >>/etc/systemd/journald.conf; systemctl restart systemd-journald',
    sound: '! systemd-analyze cat-config systemd/journald.conf | grep -q ^ForwardToWall',
  },
  {
    what: 'the main file of timesyncd edited',
    ...{ round: 9, host: 'web2', role: 'base', resource: 'file:/etc/systemd/timesyncd.conf' },
    ...{ action: 'update', seen: { content: '' } },
    breaks: 'echo FallbackNTP=6.6.6.6 >>/etc/systemd/timesyncd.conf',
    sound: '! systemd-analyze cat-config systemd/timesyncd.conf | grep -q 6.6.6.6',
  },
  {
    what: 'the Include removed from sshd_config, and sshd reloaded',
    ...{ round: 9, host: 'web2', role: 'base', resource: 'file:/etc/ssh/sshd_config' },
    ...{ action: 'update', seen: { content: '' }, follows: ['service:ssh.service reload'] },
    breaks: "sed -i '/^Include/d' /etc/ssh/sshd_config; systemctl reload ssh",
    sound: 'sshd -T | grep -qx "passwordauthentication no"',
  },
  {
    what: 'a Match block that lets somebody in by password, loaded',
    ...{ round: 10, host: 'web1', role: 'base', resource: 'file:/etc/ssh/sshd_config' },
    ...{ action: 'update', seen: { content: '' }, follows: ['service:ssh.service reload'] },
    breaks: `printf 'Match User anna\\n  PasswordAuthentication yes\\n' >>/etc/ssh/sshd_config
systemctl reload ssh`,
    sound: 'sshd -T -C user=anna,host=x,addr=10.0.0.1 | grep -qx "passwordauthentication no"',
  },
  {
    what: 'an option on the command line of sshd, and sshd restarted',
    ...{ round: 10, host: 'web3', role: 'base', resource: 'file:/etc/default/ssh' },
    ...{ action: 'update', seen: { content: '' }, follows: ['service:ssh.service restart'] },
    breaks: `echo 'SSHD_OPTS="-o PasswordAuthentication=yes"' >/etc/default/ssh; systemctl restart ssh`,
    sound: '! tr "\\0" " " <"/proc/$(systemctl show -p MainPID --value ssh)/cmdline" | grep -q PasswordAuth',
  },
  {
    what: 'another main file of HAProxy named in /etc/default, and HAProxy restarted',
    ...{ round: 9, host: 'web1', role: 'haproxy', resource: 'file:/etc/default/haproxy' },
    ...{ action: 'update', seen: { content: '' }, follows: ['service:haproxy.service restart'] },
    breaks: `cp /etc/haproxy/haproxy.cfg /etc/haproxy/other.cfg
echo 'CONFIG=/etc/haproxy/other.cfg' >/etc/default/haproxy; systemctl restart haproxy; rm /etc/haproxy/other.cfg`,
    sound: '! tr "\\0" " " <"/proc/$(systemctl show -p MainPID --value haproxy)/cmdline" | grep -q other.cfg',
  },
  {
    what: 'nginx.conf made to include a folder of somebody else, and nginx reloaded',
    ...{ round: 10, host: 'web1', role: 'nginx', resource: 'file:/etc/nginx/nginx.conf' },
    ...{ action: 'update', seen: { content: '' }, follows: ['service:nginx.service reload'] },
    breaks: `sed -i 's|^  include /etc/nginx/conf.d|  include /var/tmp/*.nginx;\\n&|' /etc/nginx/nginx.conf
systemctl reload nginx`,
    sound: '! nginx -T 2>/dev/null | grep -q var/tmp',
  },
  {
    what: 'the main file of MySQL pointed elsewhere',
    ...{ round: 10, host: 'web3', role: 'mysql', resource: 'link:/etc/alternatives/my.cnf' },
    ...{ action: 'update', seen: { to: '/var/tmp/my.cnf → /etc/mysql/mysql.cnf' } },
    follows: ['service:mysql.service restart'],
    breaks: 'ln -sfn /var/tmp/my.cnf /etc/alternatives/my.cnf',
    sound: '[ "$(readlink -f /etc/mysql/my.cnf)" = /etc/mysql/mysql.cnf ]',
  },
  {
    what: 'a main file of MySQL where Debian has none',
    ...{ round: 9, host: 'web2', role: 'mysql', resource: 'file:/etc/my.cnf', action: 'delete' },
    breaks: "printf '[mysqld]\\nlocal_infile = ON\\n' >/etc/my.cnf",
    sound: '! my_print_defaults mysqld | grep -q local.infile=ON',
  },
  {
    what: "the settings of Debian's package edited",
    ...{ round: 10, host: 'web3', role: 'mysql', resource: 'file:/etc/mysql/mysql.conf.d/mysqld.cnf' },
    ...{ action: 'update', seen: { content: '' }, follows: ['service:mysql.service restart'] },
    breaks: "echo 'init_file = /var/tmp/evil.sql' >>/etc/mysql/mysql.conf.d/mysqld.cnf",
    sound: '! grep -q evil /etc/mysql/mysql.conf.d/mysqld.cnf',
  },
];

/** Files that others put into the folders that services read, and main files that lead elsewhere. */
export const folders: readonly Damage[] = [...inFolders.map(intrusion), ...elsewhere];
