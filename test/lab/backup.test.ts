import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backupSite, stored, type BackupSite } from './backup-site.ts';

let site: BackupSite;

beforeAll(async () => {
  site = await backupSite('backups', '10.213.104', 'mysql');
});

afterAll(async () => {
  await site.down();
});

describe('a copy of the database', () => {
  it('needs nothing more after the first run', async () => {
    const plan = await site.hostwright('plan');
    expect(plan.code, plan.stdout).toBe(0);
  });

  it('is stored, listed with its transactions, tested, and leaves nothing behind', async () => {
    expect(await site.copied()).toContain('2 tables are equal');
    const gtid = await site.sql("SELECT REPLACE(@@GLOBAL.gtid_executed, '\\n', '')");
    expect(await site.listed()).toEqual([
      ['web1', expect.stringMatching(/^\d{8}T\d{6}Z$/), expect.stringMatching(/^\d{6,}$/), 'ok', gtid],
    ]);
    expect(await site.leftovers()).toBe('');
  });

  it('is in the table of the servers, with its test', async () => {
    const { stdout } = await site.hostwright('do', 'mysql', 'status', '--json');
    expect(stdout).toMatch(/"last backup":"\d+ (s|min) ago","last restore test":"ok, \d+ (s|min) ago"/);
  });

  it('cannot be read where it is stored', async () => {
    expect(await site.shell('web2', `find ${stored} -type f ! -perm 0400`)).toBe('');
    const heads = await site.shell(
      'web2',
      `for file in $(find ${stored} -type f); do head -c 21 "$file"; echo; done`,
    );
    expect(new Set(heads.split('\n').filter(Boolean))).toEqual(new Set(['age-encryption.org/v1']));
    expect(await site.shell('web2', `grep -rl AGE-SECRET-KEY /etc /var/lib/hostwright-backup || :`)).toBe('');
  });

  it('cannot be replaced or removed by a host that sends', async () => {
    const [[host = '', time = ''] = []] = await site.listed();
    const before = await site.shell('web2', `find ${stored} -type f -exec sha256sum {} + | sort`);
    expect((await site.ask(`put ${time}.data`, 'x')).code).toBe(73);
    for (const request of [
      ...[
        'rm x',
        'put',
        'put a b',
        'put ../x',
        'put .x',
        'put a/b/c',
        'put a/../b',
        'get',
        `get ${host}`,
        'sh',
        'list x',
      ],
      ...[`get ${host}/../../../../etc/passwd`, `"put x; rm -rf ${stored}"`, '"put \\$(id)"', '', 'scp -t x'],
    ]) {
      expect({ request, code: (await site.ask(request, 'x')).code }).toEqual({ request, code: 64 });
    }
    expect((await site.ask(`get ${host}/nothing`)).code).toBe(66);
    // A stream that ended too early, and one that changed under way.
    expect((await site.ask('put half', 'only a part')).code).toBe(65);
    expect((await site.ask('put other', `other${'0'.repeat(64)}\n`)).code).toBe(65);
    expect(await site.shell('web2', `find ${stored} -type f -exec sha256sum {} + | sort`)).toBe(before);
  });
});

describe('a restore to a point in time', () => {
  /** Leaves a table dropped, with a row written after that; the time before it, and the number of the DROP. */
  async function drop(): Promise<{ readonly time: string; readonly gtid: string }> {
    const time = await site.dropped();
    const gtid = await site.sql(
      "SELECT CONCAT(@@server_uuid, ':', REGEXP_SUBSTR(@@gtid_executed, CONCAT('(?<=', @@server_uuid, ':)1-([0-9]+)')))",
    );
    await site.sql('INSERT INTO shop.`odd  name` VALUES (7)');
    return { time, gtid: gtid.replace(':1-', ':') };
  }
  const later = () => site.sql('SELECT COUNT(*) FROM shop.`odd  name` WHERE id = 7');

  it('replaces no server that takes writes without a word for it', async () => {
    const time = (await site.shell('web1', 'date -u +%Y-%m-%dT%H:%M:%SZ')).trim();
    const refused = await site.hostwright('do', 'backup', 'restore', 'web1', '--to', time, '--yes');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('--replace-writer');
    expect(await site.sql('SELECT COUNT(*) FROM shop.orders')).toBe('3');
  });

  it('has what was written before a DROP TABLE, and sets the other data aside', async () => {
    const { time } = await drop();
    await site.restore(time);
    expect(await site.orders()).toBe('4\t1');
    expect(await later()).toBe('0');
    expect(await site.shell('web1', 'ls -d /var/lib/mysql.before-*')).not.toBe('');
    expect(await site.leftovers()).toBe('');
  });

  it('has all but the DROP TABLE, where that is left out', async () => {
    const { gtid } = await drop();
    const time = (await site.shell('web1', 'date -u -d "+1 second" +%Y-%m-%dT%H:%M:%SZ')).trim();
    await expect.poll(() => Date.now() > Date.parse(time), { timeout: 10_000 }).toBe(true);
    await site.restore(time, '--without', gtid);
    expect(await site.orders()).toBe('5\t1');
    expect(await later()).toBe('1');
  });
});
