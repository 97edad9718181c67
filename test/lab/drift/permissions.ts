import { grants, hasNoAcl } from './access.ts';
import type { Damage } from './damage.ts';

type Slot = Omit<Damage, 'role' | 'action' | 'resource'> &
  Partial<Pick<Damage, 'role' | 'resource'>> & { readonly path?: string; readonly group?: string };

const mode = (path: string, bits: string): string => `[ "$(stat -c %a ${path})" = ${bits} ]`;

/** Owner and mode of what packages and services make. */
const paths: readonly Slot[] = [
  {
    what: 'the hashes of all passwords readable for every user',
    round: 17,
    host: 'web1',
    path: '/etc/shadow',
    seen: { mode: '0644 → at most 0640' },
    breaks: 'chmod 0644 /etc/shadow',
    sound: '! su -s /bin/sh -c "cat /etc/shadow" nobody',
  },
  {
    what: 'a host key of sshd readable for a group',
    round: 17,
    host: 'web1',
    path: '/etc/ssh/ssh_host_ed25519_key',
    seen: { mode: '0640 → at most 0600' },
    breaks: 'chmod 0640 /etc/ssh/ssh_host_ed25519_key',
    sound: mode('/etc/ssh/ssh_host_ed25519_key', '600'),
  },
  {
    what: 'the folder of the configuration of HAProxy writable for every user',
    round: 17,
    host: 'web1',
    role: 'haproxy',
    path: '/etc/haproxy',
    seen: { mode: '0777 → at most 0755' },
    breaks: 'chmod 0777 /etc/haproxy',
    sound: '! su -s /bin/sh -c "test -w /etc/haproxy" nobody',
  },
  {
    what: 'the keys of the public certificate where every user can enter',
    round: 17,
    host: 'web1',
    role: 'certificate',
    path: '/var/lib/hostwright/certificate',
    seen: { mode: '4711 → at most 0700' },
    breaks: 'chmod 4711 /var/lib/hostwright/certificate',
    sound: mode('/var/lib/hostwright/certificate', '700'),
  },
  {
    what: 'the data of Prometheus given to root',
    round: 17,
    host: 'web1',
    role: 'monitoring_server',
    path: '/var/lib/prometheus/metrics2',
    seen: { owner: 'root → prometheus', group: 'root → prometheus' },
    breaks: 'chown root:root /var/lib/prometheus/metrics2',
    sound: 'su -s /bin/sh -c "test -w /var/lib/prometheus/metrics2" prometheus',
  },
  {
    what: 'the data of MySQL open to every user',
    round: 17,
    host: 'web2',
    role: 'mysql',
    path: '/var/lib/mysql',
    seen: { mode: '0777 → at most 0750' },
    breaks: 'chmod 0777 /var/lib/mysql',
    sound: '! su -s /bin/sh -c "ls /var/lib/mysql" nobody',
  },
  {
    what: 'the home directory of root open to every user',
    round: 17,
    host: 'web2',
    path: '/root',
    seen: { mode: '0755 → at most 0700' },
    breaks: 'chmod 0755 /root',
    sound: mode('/root', '700'),
  },
  {
    what: 'a login of a database package shown to another user by an ACL',
    round: 17,
    host: 'web2',
    role: 'mysql',
    path: '/etc/mysql/debian.cnf',
    seen: { acl: 'user:nobody:r-- → ', mode: '0640 → at most 0600' },
    breaks: grants('/etc/mysql/debian.cnf', {
      access: 'user::rw-,user:nobody:r--,group::---,mask::r--,other::---',
    }),
    sound: hasNoAcl('/etc/mysql/debian.cnf'),
  },
  {
    what: 'the list of all accounts writable for every user',
    round: 18,
    host: 'web3',
    path: '/etc/passwd',
    seen: { mode: '0666 → at most 0644' },
    breaks: 'chmod 0666 /etc/passwd',
    sound: '! su -s /bin/sh -c "test -w /etc/passwd" nobody',
  },
  {
    what: 'the main file of sudo readable for every user',
    round: 18,
    host: 'web3',
    path: '/etc/sudoers',
    seen: { mode: '0444 → at most 0440' },
    breaks: 'chmod 0444 /etc/sudoers',
    sound: mode('/etc/sudoers', '440'),
  },
  {
    what: 'a host key of sshd given to another user',
    round: 18,
    host: 'web3',
    path: '/etc/ssh/ssh_host_rsa_key',
    seen: { owner: 'nobody → root' },
    breaks: 'chown nobody /etc/ssh/ssh_host_rsa_key',
    sound: '[ "$(stat -c %U /etc/ssh/ssh_host_rsa_key)" = root ]',
  },
  {
    what: 'the folder of the configuration of nginx writable for every user',
    round: 18,
    host: 'web3',
    role: 'nginx',
    path: '/etc/nginx',
    seen: { mode: '0777 → at most 0755' },
    breaks: 'chmod 0777 /etc/nginx',
    sound: mode('/etc/nginx', '755'),
  },
  {
    what: 'the logs of nginx writable for every user',
    round: 18,
    host: 'web3',
    role: 'nginx',
    path: '/var/log/nginx',
    seen: { mode: '0777 → at most 0755' },
    breaks: 'chmod 0777 /var/log/nginx',
    sound: '! su -s /bin/sh -c "test -w /var/log/nginx" nobody',
  },
  {
    what: 'the logs of MySQL open to every user',
    round: 18,
    host: 'web2',
    role: 'mysql',
    path: '/var/log/mysql',
    seen: { mode: '0755 → at most 2750' },
    breaks: 'chmod 0755 /var/log/mysql',
    sound: '! su -s /bin/sh -c "ls /var/log/mysql" nobody',
  },
  {
    what: 'the data of the application open to every user',
    round: 18,
    host: 'web2',
    role: 'app',
    path: '/var/lib/visits',
    seen: { mode: '0777 → at most 0750' },
    breaks: 'chmod 0777 /var/lib/visits',
    sound: '! su -s /bin/sh -c "ls /var/lib/visits" nobody',
  },
  {
    what: 'the folder of units writable for a group',
    round: 18,
    host: 'web2',
    path: '/etc/systemd/system',
    seen: { mode: '0775 → at most 0755' },
    breaks: 'chmod 0775 /etc/systemd/system',
    sound: mode('/etc/systemd/system', '755'),
  },
  {
    what: 'the former hashes of passwords shown to a group by an ACL',
    round: 18,
    host: 'web2',
    path: '/etc/shadow-',
    seen: { acl: 'group:games:r-- → ' },
    breaks: grants('/etc/shadow-', { access: 'user::rw-,group::r--,group:games:r--,mask::r--,other::---' }),
    sound: hasNoAcl('/etc/shadow-'),
  },
];

