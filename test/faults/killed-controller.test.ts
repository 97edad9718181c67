import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anotherState, removePackage } from './another-state.ts';
import { breakOffAt, nameOf, requestAt, seed, spread, type Moment, type Usual } from './moment.ts';
import { oneHostSite, type OneHostSite } from './one-host-site.ts';
import { apply, expectRecovery, jsonSummary, linesOf } from './recovery.ts';
import { watch, type Watch } from './watch.ts';

/** `kill -9` of `apply` at so many moments of the whole site on one host: half by time, half by request. */
const moments = { change: 20, reload: 16, first: 16 };

let site: OneHostSite;
let count = 0;

beforeAll(async () => {
  console.log(`HOSTWRIGHT_SEED=${seed}`);
  site = await oneHostSite('kills', '10.213.87');
});

afterAll(async () => {
  await site.down();
});

/** What an undisturbed run is like. */
async function usualOf(): Promise<Usual> {
  const began = performance.now();
  const done = await apply(site);
  expect(done.code, done.stdout).toBe(0);
  const requests = jsonSummary(done).hosts['web1']?.roundTrips ?? 0;
  return { seconds: (performance.now() - began) / 1000, requests };
}

function shares(number: number, salt: number): readonly { readonly share: number; readonly by: string }[] {
  return ['time', 'request'].flatMap((by, index) =>
    spread(number / 2, salt + index).map((share) => ({ share, by })),
  );
}

async function killAt(usual: Usual, { share, by }: { share: number; by: string }): Promise<void> {
  const moment: Moment = by === 'time' ? { share } : requestAt(share, usual);
  const { inTime } = await breakOffAt(site, usual, moment, (child) => child.kill('SIGKILL'));
  console.log(`killed ${nameOf(moment)}${inTime ? '' : ', but it had ended before'}`);
  await expectRecovery(site);
}

async function change(): Promise<void> {
  count += 1;
  site.set(anotherState(count));
  await removePackage(site);
}

/** Files that the declaration does not name, but the services have read. */
async function damage(): Promise<void> {
  count += 1;
  await site.shell(`echo "# ${count}" >>/etc/nginx/mime.types
echo "# ${count}" >>/etc/haproxy/errors/503.http`);
}

const later = [
  { what: 'change', prepare: change, salt: 10 },
  { what: 'reload', prepare: damage, salt: 20 },
] as const;

describe.each(later)('the controller is killed in the middle of a $what', ({ what, prepare, salt }) => {
  let usual: Usual;
  let watched: Watch;

  beforeAll(async () => {
    const there = await apply(site);
    expect(there.code, there.stdout).toBe(0);
    await prepare();
    usual = await usualOf();
    console.log(`a ${what}: ${usual.seconds.toFixed(1)} s, ${usual.requests} requests`);
  });

  beforeEach(async () => {
    await prepare();
    watched = watch(() => site.visit());
  });

  afterEach(async () => {
    const { asked, failures } = await watched.stop();
    expect(failures, `of ${asked} visits`).toEqual([]);
    expect(asked).toBeGreaterThan(0);
  });

  it.each(shares(moments[what], salt))('at $share by $by: the next run finishes it', async (moment) => {
    const plan = await site.hosts.hostwright('plan', '--json', ...site.words());
    expect(linesOf(plan, 'change').length).toBeGreaterThan(0);
    await killAt(usual, moment);
  });
});

describe('the controller is killed in the middle of the first provisioning', () => {
  let usual: Usual;

  /** Bare, and nobody has made any secret for it yet. */
  async function bare(): Promise<void> {
    const reset = await site.hosts.hostwright('lab', 'reset', 'web1');
    expect(reset.code, reset.stderr).toBe(0);
    const inventory = site.words()[1] ?? '';
    await rm(join(dirname(inventory), 'group_vars/all/generated.yml'), { force: true });
  }

  beforeAll(async () => {
    await bare();
    usual = await usualOf();
    console.log(`a first provisioning: ${usual.seconds.toFixed(1)} s, ${usual.requests} requests`);
  });

  it.each(shares(moments.first, 30))('at $share by $by: the next run finishes it', async (moment) => {
    await bare();
    await killAt(usual, moment);
    await site.visit();
  });
});
