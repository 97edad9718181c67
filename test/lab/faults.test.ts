import { spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { heldSite, type HeldSite, type Point } from '../faults/held.ts';
import { breakOffAt, nameOf, requestAt, seed, spread, type Moment, type Usual } from '../faults/moment.ts';
import { overWire } from '../faults/over-wire.ts';
import { apply, expectRecovery, linesOf } from '../faults/recovery.ts';
import { watch, type Watch } from '../faults/watch.ts';
import { jsonLines } from './hosts.ts';
import type { Wire } from './wire.ts';

let site: HeldSite;
let watched: Watch;

async function visit(): Promise<void> {
  const url = `http://${site.hosts.address('web1')}:8080/`;
  const answer = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(10_000) });
  if (answer.status !== 200) throw new Error(`status ${answer.status}`);
  await answer.text();
}

beforeAll(async () => {
  console.log(`HOSTWRIGHT_SEED=${seed}`);
  site = await heldSite('breaks', '10.213.86');
  const first = await apply(site);
  expect(first.code, first.stdout).toBe(0);
});

afterAll(async () => {
  await site.down();
});

/** Each test starts from a site that is as it should be, wants another state, and must not disturb visitors. */
beforeEach(async () => {
  await site.want();
  watched = watch(visit);
});

afterEach(async () => {
  const { asked, failures } = await watched.stop();
  await site.letGo();
  expect(failures).toEqual([]);
  expect(asked).toBeGreaterThan(0);
});

async function served(): Promise<string> {
  return (await fetch(`http://${site.hosts.address('web1')}:8080/`)).text();
}

/** Starts `apply` and waits until it has come to a point of its way, where it stays. */
async function startAndHold(
  point: Point,
  ...words: readonly string[]
): Promise<{ readonly ended: ReturnType<typeof apply> }> {
  await site.hold(point);
  const ended = apply(site, ...words);
  await Promise.race([site.held(point), ended]);
  return { ended };
}

describe('the controller is killed in the middle of a change', () => {
  const usual: Usual = { seconds: 2.5, requests: 5 };
  const moments: readonly Moment[] = [
    ...spread(3, 1).map((share) => requestAt(share, usual)),
    ...spread(2, 2).map((share) => ({ share: 0.3 + 0.6 * share })),
  ];

  it.each(moments.map((moment) => ({ moment, name: nameOf(moment) })))('$name', async ({ moment }) => {
    await breakOffAt(site, usual, moment, (child) => child.kill('SIGKILL'));
    await expectRecovery(site);
    expect(await served()).toBe(site.word());
  });
});

describe.each([
  { fault: 'cut', reason: /connection reset by peer/ },
  { fault: 'frozen', reason: /no data from the host for 2 s/ },
] as const)('the connection is $fault', ({ fault, reason }) => {
  const breakIt = (wire: Wire): void => {
    if (fault === 'cut') wire.cut();
    else wire.freeze();
  };

  async function expectLost(ended: ReturnType<typeof apply>): Promise<void> {
    const lost = await ended;
    expect(lost.code, lost.stdout).toBe(3);
    expect(linesOf(lost, 'error')).toMatchObject([
      { code: 'E_CONNECT', host: 'web1', message: expect.stringContaining('connection lost while') },
    ]);
    expect(linesOf(lost, 'error')[0]?.['found']).toMatch(reason);
    const left = linesOf(lost, 'result').filter(({ outcome }) => outcome === 'skipped');
    expect(left.map((line) => line['reason'])).toContain('the host was lost');
  }

  it('in the middle of an upload, of which nothing is taken', async () => {
    const { wire, words } = await overWire(site, 'web1');
    const ended = apply(site, ...words);
    await Promise.race([wire.sent(3_000_000), ended]);
    breakIt(wire);
    await expectLost(ended);
    await expectRecovery(site);
    const large = await site.hosts.ssh('web1', 'stat -c %s /srv/held/large');
    expect(Number(large.stdout)).toBe(8_000_000);
  });

  it.each(['packages', 'reload'] as const)(
    'in the middle of the step %s, which comes to its end on the host',
    async (point) => {
      const { wire, words } = await overWire(site, 'web1');
      const { ended } = await startAndHold(point, ...words);
      breakIt(wire);
      await expectLost(ended);
      const second = await apply(site);
      expect(linesOf(second, 'error')).toMatchObject([{ code: 'E_LOCKED', host: 'web1' }]);
      await site.letGo();
      await expectRecovery(site);
      expect(await served()).toBe(site.word());
    },
  );
});

