import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { bareHosts, type Finished, type TestHosts } from './hosts.ts';

export const program = '/usr/local/lib/hostwright/backup';
/** Where the backups of web1 are on web2. */
export const stored = '/var/lib/hostwright-backup/web1';

/** Two hosts: web1 has the database, web2 stores its backups. */
export interface BackupSite {
  readonly hosts: TestHosts;
  readonly shell: TestHosts['shell'];
  /** Runs bin/hostwright on the site. */
  hostwright(verb: string, ...words: readonly string[]): Promise<Finished>;
  sql(...statements: readonly string[]): Promise<string>;
  /** Starts a unit of web1; how that ended, and what it said. */
  start(unit: string): Promise<{ readonly code: number | null; readonly said: string }>;
  /** `HOST TIME SIZE TESTED GTID`, a line a copy. */
  listed(): Promise<readonly (readonly string[])[]>;
  /** What the storing host says to the request of a sender. */
  ask(request: string, input?: string): Promise<Finished>;
  /** Files and servers of a run; none once it has ended. */
  leftovers(): Promise<string>;
  down(): Promise<void>;
}

export async function backupSite(name: string, subnet: string, flavor: string): Promise<BackupSite> {
  const hosts = await bareHosts(name, subnet, 2);
  const project = await mkdtemp(join(tmpdir(), 'hostwright-backup-'));
  const { all } = parse(await readFile(join(hosts.inventory, 'hosts.yml'), 'utf8')) as { all: object };
  const children = { db: { hosts: { web1: null } }, backup: { hosts: { web2: null } } };
  const vars = { mysql_flavor: flavor, mysql_innodb_buffer_pool_size: '128M', mysql_databases: ['shop'] };
  await writeFile(join(project, 'hosts.yml'), stringify({ all: { ...all, children } }));
  await writeFile(
    join(project, 'site.yml'),
    '- hosts: all\n  roles: [pki]\n- hosts: db\n  roles: [mysql]\n- hosts: backup:db\n  optional: true\n  roles: [backup]\n',
  );
  const shell: TestHosts['shell'] = (host, script, input) => hosts.shell(host, script, input);
  return {
    hosts,
    shell,
    hostwright: (verb, ...words) =>
      hosts.hostwright(
        verb,
        ...[
          '-i',
          join(project, 'hosts.yml'),
          '--site',
          join(project, 'site.yml'),
          '-e',
          JSON.stringify(vars),
        ],
        ...words,
      ),
    async sql(...statements) {
      const text = statements.map((statement) => `${statement};\n`).join('');
      return (await shell('web1', `${flavor} --batch --skip-column-names`, text)).trim();
    },
    async start(unit) {
      const { code } = await hosts.ssh('web1', `systemctl start ${unit}`);
      const said = await shell(
        'web1',
        `journalctl --no-pager -o cat -u ${unit} _SYSTEMD_INVOCATION_ID=$(systemctl show -p InvocationID --value ${unit})`,
      );
      return { code, said };
    },
    async listed() {
      const text = await shell('web1', `${program} list`);
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('\t'));
    },
    ask(request, input = '') {
      const etc = '/etc/hostwright/backup';
      return hosts.ssh(
        'web1',
        `ssh -F none -i ${etc}/ssh_key -p 2222 -o UserKnownHostsFile=${etc}/known_hosts -o StrictHostKeyChecking=yes -o BatchMode=yes hostwright-backup@${hosts.address('web2')} ${request}`,
        input,
      );
    },
    leftovers: () =>
      shell(
        'web1',
        `scratch=$(sed -n 's/^scratch=//p' /etc/hostwright/backup/backup.conf)
find "$scratch" /var/lib/hostwright/backup -mindepth 1 -maxdepth 1 ! -name "lock.*" ! -name "last.*" ! -name "sent.*"
ps -C mysqld,mariadbd -o args= | grep -e --skip-networking || :`,
      ),
    async down() {
      await hosts.down();
      await rm(project, { recursive: true, force: true });
    },
  };
}
