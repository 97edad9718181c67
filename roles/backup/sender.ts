import { directory, file, pkg, service, unit, type Resource, type RoleContext } from 'hostwright';
import { ageRecipient } from './keys.ts';
import { flavorOf, partOf, storeOf } from './parts.ts';
import { hostKey, senderKey } from './store.ts';
import type { Variables } from './variables.ts';

const etc = '/etc/hostwright/backup';
export const program = '/usr/local/lib/hostwright/backup';

/** The files that the program is put together from. */
const chapters = ['start', 'remote', 'scratch', 'copy', 'metrics', 'logs', 'test', 'list', 'restore', 'main'];

/** In a folder that AppArmor lets the server use, and that `secure_file_priv` opens to no client. */
const scratch = {
  mysql: '/var/lib/mysql-keyring/hostwright-backup',
  mariadb: '/var/lib/hostwright-backup-scratch',
} as const;

const timers = {
  now: 'A copy of the database, to the storing host',
  logs: 'Binary logs of the database, to the storing host',
  test: 'A restore test of the last copy of the database',
} as const;

type Verb = keyof typeof timers;

/** Where copies are made and tested. */
function scratchOf({ vars, host, site }: RoleContext<Variables>): string {
  return vars.backup_scratch ?? scratch[flavorOf(host, site)];
}

const nameOf = (verb: Verb): string => (verb === 'now' ? 'hostwright-backup' : `hostwright-backup-${verb}`);

function timed(verb: Verb, command: string, context: RoleContext<Variables>): readonly Resource[] {
  const { vars, template } = context;
  const name = nameOf(verb);
  const [description, folder] = [timers[verb], scratchOf(context)];
  return [
    unit(
      `${name}.service`,
      {
        content: String(template('backup/run.service.hbs', { description, program, verb, command, folder })),
      },
      { needs: [`file:${program}`] },
    ),
    unit(`${name}.timer`, {
      content: String(template(`backup/${verb}.timer.hbs`, { description, time: vars.backup_time })),
    }),
    service(`${name}.timer`, {}, { needs: [`file:${etc}/backup.conf`, `file:${etc}/ssh_key`] }),
  ];
}

/** Of a host that had this part before another server was promoted. */
function untimed(verb: Verb): readonly Resource[] {
  return [unit(`${nameOf(verb)}.timer`, { absent: true }), unit(`${nameOf(verb)}.service`, { absent: true })];
}

/** A database host: all of them send their binary logs, one the copies, and one tests them. */
export function sender(context: RoleContext<Variables>): readonly Resource[] {
  const { vars, host, site, asset } = context;
  const [store, part] = [storeOf(host, site), partOf(vars, host, site)];
  if (store === undefined || part === undefined) return [];
  const { sends, tests } = part;
  const flavor = flavorOf(host, site);
  const settings = {
    host: host.name,
    flavor,
    store: store.address,
    port: vars.backup_port,
    sends: sends ? 'yes' : 'no',
    tests: tests ? 'yes' : 'no',
    data: '/var/lib/mysql',
    scratch: scratchOf(context),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  const address =
    store.address.includes(':') || vars.backup_port !== 22
      ? `[${store.address}]:${vars.backup_port}`
      : store.address;
  const recipients = [...vars.backup_recipients, ageRecipient(vars.backup_test_key)];
  return [
    pkg('age'),
    pkg('zstd'),
    pkg('openssh-client'),
    ...(flavor === 'mariadb' ? [pkg('mariadb-backup')] : []),
    directory('/usr/local/lib/hostwright'),
    file(program, {
      content: `#!/bin/sh\n${chapters.map((name) => asset(`program/${name}.sh`).toString('utf8')).join('')}`,
      mode: '0755',
    }),
    directory(etc, { exclusive: true, mode: '0700' }),
    file(`${etc}/backup.conf`, { content: `# Written by Hostwright (role backup).\n${lines.join('')}` }),
    file(`${etc}/ssh_key`, { content: senderKey(vars, host.name).privateKey, mode: '0600' }),
    file(`${etc}/known_hosts`, { content: `${address} ${hostKey(vars, store.name).publicKey}\n` }),
    file(`${etc}/recipients`, { content: recipients.map((one) => `${one}\n`).join('') }),
    ...(tests ? [file(`${etc}/test.key`, { content: vars.backup_test_key, mode: '0600' })] : []),
    ...timed('logs', 'logs', context),
    ...(sends ? timed('now', 'now', context) : untimed('now')),
    ...(tests ? timed('test', 'test-new', context) : untimed('test')),
  ];
}
