import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stopHost } from '../../src/lab/host.ts';
import { labSettings } from '../../src/lab/settings.ts';
import { bareHosts } from '../lab/hosts.ts';
import { visitDoor } from '../lab/visit.ts';
import { anotherState, removePackage } from './another-state.ts';
import { breakOffAt, nameOf, reaches, seed, spread, type Usual } from './moment.ts';
import { sshOptions } from './over-wire.ts';
import { apply, expectLost, expectRecovery, jsonSummary, linesOf, type FaultSite } from './recovery.ts';

/** The whole site on three hosts. */
let site: FaultSite;
let usual: Usual;
let count = 0;

async function visit(): Promise<void> {
  const lab = '/var/lib/hostwright-lab/lost';
  const root = await readFile(`${lab}/acme-root.pem`, 'utf8');
  const door = { domain: 'www.foobar.com', address: site.hosts.address('web1'), root };
  expect((await visitDoor(door, { path: '/api/visits' })).status).toBe(200);
}

async function want(): Promise<void> {
  count += 1;
  await removePackage(site);
}

beforeAll(async () => {
  console.log(`HOSTWRIGHT_SEED=${seed}`);
  const hosts = await bareHosts('lost', '10.213.89', 3);
  site = {
    hosts,
    names: ['web1', 'web2', 'web3'],
    words: () => ['-e', JSON.stringify(count === 0 ? {} : anotherState(count))],
  };
  const first = await apply(site);
  expect(first.code, first.stdout).toBe(0);
  await want();
  const began = performance.now();
  const change = await apply(site);
  expect(change.code, change.stdout).toBe(0);
  const requests = jsonSummary(change).hosts['web2']?.roundTrips ?? 0;
  usual = { seconds: (performance.now() - began) / 1000, requests };
  console.log(`a change: ${usual.seconds.toFixed(1)} s, ${requests} requests on web2`);
});

afterAll(async () => {
  await site.hosts.down();
});

async function bringUp(): Promise<void> {
  const up = await site.hosts.hostwright('lab', 'up');
  expect(up.code, up.stderr).toBe(0);
}

beforeEach(async () => {
  await bringUp();
  await want();
});

describe('the controller of three hosts is killed in the middle of a change', () => {
  it.each(spread(4, 50))('after %s of its time: the next run finishes it', async (share) => {
    const { inTime } = await breakOffAt(site, usual, { share }, (child) => child.kill('SIGKILL'));
    console.log(`killed ${nameOf({ share })}${inTime ? '' : ', but it had ended before'}`);
    await expectRecovery(site);
    await visit();
  });
});

describe.each([
  { fault: 'is rebooted', salt: 51 },
  { fault: 'loses its power and does not come back', salt: 52 },
] as const)('one of three hosts $fault in the middle of a change', ({ fault, salt }) => {
  it.each(spread(2, salt))('after %s of its requests: the others finish', async (share) => {
    // Later than that a host may have nothing left to do.
    const request = 3 + Math.floor(share * (usual.requests - 4));
    const ended = apply(site, ...sshOptions(site));
    await Promise.race([reaches(site, 'web2', request), ended]);
    if (fault === 'is rebooted') await site.hosts.ssh('web2', 'systemctl reboot');
    else await stopHost(labSettings(site.hosts.environment), 'web2');
    const lost = await ended;
    console.log(`web2 ${fault} in request ${request}: status ${String(lost.code)}`);
    const left = expectLost(lost, 'web2', /closed|reset|no data from the host|exit/);
    expect(left.length).toBeGreaterThan(0);
    const others = linesOf(lost, 'result').filter((line) => line['host'] !== 'web2');
    expect(
      others.filter(({ outcome }) => outcome !== 'changed'),
      lost.stdout,
    ).toEqual([]);
    const { hosts } = jsonSummary(lost);
    expect([hosts['web1'], hosts['web2'], hosts['web3']]).toMatchObject([
      { unreachable: false, failed: 0, skipped: 0 },
      { unreachable: true },
      { unreachable: false, failed: 0, skipped: 0 },
    ]);
    await bringUp();
    await expectRecovery(site);
    await visit();
  });
});
