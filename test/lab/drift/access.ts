import type { Damage } from './damage.ts';

type Slot = Omit<Damage, 'role' | 'action'> & Partial<Pick<Damage, 'role' | 'action'>>;

const key = 'authorized_key:anna SHA256:5dOJtR7Vx/QwFTHeq+SHDbXqNrKWn5T6f8xytraolrE';
const ssh = '/home/anna/.ssh';
const required = '^# End required lines';

/** Gives a path an ACL as `setfacl` does, which the hosts do not have. */
export function grants(path: string, entries: Readonly<Record<string, string>>): string {
  const options = Object.entries(entries).map(
    ([of, acl]) => `SCHILY.acl.${of}:=${acl.replaceAll(',', '\n')}`,
  );
  return `tar -C / --acls --format=posix --pax-option="${options.join(',')}" --no-recursion -cf /root/acl.tar ${path.slice(1)}
tar -C / --acls -xpf /root/acl.tar
rm /root/acl.tar`;
}

export function hasNoAcl(path: string): string {
  return `case $(ls -ld ${path}) in ??????????+*) exit 1 ;; esac`;
}

/** Users, their keys and what lets them in. */
const accounts: readonly Slot[] = [
  {
    what: 'a second account with the number of root',
    round: 13,
    host: 'web1',
    resource: 'user:root',
    seen: { sharesUid: 'toor → nothing' },
    follows: ['group:root update'],
    breaks: 'useradd -o -u 0 -g 0 -M -d /root toor',
    sound: '[ "$(grep -c "^[^:]*:[^:]*:0:" /etc/passwd)" -eq 1 ]',
  },
  {
    what: 'somebody who is to be gone made again, with a process that does not end when asked to',
    round: 13,
    host: 'web1',
    resource: 'user:eve',
    action: 'delete',
    breaks: `useradd -m eve
setsid setpriv --reuid=eve --regid=eve --clear-groups sh -c 'trap "" TERM; exec sleep 10000' </dev/null >/dev/null 2>&1 &`,
    sound: '! id eve && ! grep -qs "^sleep.10000" /proc/[0-9]*/cmdline',
  },
  {
    what: 'the home directory of an admin opened, so that sshd takes no key',
    round: 13,
    host: 'web1',
    resource: 'user:anna',
    seen: { homeDirectory: '/home/anna is writable for others (0777) → present' },
    breaks: 'chmod 0777 /home/anna',
    sound: '[ -z "$(find /home/anna -maxdepth 0 -perm /022)" ]',
  },
  {
    what: 'the key of an admin bound to a command in authorized_keys2',
    round: 13,
    host: 'web1',
    resource: key,
    seen: { options: '' },
    breaks: `sed 's|^ssh-ed25519|command="/bin/false" &|' ${ssh}/authorized_keys >${ssh}/authorized_keys2`,
    sound: `! grep -qs command ${ssh}/authorized_keys2`,
  },
  {
    what: 'an admin who must change the password before the next login',
    round: 13,
    host: 'web2',
    resource: 'user:anna',
    seen: { locked: 'until the password is changed → false' },
    breaks: 'chage -d 0 anna',
    sound: '[ "$(getent shadow anna | cut -d: -f3)" != 0 ]',
  },
  {
    what: 'the folder with the keys of an admin given to somebody else',
    round: 13,
    host: 'web2',
    resource: 'user:anna',
    seen: { homeDirectory: `${ssh} belongs to 1 → present` },
    breaks: `chown daemon ${ssh}`,
    sound: `[ "$(stat -c %U ${ssh})" = anna ]`,
  },
  {
    what: 'a rule of sudo for somebody who is gone',
    round: 13,
    host: 'web2',
    resource: 'user:eve',
    action: 'delete',
    follows: ['directory:/etc/sudoers.d update'],
    breaks: `echo 'eve ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/eve; chmod 0440 /etc/sudoers.d/eve`,
    sound: '[ ! -e /etc/sudoers.d/eve ]',
  },
  {
    what: 'somebody who is to be gone made again, with a crontab',
    round: 14,
    host: 'web2',
    resource: 'user:eve',
    action: 'delete',
    breaks: 'useradd -m eve; mkdir -p /var/spool/cron/crontabs; touch /var/spool/cron/crontabs/eve',
    sound: '! id eve && [ ! -e /var/spool/cron/crontabs/eve ]',
  },
  {
    what: 'the keys of an admin open to every user',
    round: 14,
    host: 'web2',
    resource: 'user:anna',
    seen: { homeDirectory: `${ssh}/authorized_keys is writable for others (0666) → present` },
    breaks: `chmod 0666 ${ssh}/authorized_keys`,
    sound: `[ -z "$(find ${ssh}/authorized_keys -perm /022)" ]`,
  },
  {
    what: 'the key of an admin moved to authorized_keys2, for one address only',
    round: 14,
    host: 'web2',
    resource: key,
    seen: { options: 'from="203.0.113.1" → ' },
    breaks: `sed 's|^ssh-ed25519|from="203.0.113.1" &|' ${ssh}/authorized_keys >${ssh}/authorized_keys2; : >${ssh}/authorized_keys`,
    sound: `grep -q '^ssh-ed25519' ${ssh}/authorized_keys && ! grep -qs from ${ssh}/authorized_keys2`,
  },
  {
    what: 'a second account with the number of root, and a home of its own',
    round: 14,
    host: 'web3',
    resource: 'user:root',
    seen: { sharesUid: 'sysadmin → nothing' },
    follows: ['group:root update'],
    breaks: 'useradd -o -u 0 -g 0 -m sysadmin',
    sound: '[ "$(grep -c "^[^:]*:[^:]*:0:" /etc/passwd)" -eq 1 ]',
  },
  {
    what: 'the home directory of an admin given to somebody else',
    round: 14,
    host: 'web3',
    resource: 'user:anna',
    seen: { homeDirectory: '/home/anna belongs to 65534 → present' },
    breaks: 'chown nobody /home/anna',
    sound: '[ "$(stat -c %U /home/anna)" = anna ]',
  },
  {
    what: 'services without a session allowed for somebody who is gone',
    round: 14,
    host: 'web3',
    resource: 'user:eve',
    action: 'delete',
    breaks: 'mkdir -p /var/lib/systemd/linger; touch /var/lib/systemd/linger/eve',
    sound: '[ ! -e /var/lib/systemd/linger/eve ]',
  },
];

