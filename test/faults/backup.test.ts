import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backupSite, program, stored, type BackupSite } from '../lab/backup-site.ts';
import { measureRestores } from './restore-figures.ts';

let site: BackupSite;

beforeAll(async () => {
  site = await backupSite('bfaults', '10.213.105', 'mysql');
  // For all that follows.
  await site.copied();
});

afterAll(async () => {
  await site.down();
});

describe('a restore test fails, and says why', () => {
  /** Tests the last copy after something was done to it, which is undone then. */
  async function damaged(damage: string, undo: string) {
    const [, time = ''] = (await site.listed()).at(-1) ?? [];
    const file = `${stored}/${time}`;
    await site.shell('web2', `file=${file}; ${damage}`);
    try {
      const { code, stderr } = await site.hosts.ssh('web1', `${program} test web1/${time}`);
      return { code, stderr };
    } finally {
      await site.shell('web2', `file=${file}; ${undo}`);
      expect(await site.leftovers()).toBe('');
    }
  }
  const copyOf = (kind: string): string => `cp -p $file.${kind} /var/tmp/kept`;
  const back = (kind: string): string => `cp -p /var/tmp/kept $file.${kind}`;

  it.each([
    [
      'data that are cut off',
      `${copyOf('data')}; truncate -s -1000 $file.data`,
      back('data'),
      /the data of \S+ cannot be read/,
    ],
    [
      'data with one other bit',
      `${copyOf('data')}; printf x | dd of=$file.data bs=1 seek=300000 conv=notrunc`,
      back('data'),
      /the data of \S+ cannot be read/,
    ],
    [
      'a manifest of nonsense',
      `${copyOf('manifest')}; echo x >$file.manifest`,
      back('manifest'),
      /the manifest of \S+ cannot be read/,
    ],
    ['no manifest', 'mv $file.manifest /var/tmp/kept', back('manifest'), /there is no copy/],
  ])('%s', async (_, damage, undo, words) => {
    const { code, stderr } = await damaged(damage, undo);
    expect(stderr).toMatch(words);
    expect(code).toBe(70);
  });

  it('another key', async () => {
    const key = '/etc/hostwright/backup/test.key';
    const { code, stderr } = await (async () => {
      await site.shell('web1', `cp ${key} /root/kept; age-keygen 2>/dev/null | tail -n 1 >${key}`);
      try {
        return await damaged(':', ':');
      } finally {
        await site.shell('web1', `cp /root/kept ${key}`);
      }
    })();
    expect(stderr).toMatch(/no identity matched/);
    expect(code).toBe(70);
  });
});