const isIn = (group: string): string => `id -nG nobody | grep -qw ${group}`;

/** Who is in a group that reads secrets, or may become root. */
const members: readonly Slot[] = [
  {
    what: 'another user in the group of the application',
    round: 17,
    host: 'web1',
    role: 'app',
    group: 'visits',
    seen: { undeclared: 'nobody → nothing' },
    breaks: 'gpasswd -a nobody visits',
    sound: `! ${isIn('visits')}`,
  },
  {
    what: 'another user in the group that may become root',
    round: 17,
    host: 'web2',
    group: 'sudo',
    seen: { undeclared: 'nobody → nothing' },
    breaks: 'gpasswd -a nobody sudo',
    sound: `! ${isIn('sudo')}`,
  },
  {
    what: 'another user in the group that reads the key of MySQL',
    round: 17,
    host: 'web2',
    role: 'pki',
    group: 'mysql',
    seen: { undeclared: 'nobody → nothing' },
    breaks: 'gpasswd -a nobody mysql',
    sound: `! ${isIn('mysql')}`,
  },
  {
    what: 'the group that reads passwords made the primary group of another user',
    round: 17,
    host: 'web2',
    group: 'shadow',
    seen: { undeclared: 'games (its primary group) → nothing' },
    breaks: 'usermod -g shadow games',
    sound: '! id -nG games | grep -qw shadow',
  },
  {
    what: 'another group with the number of one that reads logs, and a member',
    round: 18,
    host: 'web2',
    group: 'adm',
    seen: { undeclared: 'nobody (in helpers of the same number) → nothing' },
    breaks: 'getent group helpers || groupadd -o -g 4 helpers; gpasswd -a nobody helpers',
    sound: '! id -G nobody | grep -qw 4',
  },
  {
    what: 'somebody else who may add members to the group that may become root',
    round: 18,
    host: 'web3',
    group: 'sudo',
    seen: { undeclared: 'nobody (its administrator) → nothing' },
    breaks: 'gpasswd -A nobody sudo',
    sound: '[ -z "$(getent gshadow sudo | cut -d: -f3)" ]',
  },
  {
    what: 'a password that lets everybody into the group that reads disks',
    round: 18,
    host: 'web3',
    group: 'disk',
    seen: { undeclared: 'everybody with its password → nothing' },
    breaks: "echo 'disk:secret' | chgpasswd",
    sound: '! getent gshadow disk | grep -qF "$"',
  },
];