/** Rights beyond owner, group and mode. */
const rights: readonly Slot[] = [
  {
    what: 'the sudo rules of the admins shown to another user by an ACL',
    round: 13,
    host: 'web1',
    resource: 'file:/etc/sudoers.d/zz-hostwright',
    seen: { acl: 'user:nobody:r-- → ' },
    breaks: grants('/etc/sudoers.d/zz-hostwright', {
      access: 'user::r--,user:nobody:r--,group::r--,mask::r--,other::---',
    }),
    sound: hasNoAcl('/etc/sudoers.d/zz-hostwright'),
  },
  {
    what: 'a folder whose ACL gives new files to another user',
    round: 13,
    host: 'web1',
    role: 'app',
    resource: 'directory:/srv/visits/releases',
    seen: { acl: 'default:user:nobody:rwx → ' },
    breaks: grants('/srv/visits/releases', {
      default: 'user::rwx,user:nobody:rwx,group::r-x,mask::rwx,other::r-x',
    }),
    sound: hasNoAcl('/srv/visits/releases'),
  },
  {
    what: 'capabilities given to a file',
    round: 13,
    host: 'web1',
    resource: 'file:/etc/needrestart/conf.d/hostwright.conf',
    seen: { capabilities: 'of a program → ' },
    breaks: 'setcap cap_setuid+ep /etc/needrestart/conf.d/hostwright.conf',
    sound: '[ -z "$(getcap /etc/needrestart/conf.d/hostwright.conf)" ]',
  },
  {
    what: 'a folder of the application opened to another user by an ACL',
    round: 13,
    host: 'web2',
    role: 'app',
    resource: 'directory:/srv/visits',
    seen: { acl: 'user:nobody:r-x → ' },
    breaks: grants('/srv/visits', { access: 'user::rwx,user:nobody:r-x,group::r-x,mask::r-x,other::r-x' }),
    sound: hasNoAcl('/srv/visits'),
  },
  {
    what: 'an ACL with an entry for a group',
    round: 14,
    host: 'web2',
    resource: 'file:/etc/hosts',
    seen: { acl: 'group:games:r-- → ' },
    breaks: grants('/etc/hosts', { access: 'user::rw-,group::r--,group:games:r--,mask::r--,other::r--' }),
    sound: hasNoAcl('/etc/hosts'),
  },
  {
    what: 'a folder opened by an ACL for what is there and for what is new',
    round: 14,
    host: 'web3',
    role: 'app',
    resource: 'directory:/srv/visits',
    seen: { acl: 'user:nobody:r-x, default:user:nobody:r-x → ' },
    breaks: grants('/srv/visits', {
      access: 'user::rwx,user:nobody:r-x,group::r-x,mask::r-x,other::r-x',
      default: 'user::rwx,user:nobody:r-x,group::r-x,mask::r-x,other::r-x',
    }),
    sound: hasNoAcl('/srv/visits'),
  },
];

