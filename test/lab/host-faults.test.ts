import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { apply, expectRecovery, linesOf } from '../faults/recovery.ts';
import { smallSite, type SmallSite } from '../faults/small-site.ts';
import { killDpkg, strikesOn, type Strikes } from '../faults/strikes.ts';
import { watch, type Watch } from '../faults/watch.ts';

/** A handful of those that test/faults/host-*.test.ts has many of. */
let site: SmallSite;
let strikes: Strikes;
let watched: Watch;

beforeAll(async () => {
  site = await smallSite('hostfaults', '10.213.98');
  strikes = strikesOn((script) => site.shell(script));
  site.want();
  const first = await apply(site);
  expect(first.code, `${first.stdout}\n${first.stderr}`).toBe(0);
});

afterAll(async () => {
  await site.down();
});

beforeEach(() => {
  watched = watch(async () => {
    await site.served();
  });
});

afterEach(async () => {
  await strikes.removeAll();
  const { asked, failures } = await watched.stop();
  expect(failures).toEqual([]);
  expect(asked).toBeGreaterThan(0);
});

describe('a fault of the host', () => {
  /** What a run failed at, for want of space. */
  async function failFor(): Promise<readonly string[]> {
    const failed = await apply(site);
    expect(failed.code, failed.stdout).toBe(1);
    const results = linesOf(failed, 'result').filter((line) => line['outcome'] === 'failed');
    for (const result of results) expect(result['reason']).toContain('No space left on device');
    return results.map((line) => String(line['resource']));
  }

  it('a full disk leaves the old file, and nothing of the new one', async () => {
    await site.shell('mkdir -p /srv/full; echo old >/srv/full/file');
    site.want({ small_files: ['/srv/full/file'], small_size: 10_000 });
    await strikes.fill('/srv/full');
    expect(await failFor()).toEqual(['file:/srv/full/file']);
    expect(await site.shell('cat /srv/full/file; ls -A /srv/full')).toBe('old\nfile\nfiller\n');
    await strikes.removeAll();
    await expectRecovery(site);
  });

  it('a full disk leaves what is served', async () => {
    const before = await site.served();
    site.want();
    await strikes.fill('/etc/nginx');
    expect(await failFor()).toEqual(['file:/etc/nginx/conf.d/small.conf', 'service:nginx.service']);
    expect(await site.served()).toBe(before);
    await strikes.removeAll();
    await expectRecovery(site);
    expect(await site.served()).toBe(site.word());
  });

  it('a dpkg that was killed is finished, as the plan says', async () => {
    await site.shell(killDpkg.script, killDpkg.postinst);
    onTestFinished(async () => {
      await site.shell(killDpkg.cleanUp);
    });
    const plan = await site.hosts.hostwright('plan', '--json', ...site.words());
    expect(linesOf(plan, 'change')).toMatchObject([{ resource: 'dpkg:system', action: 'update' }]);
    await expectRecovery(site);
    expect(await site.shell('dpkg-query -W slow')).toBe('slow\t1\n');
  });
});
