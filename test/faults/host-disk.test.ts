import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { apply, expectRecovery, linesOf } from './recovery.ts';
import { smallSite, type SmallSite } from './small-site.ts';
import { strikesOn, type Strikes } from './strikes.ts';
import { watch, type Watch } from './watch.ts';

let site: SmallSite;
let watched: Watch;

let strikes: Strikes;

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

/** The web server has not stopped answering, whatever happened to the disk. */
afterEach(async () => {
  await strikes.removeAll();
  const { asked, failures } = await watched.stop();
  expect(failures).toEqual([]);
  expect(asked).toBeGreaterThan(0);
});

/** One run fails for `resource` alone, in these words, and changes nothing in `folder`. */
async function expectFailure(resource: string, words: RegExp, folder: string): Promise<void> {
  const list = `find ${folder} -printf "%p %y %m %l\n" | sort; find ${folder} -type f ! -name "filler*" | sort | xargs -r sha256sum`;
  const before = await site.shell(list);
  const failed = await apply(site);
  expect(failed.code, failed.stdout).toBe(1);
  const results = linesOf(failed, 'result').filter((line) => line['outcome'] === 'failed');
  expect(results.map((line) => line['resource'])).toContain(resource);
  for (const result of results) {
    expect(result['host']).toBe('web1');
    expect(result['reason']).toMatch(words);
  }
  expect(await site.shell(list)).toBe(before);
}

const full = /no space left on device/i;
const readOnly = /read-only file system/i;

const faults = [
  { name: 'a full disk', strike: 'fill', words: full },
  { name: 'no inodes', strike: 'useUpInodes', words: full },
  { name: 'a read-only file system', strike: 'freeze', words: readOnly },
] as const;

/** Large, so that the name of the new one is not all there is to store. */
const large = 10_000;

describe.each(faults)('$name', ({ name, strike, words }) => {
  const folderFor = (what: string): string => `/srv/${name.replaceAll(' ', '-')}-${what}`;

  it('leaves the old file as it is', async () => {
    const folder = folderFor('old');
    const path = `${folder}/file`;
    await site.shell(`mkdir -p ${folder}; echo old >${path}`);
    site.want({ small_files: [path, '/srv/beside'], small_size: large });
    await strikes[strike](folder);
    await expectFailure(`file:${path}`, words, folder);
    // The rest of the run has gone on.
    expect(await site.shell('head -n 1 /srv/beside')).toBe(`${site.word()}\n`);
    await strikes.removeAll();
    await expectRecovery(site);
  });

  it('brings no new file half-way', async () => {
    const folder = folderFor('new');
    const path = `${folder}/new`;
    site.want({ small_files: [path], small_size: large });
    await strikes[strike](folder);
    await expectFailure(`file:${path}`, words, folder);
    await strikes.removeAll();
    await expectRecovery(site);
  });

  it('leaves a file as it is in which a line is to change', async () => {
    const folder = folderFor('line');
    const path = `${folder}/lines`;
    await site.shell(
      `mkdir -p ${folder}; yes some other line | head -n 2000 >${path}; echo word old >>${path}`,
    );
    site.want({ small_lines: [path] });
    await strikes[strike](folder);
    await expectFailure(`line:${path} ^word `, words, folder);
    await strikes.removeAll();
    await expectRecovery(site);
  });

  it('lets nothing of a configuration go live', async () => {
    const before = await site.served();
    site.want();
    await strikes[strike]('/etc/nginx');
    await expectFailure('file:/etc/nginx/conf.d/small.conf', words, '/etc/nginx');
    expect(await site.served()).toBe(before);
    await strikes.removeAll();
    await expectRecovery(site);
    expect(await site.served()).toBe(site.word());
  });
});

describe('no inodes and a read-only file system', () => {
  it.each([
    ['no inodes', 'useUpInodes', full],
    ['a read-only file system', 'freeze', readOnly],
  ] as const)('%s leaves links and directories as they are', async (name, strike, words) => {
    const folder = `/srv/names-${name.length}`;
    await site.shell(`mkdir -p ${folder}; ln -sfn old ${folder}/link`);
    site.want({ small_links: [`${folder}/link`], small_directories: [`${folder}/directory`] });
    await strikes[strike](folder);
    await expectFailure(`link:${folder}/link`, words, folder);
    await strikes.removeAll();
    await expectRecovery(site);
  });
});

