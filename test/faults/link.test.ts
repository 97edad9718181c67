import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anotherState, removePackage } from './another-state.ts';
import { reaches, requestAt, seed, spread } from './moment.ts';
import { oneHostSite, type OneHostSite } from './one-host-site.ts';
import { overWire } from './over-wire.ts';
import { apply, expectLost, expectRecovery, jsonSummary } from './recovery.ts';
import { watch, type Watch } from './watch.ts';

/** So many breaks of each kind, spread over the requests of a change of the whole site on one host. */
const breaks = 8;

let site: OneHostSite;
let requests: number;
let watched: Watch;
let count = 0;

async function want(): Promise<void> {
  count += 1;
  site.set(anotherState(count));
  await removePackage(site);
}

beforeAll(async () => {
  console.log(`HOSTWRIGHT_SEED=${seed}`);
  site = await oneHostSite('links', '10.213.88');
  const first = await apply(site);
  expect(first.code, first.stdout).toBe(0);
  // The role base has sshd give up a silent client after three minutes; here it takes three seconds.
  const silence = 'ClientAliveInterval 1\nClientAliveCountMax 3\n';
  await site.shell('cat >/etc/ssh/sshd_config.d/00-a-silence.conf; systemctl reload ssh', silence);
  await want();
  requests = jsonSummary(await apply(site)).hosts['web1']?.roundTrips ?? 0;
  console.log(`a change: ${requests} requests`);
});

afterAll(async () => {
  await site.down();
});

beforeEach(async () => {
  await want();
  watched = watch(() => site.visit());
});

afterEach(async () => {
  const { asked, failures } = await watched.stop();
  expect(failures, `of ${asked} visits`).toEqual([]);
  expect(asked).toBeGreaterThan(0);
});

describe.each([
  { fault: 'cut', salt: 40, reason: /connection reset by peer/ },
  { fault: 'frozen', salt: 41, reason: /no data from the host for 2 s/ },
] as const)('the connection is $fault in the middle of a change', ({ fault, salt, reason }) => {
  it.each(spread(breaks, salt))('after %s of its requests: the next run finishes it', async (share) => {
    const moment = requestAt(share, { seconds: 0, requests });
    const request = 'request' in moment ? moment.request : requests;
    const { wire, words } = await overWire(site, 'web1');
    const ended = apply(site, ...words);
    await Promise.race([reaches(site, 'web1', request), ended]);
    if (fault === 'cut') wire.cut();
    else wire.freeze();
    const lost = await ended;
    console.log(`${fault} in request ${request} of ${requests}: status ${String(lost.code)}`);
    // Where only the answer of the last request was under way the run may be over.
    if (lost.code !== 0) expectLost(lost, 'web1', reason);
    await expectRecovery(site);
  });
});
