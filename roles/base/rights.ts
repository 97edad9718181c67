import { directory, group, permissions, type Resource, type RoleContext } from 'hostwright';
import type { Variables } from './variables.ts';

/** Groups of every Debian that are root's, or read what is not for everybody: passwords, disks, logs, keys. */
export const stockGroups = ['root', 'sudo', 'adm', 'shadow', 'disk'] as const;

/** Where only root may write, so that nobody puts something else in the place of what is declared below. */
const folders = [
  ...['/etc', '/etc/apt', '/etc/apt/apt.conf.d', '/etc/apt/sources.list.d', '/etc/default', '/etc/pam.d'],
  ...['/etc/ssh', '/etc/sysctl.d', '/etc/systemd', '/etc/systemd/system', '/srv', '/var/lib/hostwright'],
];

const accounts = ['passwd', 'group'].flatMap((name) => [`/etc/${name}`, `/etc/${name}-`]);
const passwords = ['shadow', 'gshadow'].map((name) => `/etc/${name}`);
/** What was before the last change; programs give it another group than Debian does. */
const formerPasswords = passwords.map((path) => `${path}-`);
const hostKeys = ['rsa', 'ecdsa', 'ed25519'].map((kind) => `/etc/ssh/ssh_host_${kind}_key`);
/** Of root alone. */
const secrets = [...hostKeys, '/etc/security/opasswd', '/var/lib/hostwright/applied'];

/** Who may use what no role makes, but everybody could log in or become root by. */
export function rights({ vars, facts }: RoleContext<Variables>): readonly Resource[] {
  const { user, sudoers = [] } = facts.connection ?? {};
  const admins = vars.base_admins.filter(({ sudo }) => sudo).map(({ name }) => name);
  const trusted = [...(user === undefined ? [] : [user]), ...admins];
  return [
    ...stockGroups.map((name) =>
      group(name, {
        exclusive: true,
        keep: [...new Set([...trusted, ...(vars.base_group_members[name] ?? [])])],
      }),
    ),
    // What Hostwright itself may owe its sudo to stays.
    directory(
      '/etc/sudoers.d',
      {
        exclusive: true,
        keep: ['README', ...sudoers.filter((name) => /^[\w-]+$/.test(name)), ...vars.base_keep],
      },
      { needs: ['package:sudo'] },
    ),
    ...folders.map((path) => permissions(path, { mode: '0755' })),
    ...accounts.map((path) => permissions(path, { mode: '0644' })),
    ...passwords.map((path) => permissions(path, { group: 'shadow', mode: '0640' })),
    ...formerPasswords.map((path) => permissions(path, { mode: '0640' })),
    permissions('/etc/sudoers', { group: 'root', mode: '0440' }, { needs: ['package:sudo'] }),
    permissions('/root', { mode: '0700' }),
    ...secrets.map((path) => permissions(path, { mode: '0600' })),
  ];
}