/** Kernel parameters that another file sets later at the next boot. */
const parameters: readonly Slot[] = [
  {
    what: 'a kernel parameter set otherwise by a file that sorts last',
    round: 13,
    host: 'web1',
    resource: 'sysctl:net.core.somaxconn',
    seen: { persisted: '128 (from /etc/sysctl.d/zzz.conf) → 4096' },
    breaks: 'printf "net.core.somaxconn = 128\\nnet.ipv4.tcp_sack = 1\\n" >/etc/sysctl.d/zzz.conf',
    sound: '! grep -qs "^net.core.somaxconn" /etc/sysctl.d/zzz.conf',
  },
  {
    what: 'a kernel parameter set otherwise by a file in /run',
    round: 13,
    host: 'web2',
    resource: 'sysctl:net.ipv4.tcp_syncookies',
    seen: { persisted: '0 (from /run/sysctl.d/zzz.conf) → 1' },
    breaks: 'mkdir -p /run/sysctl.d; echo "-net/ipv4/tcp_syncookies=0" >/run/sysctl.d/zzz.conf',
    sound: '! grep -qs "^-net" /run/sysctl.d/zzz.conf',
  },
  {
    what: 'a kernel parameter set otherwise by ufw when it starts',
    round: 13,
    host: 'web2',
    resource: 'sysctl:net.ipv4.icmp_echo_ignore_broadcasts',
    seen: { persisted: '0 (from /etc/ufw/sysctl.conf) → 1' },
    breaks: 'echo net.ipv4.icmp_echo_ignore_broadcasts=0 >>/etc/ufw/sysctl.conf',
    sound: '! grep -q "^net.ipv4.icmp_echo_ignore_broadcasts=0" /etc/ufw/sysctl.conf',
  },
  {
    what: 'a kernel parameter set otherwise in the folder of packages',
    round: 14,
    host: 'web2',
    resource: 'sysctl:net.ipv4.conf.all.rp_filter',
    seen: { persisted: '0 (from /usr/lib/sysctl.d/zzz-package.conf) → 2' },
    breaks:
      'rm -f /etc/sysctl.d/zzz-package.conf; echo "net.ipv4.conf.all.rp_filter = 0" >/usr/lib/sysctl.d/zzz-package.conf',
    sound: '[ ! -e /usr/lib/sysctl.d/zzz-package.conf ] || [ -e /etc/sysctl.d/zzz-package.conf ]',
  },
  {
    what: 'the file of a kernel parameter hidden by a link to /dev/null',
    round: 14,
    host: 'web3',
    resource: 'sysctl:net.ipv4.tcp_syncookies',
    seen: { persisted: ' → 1' },
    breaks: 'ln -sf /dev/null /etc/sysctl.d/zz-net.ipv4.tcp_syncookies.conf',
    sound: 'grep -q "= 1" /etc/sysctl.d/zz-net.ipv4.tcp_syncookies.conf',
  },
];

const firewallOf = (slot: Omit<Slot, 'resource'>): Slot => ({
  role: 'firewall',
  resource: 'ufw:firewall',
  ...slot,
});

