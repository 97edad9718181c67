import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLines, type Finished } from '../lab/hosts.ts';
import { refusal, servedSite, type ServedSite } from './served-site.ts';
import { traffic } from './traffic.ts';

/** Requests a second; and how many changes of each kind. */
const rate = Number(process.env['HOSTWRIGHT_RATE'] ?? 100);
const rounds = Number(process.env['HOSTWRIGHT_ROUNDS'] ?? 3);

let site: ServedSite;
let version = 1;

const names = ['web1', 'web2', 'web3'];

async function apply(...words: readonly string[]): Promise<Finished> {
  const finished = await site.run('apply', '--yes', '--no-diff', ...words);
  expect(finished.code, finished.stdout + finished.stderr).toBe(0);
  return finished;
}

/** Runs shell on each web server, and applies what it has made necessary. */
async function onEach(script: string, ...words: readonly string[]): Promise<Finished> {
  for (const name of names) await site.hosts.shell(name, script);
  return await apply(...words);
}

/** What the balancer has thought of its servers. */
const seen = (): Promise<string> =>
  site.hosts.shell(
    'web1',
    'journalctl -u haproxy -o short-iso-precise | grep "Server web/" | tail -n 40 || :',
  );

beforeAll(async () => {
  site = await servedSite('unnoticed', '10.213.151');
  await apply();
});
afterAll(() => site.down());

/** By name: does it, and whether hosts are taken out of service for it. */
const changes: readonly (readonly [string, boolean, () => Promise<Finished>])[] = [
  [
    'a release',
    true,
    async () => {
      version += 1;
      await site.release(version);
      return await apply();
    },
  ],
  [
    'a rollback',
    true,
    async () => {
      const finished = await site.run('do', 'app', 'rollback', '--yes');
      expect(finished.code, finished.stdout + finished.stderr).toBe(0);
      await site.forgetRollback();
      await site.release((version += 1));
      await apply();
      return finished;
    },
  ],
  ['the unit of nginx', true, () => onEach('echo >>/etc/systemd/system/nginx.service.d/hostwright.conf')],
  ['the configuration of nginx', false, () => onEach('echo >>/etc/nginx/nginx.conf')],
  ['a package installed again', true, () => onEach('echo >>/usr/share/nginx/html/index.html', '--deep')],
  [
    'the certificates of the web servers',
    false,
    () => onEach('rm /etc/hostwright/pki/nginx.crt /etc/hostwright/pki/nginx.key'),
  ],
];

describe.each(changes)('%s, under load', (_, drains, change) => {
  it('costs no request', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const visitors = traffic(site.door, rate);
      const finished = await change();
      const { sent, failures } = await visitors.stop();
      expect(failures, `of ${sent}\n${await seen()}`).toEqual([]);
      const planned = jsonLines(finished).filter(({ type }) => type === 'change');
      expect(planned.length).toBeGreaterThan(0);
      expect(planned.some((line) => 'drains' in line)).toBe(drains);
    }
  });
});

it('a reboot, under load, costs no request', async () => {
  const visitors = traffic(site.door, rate);
  for (const host of ['web2', 'web3']) {
    const finished = await site.run('do', 'base', 'reboot', host, '--yes');
    expect(finished.code, finished.stdout + finished.stderr).toBe(0);
  }
  const { sent, failures } = await visitors.stop();
  expect(failures, `of ${sent}`).toEqual([]);
});

describe('what one server would not take is not begun on the others', () => {
  /** Applies what fails on web3 alone, and what it has done to services and links. */
  async function switched(): Promise<readonly object[]> {
    const finished = await site.run('apply', '--yes', '--no-diff');
    expect(finished.code, finished.stdout + finished.stderr).toBe(1);
    const results = jsonLines(finished).filter(({ type }) => type === 'result');
    expect(results.filter(({ outcome }) => outcome === 'failed').map(({ host }) => host)).toContain('web3');
    return results.filter(
      ({ outcome, resource }) => outcome === 'changed' && !String(resource).startsWith('app_release:'),
    );
  }

  it('a release that its own check refuses there', async () => {
    await site.hosts.shell('web3', `touch ${refusal}`);
    await site.release((version += 1));
    expect(await switched()).toEqual([]);
    await site.hosts.shell('web3', `rm ${refusal}`);
    await apply();
  });

  it('a configuration that is not valid there', async () => {
    for (const name of names) await site.hosts.shell(name, 'echo >>/etc/nginx/nginx.conf');
    await site.hosts.shell('web3', 'cp -a /etc/nginx/mime.types /root; echo broken >>/etc/nginx/mime.types');
    expect(await switched()).toEqual([]);
    await site.hosts.shell('web3', 'cp -a /root/mime.types /etc/nginx');
    await apply();
  });
});