describe('a copy that cannot be made', () => {
  const names = async (): Promise<readonly string[]> => (await site.listed()).map(([, time = '']) => time);

  it('for want of space leaves none, and says how much is missing', async () => {
    const before = await names();
    await site.shell(
      'web1',
      'mkdir -p /srv/small && mount -t tmpfs -o size=20m tmpfs /srv/small && sed -i s,^scratch=.*,scratch=/srv/small/x, /etc/hostwright/backup/backup.conf',
    );
    try {
      const { code, stderr } = await site.hosts.ssh('web1', `${program} now`);
      expect(stderr).toMatch(
        /no space for a copy of the data: \d+ MiB are needed in \/srv\/small\S*, and 20 MiB are free/,
      );
      expect(code).toBe(70);
    } finally {
      expect((await site.hostwright('apply', '--yes', '--role', 'backup')).code).toBe(0);
      await site.shell('web1', 'umount /srv/small');
    }
    expect(await names()).toEqual(before);
  });

  it('where the storing host is full is refused there, and leaves no part of it', async () => {
    const before = await names();
    await site.shell(
      'web2',
      "sed -i 's/backup-store web1 [0-9]* /backup-store web1 1000 /' /etc/hostwright/backup-store/authorized_keys",
    );
    const { code, said } = await site.start('hostwright-backup');
    expect(said).toMatch(/no space for backups of web1/);
    expect(code).not.toBe(0);
    expect((await site.hostwright('apply', '--yes', '--role', 'backup')).code).toBe(0);
    expect(await names()).toEqual(before);
    expect(await site.shell('web2', `find ${stored} -name '.*'`)).toBe('');
  });

  it('where the storing host is away says so', async () => {
    await site.shell('web2', 'systemctl stop hostwright-backup-store.socket');
    const { stderr, code } = await site.hosts.ssh('web1', `${program} now`);
    expect(stderr).toMatch(/the storing host \S+ cannot be reached/);
    expect(code).toBe(75);
    expect((await site.hostwright('apply', '--yes', '--role', 'backup')).code).toBe(0);
    expect(await site.leftovers()).toBe('');
  });

  it('where another host answers for the storing host is not sent', async () => {
    await site.shell(
      'web2',
      'ssh-keygen -q -t ed25519 -N "" -f /root/other && cat /root/other >/etc/hostwright/backup-store/host_key',
    );
    const { stderr, code } = await site.hosts.ssh('web1', `${program} now`);
    expect(stderr).toMatch(/HOST IDENTIFICATION HAS CHANGED/);
    expect(code).toBe(75);
    expect((await site.hostwright('apply', '--yes', '--role', 'backup')).code).toBe(0);
  });

  it('killed in the middle is none, ends its scratch server, and the next one is good', async () => {
    const before = await names();
    await site.shell('web1', 'systemctl start --no-block hostwright-backup');
    await expect
      .poll(() => site.leftovers(), { timeout: 60_000, interval: 20 })
      .toContain('--skip-networking');
    await site.shell('web1', 'kill -KILL $(systemctl show -p MainPID --value hostwright-backup)');
    await expect
      .poll(
        async () => (await site.hosts.ssh('web1', 'systemctl is-active hostwright-backup')).stdout.trim(),
        {
          timeout: 30_000,
        },
      )
      .toBe('failed');
    expect(await site.leftovers()).toBe('');
    expect(await names()).toEqual(before);
    expect((await site.start('hostwright-backup')).code).toBe(0);
    expect(await names()).toHaveLength(before.length + 1);
  });
});

describe('binary logs', () => {
  const logs = async (): Promise<readonly string[]> =>
    (await site.shell('web2', `find ${stored}/*-* -type f -printf '%f\\n' | sort`))
      .split('\n')
      .filter(Boolean);

  it('are stored when something was written, and a server at rest sends none', async () => {
    expect((await site.start('hostwright-backup-logs')).code).toBe(0);
    const before = await logs();
    expect((await site.start('hostwright-backup-logs')).code).toBe(0);
    expect(await logs()).toEqual(before);
    await site.sql('INSERT INTO shop.orders (note) VALUES (UUID())');
    expect((await site.start('hostwright-backup-logs')).code).toBe(0);
    expect((await logs()).slice(0, before.length)).toEqual(before);
    expect(await logs()).toHaveLength(before.length + 1);
  });

  it('are stored beside the older ones of a server that began its numbers anew', async () => {
    const before = await logs();
    await site.sql('RESET BINARY LOGS AND GTIDS', 'INSERT INTO shop.orders (note) VALUES (UUID())');
    const { code, said } = await site.start('hostwright-backup-logs');
    expect(code, said).toBe(0);
    expect(await logs()).toEqual(expect.arrayContaining([...before]));
    expect((await logs()).length).toBeGreaterThan(before.length);
  });
});

describe('retention', () => {
  it('removes what is too old, and never the newest copy, or the newest that a test has passed', async () => {
    expect((await site.start('hostwright-backup')).code).toBe(0);
    const before = (await site.listed()).map(([, time = '']) => time);
    await site.shell(
      'web2',
      `find ${stored} -type f -exec touch -d '-20 days' {} +; systemctl start hostwright-backup-retention`,
    );
    const after = await site.listed();
    expect(after.map(([, time]) => time)).toEqual([before[0], before.at(-1)]);
    expect(before.length).toBeGreaterThanOrEqual(3);
    await site.shell(
      'web2',
      `touch ${stored}/20200101T000000Z.data && touch -d '-3 days' ${stored}/20200101T000000Z.data; systemctl start hostwright-backup-retention`,
    );
    expect(await site.shell('web2', `ls ${stored}`)).not.toContain('20200101');
  });
});

it('a copy, and a time after it, are restored with their checksums', async () => {
  await measureRestores(site);
});