/** What opens the firewall now or at the next boot. */
const firewall: readonly Slot[] = (
  [
    {
      what: 'the firewall masked',
      round: 13,
      host: 'web1',
      seen: { unit: 'masked → enabled' },
      breaks: 'systemctl mask ufw.service',
      sound: 'systemctl is-enabled ufw.service',
    },
    {
      what: 'a port opened in before.rules for the next boot',
      round: 13,
      host: 'web1',
      seen: { '/etc/ufw/before.rules': 'adds: -A ufw-before-input -p tcp --dport 4444 -j ACCEPT → ' },
      breaks: `sed -i '/${required}/a -A ufw-before-input -p tcp --dport 4444 -j ACCEPT' /etc/ufw/before.rules`,
      sound: '! grep -q 4444 /etc/ufw/before.rules',
    },
    {
      what: 'the rules around those of IPv6 removed',
      round: 13,
      host: 'web2',
      seen: { '/etc/ufw/before6.rules': '' },
      breaks: 'rm /etc/ufw/before6.rules',
      sound: 'grep -q -- "-A ufw6-before-input" /etc/ufw/before6.rules',
    },
    {
      what: 'a hook that opens a port whenever the firewall starts',
      round: 13,
      host: 'web2',
      seen: { '/etc/ufw/after.init': 'adds: runs → ' },
      breaks: `printf '#!/bin/sh\\niptables -I INPUT -p tcp --dport 6666 -j ACCEPT\\n' >/etc/ufw/after.init; chmod 0755 /etc/ufw/after.init`,
      sound: '[ ! -x /etc/ufw/after.init ]',
    },
    {
      what: 'the policy of the kernel opened for incoming connections',
      round: 13,
      host: 'web2',
      seen: { kernel: '' },
      breaks: 'iptables -P INPUT ACCEPT',
      sound: 'iptables -S INPUT | grep -qx -- "-P INPUT DROP"',
    },
    {
      what: 'the firewall masked until the next boot',
      round: 14,
      host: 'web2',
      seen: { unit: 'masked-runtime → enabled' },
      breaks: 'systemctl mask --runtime ufw.service',
      sound: '[ ! -e /run/systemd/system/ufw.service ]',
    },
    {
      what: 'a port opened in after.rules, and loaded',
      round: 14,
      host: 'web2',
      seen: {
        '/etc/ufw/after.rules': 'adds: -A ufw-after-input -p tcp --dport 7777 -j ACCEPT → ',
        kernel: '',
      },
      breaks: `sed -i '/^COMMIT/i -A ufw-after-input -p tcp --dport 7777 -j ACCEPT' /etc/ufw/after.rules
ufw reload`,
      sound: '! iptables -S | grep -q 7777',
    },
    {
      what: 'everything let in by IPv6 before ufw sees it',
      round: 13,
      host: 'web1',
      seen: { kernel: '' },
      breaks: 'ip6tables -I INPUT -j ACCEPT',
      sound: '! ip6tables -S INPUT | grep -qx -- "-A INPUT -j ACCEPT"',
    },
    {
      what: 'a firewall that does nothing when it is started, by a drop-in',
      round: 14,
      host: 'web3',
      seen: { overriddenBy: '/run/systemd/system/ufw.service.d/zz.conf → nothing' },
      breaks: `mkdir -p /run/systemd/system/ufw.service.d
printf '[Service]\\nExecStart=\\nExecStart=/bin/true\\n' >/run/systemd/system/ufw.service.d/zz.conf
systemctl daemon-reload`,
      sound: '! systemctl cat ufw.service | grep -q /bin/true',
    },
    {
      what: 'a port opened in the file of rules, beside those that ufw lists',
      round: 14,
      host: 'web3',
      seen: { '/etc/ufw/user.rules': 'adds: -A ufw-user-input -p tcp --dport 5555 -j ACCEPT → ' },
      breaks: `sed -i '/^### END RULES/i -A ufw-user-input -p tcp --dport 5555 -j ACCEPT' /etc/ufw/user.rules`,
      sound: '! grep -q 5555 /etc/ufw/user.rules',
    },
    {
      what: 'the policy of the kernel opened for what is routed',
      round: 14,
      host: 'web3',
      seen: { kernel: '' },
      breaks: 'iptables -P FORWARD ACCEPT',
      sound: 'iptables -S FORWARD | grep -qx -- "-P FORWARD DROP"',
    },
  ] satisfies readonly Omit<Slot, 'resource'>[]
).map(firewallOf);

/** What lets somebody in, or do more than is declared: accounts, rights, kernel parameters, the firewall. */
export const access: readonly Damage[] = [...accounts, ...rights, ...parameters, ...firewall].map((slot) => ({
  role: 'base',
  action: 'update',
  ...slot,
}));
