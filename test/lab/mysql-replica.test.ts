import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Secret, type Script } from '../../src/index.ts';
import { replicaSchema } from '../../src/resources/mysql/replication.ts';
import { donorAuthority, readDonor, seedStep } from '../../src/resources/mysql/seed.ts';
import { bareHosts, jsonLines, type Finished, type TestHosts } from './hosts.ts';

let hosts: TestHosts;
let project: string;

async function hostwright(verb: string, variables: object = {}, ...words: readonly string[]) {
  const given = JSON.stringify({
    mysql_innodb_buffer_pool_size: '128M',
    mysql_databases: ['shop'],
    ...variables,
  });
  return await hosts.hostwright(verb, '-i', join(project, 'hosts.yml'), '-e', given, '--json', ...words);
}

async function sql(host: string, ...statements: readonly string[]): Promise<string> {
  const text = statements.map((statement) => `${statement};\n`).join('');
  return (await hosts.shell(host, `mysql --batch --skip-column-names`, text)).trim();
}

/** So many orders on the primary, each a transaction. */
async function order(count: number): Promise<void> {
  await sql('web1', ...Array.from({ length: count }, () => 'INSERT INTO shop.orders (note) VALUES (UUID())'));
}

const count = (host: string): Promise<string> => sql(host, 'SELECT COUNT(*) FROM shop.orders');

/** Differs where any row does. */
const rows = (host: string): Promise<string> =>
  sql(host, 'SELECT COUNT(*), BIT_XOR(CRC32(note)) FROM shop.orders');

const eventually = (read: () => Promise<string>) => expect.poll(read, { timeout: 60_000, interval: 200 });

/** It takes no writes when it starts, until its replica has said that it follows. */
const opens = () => eventually(() => sql('web1', 'SELECT @@read_only').catch(() => 'not yet')).toBe('0');

/** The replica has got all that the primary has by now, and may not have applied it. */
async function received(): Promise<void> {
  const sent = await sql('web1', 'SELECT @@gtid_executed');
  const missing = `SELECT GTID_SUBTRACT('${sent}', CONCAT(RECEIVED_TRANSACTION_SET, ',', @@gtid_executed))
    FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = ''`;
  await eventually(() => sql('web2', missing)).toBe('');
}

/** What the plan says of the replica, attribute by attribute. */
async function planned(): Promise<Readonly<Record<string, unknown>>> {
  const plan = await hostwright('plan');
  const change = jsonLines(plan).find((line) => line['resource'] === 'mysql_replica:web1');
  const attributes = (change?.['attributes'] ?? []) as readonly { name: string; from: unknown }[];
  return Object.fromEntries(attributes.map(({ name, from }) => [name, from]));
}

/** What the run said of the replica, which it left alone. */
function refusal(finished: Finished): string {
  expect(finished.code).toBe(1);
  const results = jsonLines(finished).filter(({ type }) => type === 'result');
  const result = results.find((line) => line['resource'] === 'mysql_replica:web1');
  expect(result).toMatchObject({ outcome: 'failed' });
  return JSON.stringify(result);
}

const receives =
  "SELECT SERVICE_STATE FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = ''";
const pki = '/etc/hostwright/pki';
const mark = /^686f7374-7772-6967-6874-[0-9a-f]{12}:1$/;
const note = '/var/lib/hostwright/mysql-seeding';

beforeAll(async () => {
  hosts = await bareHosts('replica', '10.213.94', 2);
  project = await mkdtemp(join(tmpdir(), 'hostwright-mysql-replica-'));
  const { all } = parse(await readFile(join(hosts.inventory, 'hosts.yml'), 'utf8')) as { all: object };
  const children = { db: { hosts: { web1: null, web2: null } } };
  await writeFile(join(project, 'hosts.yml'), stringify({ all: { ...all, children } }));
  await writeFile(
    join(project, 'site.yml'),
    '- hosts: db\n  roles: [pki]\n- hosts: db\n  serial: 1\n  roles: [mysql]\n',
  );
  const apply = await hostwright('apply', {}, '--yes');
  expect(apply.code, apply.stdout + apply.stderr).toBe(0);
  await sql('web1', 'CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, note CHAR(36))');
  await order(20);
});

afterAll(async () => {
  await hosts.down();
  await rm(project, { recursive: true, force: true });
});