const evil = (name: string): string =>
  `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBl2AbRmEN7dWkWcylQlQqYj8FhTHDnoFoK6jp/LGw${name} ${name}@evil`;

/** Rules of sudo and keys that nobody declares. */
const entries: readonly Slot[] = [
  {
    what: 'a rule of sudo for another user in a file of its own',
    round: 17,
    host: 'web1',
    resource: 'directory:/etc/sudoers.d',
    seen: { undeclared: 'zz → nothing' },
    breaks: `echo 'nobody ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/zz; chmod 0440 /etc/sudoers.d/zz`,
    sound: '! sudo -l -U nobody | grep -q NOPASSWD',
  },
  {
    what: 'the key of somebody else added to those of root',
    round: 17,
    host: 'web1',
    resource: 'authorized_keys:root',
    seen: { undeclared: 'SHA256:AhDBgB4AT0a3K4f4DNlTycPJ+nm4elqZY7bIZUo6KOM aa@evil → nothing' },
    breaks: `mkdir -p -m 0700 /root/.ssh; echo '${evil('aa')}' >>/root/.ssh/authorized_keys`,
    sound: '! grep -qs @evil /root/.ssh/authorized_keys',
  },
  {
    what: 'the key of somebody else added to those of an admin',
    round: 17,
    host: 'web2',
    resource: 'authorized_keys:anna',
    seen: { undeclared: 'SHA256:yY6Ati+y91K5I/WvdAKos8PB0HHMo8cdNI90THQAzfQ bb@evil → nothing' },
    breaks: `echo 'restrict ${evil('bb')}' >>/home/anna/.ssh/authorized_keys`,
    sound: '! grep -qs @evil /home/anna/.ssh/authorized_keys',
  },
  {
    what: 'the key of somebody else for root in authorized_keys2',
    round: 18,
    host: 'web3',
    resource: 'authorized_keys:root',
    seen: {
      undeclared:
        'SHA256:PgxKSiLfztJPVQBa4jDESOAyA5EhLo8hSwRAeONQa9M cc@evil (in authorized_keys2) → nothing',
    },
    breaks: `mkdir -p -m 0700 /root/.ssh; echo '${evil('cc')}' >/root/.ssh/authorized_keys2`,
    sound: '! grep -qs @evil /root/.ssh/authorized_keys2',
  },
];

/** Owners, modes, members, rules and keys of what no role makes, but somebody could become root or read a secret by. */
export const permissions: readonly Damage[] = [...paths, ...members, ...entries].map(
  ({ path, group, resource, ...slot }) => ({
    role: 'base',
    action: 'update',
    resource: resource ?? (group === undefined ? `permissions:${path ?? ''}` : `group:${group}`),
    ...slot,
  }),
);
