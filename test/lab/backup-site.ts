import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { bareHosts, type Finished, type TestHosts } from './hosts.ts';

export const program = '/usr/local/lib/hostwright/backup';
/** Where the backups of web1 are on web2. */
export const stored = '/var/lib/hostwright-backup/web1';

/** Two hosts: web1 has the database, with three orders and a table of an odd name; web2 stores its backups. */
export interface BackupSite {
  readonly hosts: TestHosts;
  readonly shell: TestHosts['shell'];
  /** Runs bin/hostwright on the site. */
  hostwright(verb: string, ...words: readonly string[]): Promise<Finished>;
  sql(...statements: readonly string[]): Promise<string>;
  /** Starts a unit of web1; how that ended, and what it said. */
  start(unit: string): Promise<{ readonly code: number | null; readonly said: string }>;
  /** Makes a copy, and tests it; gives what the test said. */
  copied(): Promise<string>;
  /** A copy, then a row that says `before`, the time, and the table dropped. */
  dropped(): Promise<string>;
  /** Restores the database to a time; throws where that fails. */
  restore(time: string, ...words: readonly string[]): Promise<void>;
  /** How many orders there are, and whether one says `before`. */
  orders(): Promise<string>;
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
  const succeed = ({ code, stdout, stderr }: Finished): void => {
    if (code !== 0) throw new Error(stdout + stderr);
  };
  const site: BackupSite = {
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
    async copied() {
      const { code, said: copy } = await site.start('hostwright-backup');
      if (code !== 0) throw new Error(copy);
      const test = await site.start('hostwright-backup-test');
      if (test.code !== 0) throw new Error(test.said);
      return test.said;
    },
    async dropped() {
      // A log that begins now would begin after the row that is said to be older.
      await shell('web1', 'systemctl stop hostwright-backup-logs.timer');
      succeed(await site.hostwright('do', 'backup', 'now', '--yes'));
      const time = (await shell('web1', 'date -u +%Y-%m-%dT%H:%M:%SZ')).trim();
      await site.sql(
        `SET TIMESTAMP = ${Date.parse(time) / 1000 - 1}`,
        "INSERT INTO shop.orders (note) VALUES ('before')",
      );
      await site.sql('DROP TABLE shop.orders');
      return time;
    },
    async restore(time, ...words) {
      const restore = ['backup', 'restore', 'web1', '--to', time, '--replace-writer', '--yes', ...words];
      succeed(await site.hostwright('do', ...restore));
    },
    orders: () => site.sql("SELECT COUNT(*), MAX(note = 'before') FROM shop.orders"),
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
  try {
    succeed(await site.hostwright('apply', '--yes'));
    await site.sql(
      'CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, note CHAR(36))',
      'CREATE TABLE shop.`odd  name` (id INT PRIMARY KEY)',
      'INSERT INTO shop.orders (note) VALUES (UUID()), (UUID()), (UUID())',
    );
    return site;
  } catch (error) {
    await site.down();
    throw error;
  }
}