describe('on the host', () => {
  /** The shell of the session reads its requests from a pipe, and has the lock of the host open. */
  const killShell = `for p in /proc/[0-9]*; do
  case "$(readlink "$p/fd/9") $(readlink "$p/fd/0")" in
    "/run/hostwright/lock pipe:"*) kill -9 "\${p#/proc/}" && echo killed ;;
  esac
done`;

  it('the remote shell is killed: the step in hand keeps the lock and comes to its end', async () => {
    const { ended } = await startAndHold('reload');
    expect((await site.hosts.ssh('web1', killShell)).stdout).toBe('killed\n');
    const lost = await ended;
    expect(lost.code, lost.stdout).toBe(3);
    expect(linesOf(lost, 'error')).toMatchObject([
      { code: 'E_CONNECT', message: expect.stringContaining('connection lost while') },
    ]);
    const second = await apply(site);
    expect(linesOf(second, 'error')).toMatchObject([{ code: 'E_LOCKED', host: 'web1' }]);
    await site.letGo();
    await expectRecovery(site);
    expect(await served()).toBe(site.word());
  });

  it.each(['packages', 'reload'] as const)(
    'sshd is restarted in the middle of the step %s: the run goes on',
    async (point) => {
      const { ended } = await startAndHold(point);
      await site.hosts.ssh('web1', 'systemctl restart ssh');
      await site.letGo();
      const done = await ended;
      expect(done.code, done.stdout).toBe(0);
      await expectRecovery(site);
    },
  );
});

describe('two at once', () => {
  it('the second run leaves with who holds the lock, from where and since when, and touches nothing', async () => {
    const before = new Date(Date.now() - 60_000);
    const { ended } = await startAndHold('reload');
    const second = await apply(site);
    expect(second.code).toBe(1);
    const [error] = linesOf(second, 'error');
    expect(error).toMatchObject({ code: 'E_LOCKED', host: 'web1' });
    const [, user, controller, since] =
      /^another run holds the lock: (\S+) on (\S+) \(pid \d+\) since (\S+)$/.exec(
        String(error?.['message']),
      ) ?? [];
    expect(user).toBe('root');
    expect(controller).not.toBe('');
    expect(new Date(since ?? '').getTime()).toBeGreaterThan(before.getTime());
    expect(linesOf(second, 'result')).toEqual([]);
    await site.letGo();
    expect((await ended).code).toBe(0);
    await expectRecovery(site);
  });
});

describe('Ctrl-C', () => {
  it('lets the step in hand come to its end, leaves the rest and says so', async () => {
    await site.hold('packages');
    const words = ['bin/hostwright', 'apply', '--yes', '--json', ...site.words()];
    const child = spawn(process.execPath, words, {
      env: site.hosts.environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    await site.held('packages');
    child.kill('SIGINT');
    const code = new Promise<number | null>((done) => child.once('exit', done));
    await site.letGo();
    expect(await code).toBe(130);
    const lines = jsonLines({ code: 130, stdout, stderr: '' });
    expect(lines.at(-1)).toMatchObject({ type: 'summary', ok: false, interrupted: true });
    const outcomes = lines.filter((line) => line.type === 'result');
    expect(outcomes.find((line) => line['resource'] === 'package:tree')).toMatchObject({
      outcome: 'changed',
    });
    expect(outcomes.find((line) => line['resource'] === 'service:nginx.service')).toMatchObject({
      outcome: 'skipped',
      reason: 'interrupted',
    });
    await expectRecovery(site);
  });
});