describe('a replica of MySQL', () => {
  it('follows, and its primary has nothing to do in a second run', async () => {
    await eventually(() => count('web2')).toBe('20');
    const plan = await hostwright('plan');
    expect(plan.code, plan.stdout).toBe(0);
  });

  it('applies what it had received when it was killed, also with its primary gone', async () => {
    await sql('web2', 'STOP REPLICA SQL_THREAD');
    await order(50);
    await received();
    expect(await count('web2')).toBe('20');
    await hosts.shell('web1', 'systemctl stop mysql');
    await hosts.shell('web2', 'kill -9 $(pidof mysqld)');
    await eventually(() => count('web2').catch(() => 'not yet')).toBe('70');
    await hosts.shell('web1', 'systemctl start mysql');
    await opens();
  });

  it('opens its primary again, whose commits wait for it, when that was killed or the power of both was lost', async () => {
    const writes = () =>
      sql('web1', 'SELECT @@read_only, @@rpl_semi_sync_source_enabled').catch(() => 'not yet');
    const waits = "SHOW STATUS LIKE 'Rpl_semi_sync_source_status'";
    await eventually(() => sql('web1', waits)).toBe('Rpl_semi_sync_source_status\tON');
    const before = await hosts.shell('web1', 'pidof mysqld');
    await hosts.shell('web1', 'kill -9 $(pidof mysqld)');
    await eventually(writes).toBe('0\t1');
    expect(await hosts.shell('web1', 'pidof mysqld')).not.toBe(before);
    await Promise.all(['web1', 'web2'].map((host) => hosts.ssh(host, 'systemctl --force --force reboot')));
    await eventually(writes).toBe('0\t1');
    expect(await hosts.shell('web1', 'journalctl -b -o cat -u mysql-open | tail -n 1')).toContain(
      'web2 follows this server, which takes writes now',
    );
    await eventually(() => sql('web1', waits)).toBe('Rpl_semi_sync_source_status\tON');
    expect(await sql('web2', 'SELECT @@super_read_only')).toBe('1');
  });

  it('acknowledges each commit where nothing may be lost, which waits for it', async () => {
    const strict = { mysql_durability: 'strict' };
    expect((await hostwright('apply', strict, '--yes')).code).toBe(0);
    await hosts.shell('web2', 'systemctl stop mysql');
    const waiting = order(1);
    await eventually(() => sql('web1', "SHOW STATUS LIKE 'Rpl_semi_sync_source_wait_sessions'")).toMatch(
      /\t1$/,
    );
    expect(await count('web1')).toBe('70');
    await hosts.shell('web2', 'systemctl start mysql');
    await waiting;
    await eventually(() => count('web2')).toBe('71');
    expect((await hostwright('apply', {}, '--yes')).code).toBe(0);
  });

  it('takes the writes from its primary and gives them back, and no acknowledged write is lost', async () => {
    await sql('web1', 'CREATE TABLE shop.written (host CHAR(4), n INT, PRIMARY KEY (host, n))');
    const writer = `n=0; while [ ! -e /run/stop ]; do n=$((n + 1))
      mysql -e "INSERT INTO shop.written VALUES ('$1', $n)" 2>/dev/null && echo "$1\\t$n"; done >/root/acknowledged`;
    for (const host of ['web1', 'web2']) {
      await hosts.shell(host, 'cat >/root/writer', writer);
      await hosts.shell(host, `systemd-run --quiet --unit=writer sh /root/writer ${host}`);
    }
    const promote = (host: string) => hostwright('do', {}, 'mysql', 'promote', host, '--yes');
    // As a controller leaves it that was killed after the first step.
    await sql('web1', 'SET GLOBAL super_read_only = ON');
    const there = await promote('web2');
    expect(there.code, there.stdout + there.stderr).toBe(0);
    expect(jsonLines(there).at(-1)).toMatchObject({
      type: 'outcome',
      ok: true,
      text: 'web2 takes the writes',
    });
    const declared = join(project, 'group_vars/db.yml');
    expect(await readFile(declared, 'utf8')).toBe('mysql_primary: web2\n');
    expect((await hostwright('plan')).code).toBe(0);

    // As one leaves it that was killed before the inventory was written.
    await rm(declared);
    expect((await promote('web2')).code).toBe(0);
    expect(await readFile(declared, 'utf8')).toBe('mysql_primary: web2\n');

    const back = await promote('web1');
    expect(back.code, back.stdout + back.stderr).toBe(0);
    const acknowledged = await Promise.all(
      ['web1', 'web2'].map((host) =>
        hosts.shell(
          host,
          'touch /run/stop; while systemctl -q is-active writer; do sleep 0.1; done; cat /root/acknowledged',
        ),
      ),
    );
    const lines = acknowledged.join('').trim().split('\n');
    expect(new Set(lines.map((line) => line.slice(0, 4)))).toEqual(new Set(['web1', 'web2']));
    for (const host of ['web1', 'web2']) {
      const kept = async () => {
        const found = new Set((await sql(host, 'SELECT host, n FROM shop.written')).split('\n'));
        return String(lines.filter((line) => !found.has(line)).length);
      };
      await eventually(kept).toBe('0');
    }
    const status = await hostwright('do', {}, 'mysql', 'status');
    expect(jsonLines(status)[0]).toMatchObject({
      rows: [
        { host: 'web1', state: 'writes', follows: null },
        { host: 'web2', state: 'read-only', follows: 'web1', errant: 'none' },
      ],
    });
  });

  it('costs its own resources where it hangs, and nothing else of its host', async () => {
    await hosts.shell('web1', 'kill -STOP $(pidof mysqld)');
    const plan = jsonLines(await hostwright('plan', {}, '--limit', 'web1'));
    await hosts.shell('web1', 'kill -CONT $(pidof mysqld)');
    const changed = plan.filter(({ type }) => type === 'change').map(({ resource }) => String(resource));
    expect(changed).toContain('mysql_database:shop');
    expect(changed.filter((id) => !/^(mysql_\w+:|service:mysql\.service$)/.test(id))).toEqual([]);
    expect(plan.filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('loses what the package has written there, and a damaged relay log, without a copy', async () => {
    await hosts.shell('web2', 'dpkg-reconfigure -f noninteractive mysql-server 2>/dev/null');
    await sql('web2', 'STOP REPLICA SQL_THREAD');
    await order(3);
    await received();
    await hosts.shell(
      'web2',
      'file=$(ls /var/lib/mysql/relay-bin.[0-9]* | tail -n 1); printf XXXXXXXXXXXXXXXX | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 120)) conv=notrunc status=none',
    );
    await sql('web2', 'START REPLICA SQL_THREAD');
    await eventually(async () => String((await planned())['relayLog'])).toBe('damaged');
    expect((await planned())['ownTransactions']).toMatch(/^[0-9a-f-]{36}:\d+$/);
    const copied = 'SELECT END_TIME FROM performance_schema.clone_status';
    const before = await sql('web2', copied);
    const apply = await hostwright('apply', {}, '--yes');
    expect(apply.code, apply.stdout).toBe(0);
    expect(await sql('web2', copied)).toBe(before);
    expect(await rows('web2')).toBe(await rows('web1'));
    expect(await planned()).toEqual({});
  });

  it('shows its seed password to no other host of the site that poses as the primary', async () => {
    const replica = replicaSchema.parse({
      ...{ primary: 'web1', flavor: 'mysql', address: hosts.address('web1') },
      ...{
        user: 'replication',
        password: new Secret('Unused1'),
        seedUser: 'seed',
        seedPassword: new Secret('Unused2'),
      },
      ...{ ca: `${pki}/ca.crt`, certificate: `${pki}/mysql.crt`, key: `${pki}/mysql.key` },
    });
    const step = (script: Script): string => `set -eu; HW=$(mktemp -d); ${script.text}`;
    const authority = donorAuthority(Buffer.from(await hosts.shell('web2', step(readDonor(replica)))));
    const { script, stdin } = seedStep(replica, authority);
    const seed = () => hosts.ssh('web2', step(script), Buffer.from(stdin ?? []).toString());
    expect((await seed()).stderr).toMatch(/Access denied/);
    // Now web2 answers under the address of web1, with its own certificate of the internal CA.
    await hosts.shell(
      'web2',
      `ip address add ${hosts.address('web1')}/32 dev lo
systemd-run --quiet --unit=impostor --socket-property=ListenStream=${hosts.address('web1')}:3306 /usr/lib/systemd/systemd-socket-proxyd ${hosts.address('web2')}:3306`,
    );
    try {
      expect((await hosts.ssh('web2', step(readDonor(replica)))).stderr).toMatch(/IP address mismatch|verif/);
      expect((await seed()).stderr).toContain('certificate verify failed');
    } finally {
      await hosts.shell(
        'web2',
        `systemctl stop impostor.socket; ip address del ${hosts.address('web1')}/32 dev lo`,
      );
    }
    expect((await planned())['data']).toBe('half copied');
    expect((await hostwright('apply', {}, '--yes')).code).toBe(0);
    expect(await planned()).toEqual({});
  });

  it('is never joined to another history, however many transactions that has by now', async () => {
    await sql('web1', 'RESET BINARY LOGS AND GTIDS');
    await order(3);
    const before = await planned();
    expect(before['data']).toBe('of a history that the primary has lost');
    expect(before['ownTransactions']).toMatch(mark);
    // The primary gives out the same numbers again, and more of them.
    await order(60);
    const lost = String((await planned())['ownTransactions']);
    expect(lost).toBe(before['ownTransactions']);
    expect(refusal(await hostwright('apply', {}, '--yes'))).toContain(lost);
    expect(await sql('web2', receives)).toBe('OFF');
    expect((await planned())['ownTransactions']).toBe(lost);

    const apply = await hostwright('apply', { mysql_discard_transactions: lost }, '--yes');
    expect(apply.code, apply.stdout).toBe(0);
    expect(await count('web2')).toBe('137');
    expect(await rows('web2')).toBe(await rows('web1'));
    expect(await planned()).toEqual({});
  });

  it('stays apart from a primary that went back to older data and caught up', async () => {
    await hosts.shell(
      'web1',
      'systemctl stop mysql && cp -a /var/lib/mysql /var/lib/mysql-older && systemctl start mysql',
    );
    await opens();
    await order(5);
    await eventually(() => count('web2')).toBe('142');
    await hosts.shell(
      'web1',
      'systemctl stop mysql && rm -rf /var/lib/mysql && mv /var/lib/mysql-older /var/lib/mysql && systemctl start mysql',
    );
    await eventually(() => sql('web2', receives)).toBe('OFF');
    await opens();
    await order(30);
    expect((await planned())['data']).toBe('ahead of the primary, which has lost transactions');
    const said = refusal(await hostwright('apply', {}, '--yes'));
    const lost = String((await planned())['ownTransactions']);
    expect(lost).toMatch(mark);
    expect(said).toContain(lost);
    // Starting it by hand hides what the server said of it, and not what it has.
    await sql('web2', 'START REPLICA');
    expect((await planned())['ownTransactions']).toBe(lost);
    expect(await rows('web2')).not.toBe(await rows('web1'));

    const apply = await hostwright('apply', { mysql_discard_transactions: lost }, '--yes');
    expect(apply.code, apply.stdout).toBe(0);
    expect(await rows('web2')).toBe(await rows('web1'));
    expect(await planned()).toEqual({});
  });

  it('keeps data of its own, also where a copy had been begun there once and broke off', async () => {
    await hosts.shell('web2', `echo begun >${note}`);
    await sql(
      'web2',
      'STOP REPLICA',
      'SET GLOBAL super_read_only = OFF',
      'SET GLOBAL read_only = OFF',
      'CREATE TABLE shop.own (id INT PRIMARY KEY)',
      'INSERT INTO shop.own VALUES (7)',
    );
    const own = String((await planned())['ownTransactions']);
    expect(own).toMatch(/^[0-9a-f-]{36}:1-2$/);
    expect(refusal(await hostwright('apply', {}, '--yes'))).toContain(own);
    expect(await sql('web2', 'SELECT id FROM shop.own')).toBe('7');
  });

  it('is not made the primary while another one takes writes, and says what to do', async () => {
    const primary = ['--yes', '--limit', 'web2'];
    const refused = await hostwright('apply', { mysql_primary: 'web2' }, ...primary);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('both web2 and web1 take writes');
    expect(refused.stdout).toContain('set mysql_primary: web1 in the inventory');
    expect(refused.stdout).toContain('hostwright do mysql promote web2');
    await hosts.shell('web1', 'systemctl stop mysql');
    const apply = await hostwright('apply', { mysql_primary: 'web2' }, ...primary);
    expect(apply.code, apply.stdout).toBe(0);
    expect((await hosts.ssh('web2', `test -e ${note}`)).code).toBe(1);
    expect(await sql('web2', 'SELECT @@read_only', 'SHOW REPLICA STATUS')).toBe('0');
    expect(await sql('web2', 'SELECT id FROM shop.own')).toBe('7');
  });

  it('that takes over keeps the former primary read-only, which follows by apply', async () => {
    await hosts.shell('web1', 'systemctl start mysql');
    await eventually(() => hosts.shell('web1', 'journalctl -b -o cat -u mysql-open | tail -n 1')).toContain(
      'web2 takes writes: this server stays read-only',
    );
    expect(await sql('web1', 'SELECT @@super_read_only')).toBe('1');
    const contradiction = await hostwright('apply', {}, '--yes');
    expect(contradiction.code).toBe(1);
    expect(contradiction.stdout).toContain('web2 takes writes, web1 does not');
    expect(await sql('web1', 'SELECT @@super_read_only')).toBe('1');
    const apply = await hostwright('apply', { mysql_primary: 'web2' }, '--yes');
    expect(apply.code, apply.stdout).toBe(0);
    expect(await sql('web1', 'SELECT id FROM shop.own')).toBe('7');
    expect(await sql('web1', receives)).toBe('ON');
    const plan = await hostwright('plan', { mysql_primary: 'web2' });
    expect(plan.code, plan.stdout).toBe(0);
  });
});
