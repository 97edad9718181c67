import { directory, file, pkg, service, unit, user, type Resource, type RoleContext } from 'hostwright';
import { sshKey } from './keys.ts';
import type { Variables } from './variables.ts';

/** Owns what is stored, and is who senders log in as. */
export const account = 'hostwright-backup';

const etc = '/etc/hostwright/backup-store';
const programs = '/usr/local/lib/hostwright';
const name = 'hostwright-backup-store';
const gigabyte = 2 ** 30;

/** The key that the storing host shows; senders know it beforehand. */
export function hostKey(vars: Variables, host: string) {
  return sshKey(vars.backup_ssh_seed, `store ${host}`);
}

/** The key that a sender logs in with. */
export function senderKey(vars: Variables, host: string) {
  return sshKey(vars.backup_ssh_seed, `sender ${host}`);
}

function authorizedKeys({ vars, site }: RoleContext<Variables>): string {
  const quota = Math.round(vars.backup_quota_gigabytes * gigabyte);
  const reserve = Math.round(vars.backup_reserve_gigabytes * gigabyte);
  const lines = site
    .hosts('db')
    .map(
      ({ name: host }) =>
        `restrict,command="${programs}/backup-store ${host} ${quota} ${reserve}" ${senderKey(vars, host).publicKey} ${host}\n`,
    );
  return `# Written by Hostwright (role backup).\n${lines.join('')}`;
}

/**
 * A way in of its own, apart from the sshd of the host: it runs as the user that owns the backups, for each connection
 * anew, without the network beside that connection, and knows no other user and no other command.
 */
export function store(context: RoleContext<Variables>): readonly Resource[] {
  const { vars, host, facts, asset, template } = context;
  const bind = facts.addresses.includes(host.address) ? `${host.address}:` : '';
  const script = (file_: string): string => asset(`${file_}.sh`).toString('utf8');
  return [
    pkg('openssh-server'),
    user(account, {
      system: true,
      home: '/var/lib/hostwright-backup',
      shell: '/bin/sh',
      comment: 'Backups of databases',
    }),
    directory('/var/lib/hostwright-backup', { owner: account, group: account, mode: '0700' }),
    directory(programs),
    file(`${programs}/backup-store`, { content: script('backup-store'), mode: '0755' }),
    file(`${programs}/backup-retention`, { content: script('backup-retention'), mode: '0755' }),
    directory(etc, { exclusive: true }),
    file(`${etc}/host_key`, { content: hostKey(vars, host.name).privateKey, group: account, mode: '0640' }),
    file(`${etc}/authorized_keys`, { content: authorizedKeys(context) }),
    file(`${etc}/sshd_config`, { content: template('backup/sshd_config.hbs', { etc, account }) }),
    unit(`${name}@.service`, { content: String(template('backup/store.service.hbs', { etc, account })) }),
    unit(`${name}.socket`, {
      content: String(template('backup/store.socket.hbs', { address: `${bind}${vars.backup_port}` })),
    }),
    service(
      `${name}.socket`,
      {},
      { needs: [`unit:${name}@.service`, `file:${etc}/sshd_config`, `file:${programs}/backup-store`] },
    ),
    unit(
      'hostwright-backup-retention.service',
      {
        content: String(
          template('backup/retention.service.hbs', {
            account,
            program: `${programs}/backup-retention`,
            days: vars.backup_keep_days,
          }),
        ),
      },
      { needs: [`file:${programs}/backup-retention`, `user:${account}`] },
    ),
    unit('hostwright-backup-retention.timer', {
      content: String(template('backup/retention.timer.hbs', {})),
    }),
    service('hostwright-backup-retention.timer'),
  ];
}
