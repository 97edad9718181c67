import { directory, file, HostwrightError, service, type Resource, type RoleContext } from 'hostwright';
import type { Variables } from './variables.ts';

/** Who may log in: everyone with a key, or the users named and those that must never be shut out. */
function allowedUsers({ vars, host, facts }: RoleContext<Variables>): readonly string[] {
  if (vars.base_ssh_users.length === 0) return [];
  const connected = facts.connection?.user;
  if (connected === undefined) {
    throw new HostwrightError('E_VARIABLE', 'base_ssh_users might shut Hostwright itself out', {
      place: { host: host.name },
      found: 'the user of this connection is unknown',
      hint: 'leave base_ssh_users empty for this host',
    });
  }
  return [...new Set([...vars.base_ssh_users, ...vars.base_admins.map((admin) => admin.name), connected])];
}

/** What would end in a host that nobody can log in to is an error before anything is changed. */
function neverLockOut({ vars, host, facts }: RoleContext<Variables>): void {
  if (vars.base_ssh_root === 'no' && facts.connection?.user === 'root') {
    throw new HostwrightError('E_VARIABLE', 'base_ssh_root: no would shut Hostwright itself out', {
      place: { host: host.name },
      found: 'it logs in as root',
      hint: 'declare a user of your own in base_admins, log in as that one (ansible_user), then shut root out',
    });
  }
  if ((vars.ansible_password ?? vars.ansible_ssh_pass ?? null) !== null) {
    throw new HostwrightError('E_VARIABLE', 'the role base ends logging in with a password', {
      place: { host: host.name },
      found: 'ansible_password',
      expected: 'a key that the host knows: the one of your agent, or ansible_ssh_private_key_file',
      hint: 'bring your key there with ssh-copy-id, then remove ansible_password',
    });
  }
}

/**
 * `systemctl reload` ends before sshd has read anything: a login at that moment would still be served, and
 * confirmed, by the old configuration. Taking it up, sshd executes itself anew, in other memory.
 */
const reload = `pid=$(systemctl show -p MainPID --value ssh.service)
image() { sha256sum "/proc/$pid/auxv" 2>/dev/null; }
before=$(image)
systemctl reload ssh.service || exit
for _ in $(seq 100); do
  [ "$(image)" = "$before" ] || exit 0
  sleep 0.1
done`;

/** Where sshd listens, as far as it says so itself: what an adopted host has set up must stay reachable. */
function portOf({ vars, facts }: RoleContext<Variables>): number | null {
  const isSaid = /^\s*(Port|ListenAddress)\b/im.test(vars.base_sshd_config);
  const port = facts.connection?.port ?? 22;
  return isSaid || port === 22 ? null : port;
}

/**
 * sshd takes keys only and offers nothing that ssh-audit calls weak. Algorithms are taken away from what
 * this sshd knows, not listed: every release keeps its newest.
 */
export function ssh(context: RoleContext<Variables>): readonly Resource[] {
  const { vars, template } = context;
  neverLockOut(context);
  return [
    // The first value counts in sshd_config(5), so this file comes before all others.
    file('/etc/ssh/sshd_config.d/00-hostwright.conf', {
      content: template('base/sshd.conf.hbs', {
        root: vars.base_ssh_root,
        users: allowedUsers(context).join(' '),
      }),
      mode: '0600',
    }),
    // An earlier file, a Match block or another main file would win over it.
    directory('/etc/ssh/sshd_config.d', { exclusive: true, keep: vars.base_keep }),
    file('/etc/ssh/sshd_config', {
      content: template('base/sshd_config.hbs', { port: portOf(context), own: vars.base_sshd_config.trim() }),
    }),
    file('/etc/default/ssh', { content: template('base/default-ssh.hbs', {}) }),
    service('ssh', {
      reloadOn: ['/etc/ssh'],
      restartOn: ['/etc/default/ssh'],
      // It wants its folder for privilege separation, which is not there when nothing has started it yet.
      validate: ['sh', '-c', 'mkdir -p -m 0755 /run/sshd && sshd -t'],
      reload: ['sh', '-c', reload],
    }),
  ];
}