describe('a full disk where Hostwright itself needs space', () => {
  it.each([
    ['a full /run/hostwright', () => strikes.fill('/run/hostwright', '32k')],
    ['a /run/hostwright without inodes', () => strikes.useUpInodes('/run/hostwright')],
  ])('%s is said before anything is changed', async (_, strike) => {
    const before = await site.served();
    site.want({ small_files: ['/srv/many'], small_size: large });
    await strike();
    const failed = await apply(site);
    expect(failed.code, failed.stdout).toBe(1);
    const [error] = linesOf(failed, 'error');
    expect(error).toMatchObject({ code: 'E_REMOTE', host: 'web1' });
    expect(JSON.stringify(error)).toMatch(/no space left|cannot make a folder below/);
    expect(JSON.stringify(error)).toContain('/run/hostwright');
    expect(await site.served()).toBe(before);
    await strikes.removeAll();
    await expectRecovery(site);
  });

  it('a /run/hostwright that fills up under way leaves nothing half done', async () => {
    const before = await site.served();
    site.want({ small_files: ['/srv/many'], small_size: large });
    // Enough for the plan, not for the contents.
    await strikes.mountSmall('/run/hostwright', 'size=192k');
    const failed = await apply(site);
    expect(failed.code, failed.stdout).toBe(1);
    const [error] = linesOf(failed, 'error');
    expect(error).toMatchObject({ code: 'E_REMOTE', host: 'web1' });
    expect(JSON.stringify(error)).toContain('no space left below /run/hostwright');
    expect([before, site.word()]).toContain(await site.served());
    await strikes.removeAll();
    await expectRecovery(site);
  });

  it('what was applied and cannot be recorded is said, and recorded by the next run', async () => {
    site.want();
    await strikes.fill('/var/lib/hostwright', '16k');
    const failed = await apply(site);
    expect(failed.code, failed.stdout).toBe(1);
    const [error] = linesOf(failed, 'error');
    expect(error).toMatchObject({ code: 'E_REMOTE', host: 'web1' });
    expect(String(error?.['message'])).toContain('the record of applied resources cannot be written');
    expect(String(error?.['found'])).toMatch(/\/var\/lib\/hostwright\/applied: .*No space left on device/);
    expect(await site.served()).toBe(site.word());
    expect(await site.shell('ls -A /var/lib/hostwright')).toBe('applied\nfiller\n');
    await strikes.removeAll();
    await expectRecovery(site);
    const { stdout } = await site.hosts.ssh('web1', 'rm /etc/nginx/conf.d/small.conf; echo removed');
    expect(stdout).toBe('removed\n');
    const plan = await site.hosts.hostwright('plan', '--json', ...site.words());
    expect(linesOf(plan, 'change').map((line) => line['cause'])).toContain('drift');
    await expectRecovery(site);
  });
});

describe('a full disk while packages come', () => {
  const packages = { small_packages: ['tree'] };

  afterEach(async () => {
    await site.shell('dpkg --purge tree >/dev/null 2>&1; apt-get clean');
  });

  it.each([
    ['the cache of apt', '/var/cache/apt/archives', /enough free space|No space left/],
    ['what dpkg writes', '/usr/share/doc', full],
    ['the state of dpkg', '/var/lib/dpkg', /No space left on device|not enough free disk space/i],
  ])('%s', async (_, folder, words) => {
    await site.shell('apt-get clean');
    site.want(packages);
    await strikes.fill(folder, folder === '/var/lib/dpkg' ? '60m' : '30m');
    const failed = await apply(site);
    expect(failed.code, failed.stdout).toBe(1);
    const results = linesOf(failed, 'result').filter((line) => line['outcome'] === 'failed');
    expect(results.map((line) => line['resource'])).toEqual(['package:tree']);
    expect(results[0]?.['reason']).toMatch(words);
    await strikes.removeAll();
    await expectRecovery(site);
    await site.shell('command -v tree');
  });
});
