import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lines, sh, type Script } from '../../src/index.ts';
import { parseLoaded, type Reading, type Stale } from '../../src/resources/service/due.ts';
import { listLoaded, printLoaded, recordLoaded, type Watched } from '../../src/resources/service/loaded.ts';
import type { Answer } from '../../src/transport/transport.ts';
import { openRoot, type Root } from '../../src/testing/index.ts';

// What a service has read, recorded by the host and compared by the controller.

const reload: Watched = {
  unit: 'a@b:c.service',
  action: 'reload',
  paths: ['/srv/w', '/srv/w/inner', '/srv/w', '/srv/ä b', '/srv/none', '/srv/linked'],
  whole: ['/srv/w/whole'],
};
const restart: Watched = {
  unit: 'a@b:c.service',
  action: 'restart',
  paths: ['/srv/w/link/x', '/srv/current', '/srv/current/marker', '/etc/systemd/system/a@.service.d'],
  whole: [],
};

let root: Root;

beforeAll(async () => {
  root = await openRoot();
});

afterAll(async () => {
  await root.close();
});

/** A tree with names of every kind, and with times that say nothing. */
const make = sh`rm -rf /srv/* /run/hostwright/loaded /etc/systemd/system/a@*
mkdir -p /srv/w/inner /srv/w/.hostwright.tmp /srv/far/deep /srv/releases/1 /srv/releases/2 '/srv/ä b' /srv/w/whole
cd /srv/w
echo a >plain; echo b >inner/b; echo far >../far/x; echo z >'../ä b/z'; mkfifo pipe; : >empty
echo c >"$(printf 'line\nbreak')"; echo d >'back\slash'; echo e >"$(printf 'no\377text')"; echo f >"$(printf 'return\r')"
ln -s /srv/far link; ln -s "$(printf 'to\nnowhere')" "$(printf 'odd\nlink')"
echo target >/srv/target; ln -s /srv/target enabled; ln -s /srv/far/deep /srv/linked; echo deep >/srv/far/deep/file
echo 1 >/srv/releases/1/marker; echo 1 >/srv/releases/2/marker; ln -s releases/1 /srv/current
truncate -s 1T /srv/huge; ln -s /srv/huge huge
echo passing >.hostwright.tmp/file; echo passing >.hostwright.file
truncate -s 1G large
touch -d '2020-01-01 00:00' plain inner/b`;

const first = { InvocationID: 'a', StateChangeTimestampMonotonic: '1' };

/** What systemd would say of the process. */
const systemctl = (process: Reading['process']): Script =>
  sh`systemctl() { printf '%s\n' ${Object.entries(process).map(([name, value]) => `${name}=${value}`)}; }`;

async function read(watched: readonly Watched[]): Promise<Answer> {
  return await root.run(lines([listLoaded(watched), printLoaded(watched)]));
}

async function found(reading: Partial<Reading> = {}): Promise<readonly Stale[]> {
  const { stdout, stderr, code } = await read([reload, restart]);
  expect(code, stderr.toString()).toBe(0);
  const { staleOf } = parseLoaded(stdout);
  return [reload, restart].map((one) => staleOf(one, { since: NaN, process: first, ...reading }));
}

const stale = async (reading?: Partial<Reading>): Promise<readonly boolean[]> =>
  (await found(reading)).map(({ isStale }) => isStale);

const record = (): Promise<string> => root.ask(lines([systemctl(first), recordLoaded([reload, restart])]));
const now = async (): Promise<number> => Number(await root.ask(sh`sleep 0.02; date +%s.%N; sleep 0.02`));
const manyFiles = sh`mkdir -p /srv/w/many; cd /srv/w/many; seq 20000 | xargs touch`;

const damage: readonly (readonly [Script, readonly boolean[]])[] = [
  [sh`echo A >/srv/w/plain; touch -d '2020-01-01 00:00' /srv/w/plain`, [true, false]],
  [sh`echo FAR >/srv/far/x`, [false, true]],
  [sh`rm /srv/w/link; ln -s /srv/w/inner /srv/w/link`, [true, true]],
  [sh`mv /srv/w/inner/b /srv/w/inner/c`, [true, false]],
  [sh`rm "$(printf '/srv/w/line\nbreak')"`, [true, false]],
  [sh`echo E >"$(printf '/srv/w/no\377text')"`, [true, false]],
  [sh`truncate -s 2G /srv/w/large`, [true, false]],
  [sh`echo y >'/srv/ä b/y'`, [true, false]],
  [sh`echo other >/srv/target`, [true, false]],
  [sh`echo more >/srv/far/deep/more`, [true, false]],
  [sh`ln -sfT releases/2 /srv/current`, [false, true]],
  [sh`echo 2 >/srv/releases/2/marker`, [false, true]],
  [sh`echo passing >/srv/releases/2/more`, [false, false]],
  [
    sh`mkdir -p /etc/systemd/system/a@.service.d; echo x >/etc/systemd/system/a@.service.d/x.conf`,
    [false, true],
  ],
  [sh`echo x >/etc/systemd/system/a@.service.d/x.conf.bak`, [false, false]],
  [sh`echo x >/etc/systemd/system/a@.service`, [false, true]],
  [
    sh`cd /srv/w; for name in plain.dpkg-old plain.ucf-dist plain~ .plain.swp '#plain#' .#plain; do echo x >"$name"; done`,
    [false, false],
  ],
  [sh`echo x >/srv/w/whole/plain~`, [true, false]],
  [sh`chmod 600 /srv/w/plain`, [false, false]],
  [sh`echo other >/srv/w/.hostwright.tmp/file; rm /srv/w/pipe; mkdir /srv/w/folder`, [false, false]],
];

test.each<[string, Script, number]>([
  ['a small tree', sh``, Infinity],
  ['a tree of twenty thousand files', manyFiles, 2],
])('%s is what was recorded until it changes', async (_, more, changes) => {
  await root.ask(lines([make, more]));
  await record();
  expect(await stale()).toEqual([false, false]);
  for (const [change, expected] of damage.slice(0, changes)) {
    await root.ask(change);
    expect(await stale(), change.text).toEqual(expected);
    await record();
    expect(await stale(), change.text).toEqual([false, false]);
  }
});

test.each<[string, Script]>([
  ['a small tree', sh``],
  ['a tree of twenty thousand files', manyFiles],
])('of %s without a record what changed after the start of the process counts', async (_, more) => {
  await root.ask(lines([make, more]));
  const between = await now();
  expect(await stale()).toEqual([false, false]);
  expect(await stale({ since: between })).toEqual([false, false]);
  expect(await stale({ since: between - 3600 })).toEqual([true, true]);
  await root.ask(sh`touch -d '2020-01-01 00:00' /srv/w/inner/b`);
  expect(await stale({ since: between })).toEqual([true, false]);
});

describe('a record is about one process', () => {
  const other = { InvocationID: 'b', StateChangeTimestampMonotonic: '2' };
  const reloaded = { ...first, StateChangeTimestampMonotonic: '2' };

  test('another one that was started with other files has not read what is there again', async () => {
    await root.ask(make);
    await record();
    await root.ask(sh`echo other >/srv/w/plain; echo other >/srv/releases/1/marker`);
    const since = await now();
    await root.ask(sh`echo a >/srv/w/plain; echo 1 >/srv/releases/1/marker`);
    expect(await stale({ process: first })).toEqual([false, false]);
    expect(await stale({ process: other, since })).toEqual([true, true]);
  });

  test('one that was reloaded with other files has not read them again; a restart is not due', async () => {
    await root.ask(make);
    await record();
    await root.ask(sh`echo other >/srv/w/plain`);
    const since = await now();
    await root.ask(sh`echo a >/srv/w/plain`);
    expect(await stale({ process: reloaded, since })).toEqual([true, false]);
  });

  test('a start or reload by somebody else with the same files makes nothing due', async () => {
    await root.ask(make);
    await record();
    expect(await stale({ process: reloaded, since: await now() })).toEqual([false, false]);
    expect(await stale({ process: other, since: await now() })).toEqual([false, false]);
  });

  test.each<[string, Script]>([
    [
      'one that a full disk has cut off',
      sh`for record in /run/hostwright/loaded/*; do sed -i '$d' "$record"; done`,
    ],
    ['one that is empty', sh`for record in /run/hostwright/loaded/*; do : >"$record"; done`],
    [
      'one of an earlier version',
      sh`for record in /run/hostwright/loaded/*; do echo ${'a'.repeat(64)} >"$record"; done`,
    ],
  ])('%s says nothing', async (_, spoil) => {
    await root.ask(make);
    await record();
    await root.ask(spoil);
    const since = await now();
    expect(await stale({ since })).toEqual([false, false]);
    await root.ask(sh`echo other >/srv/w/plain`);
    expect(await stale({ since })).toEqual([true, false]);
  });
});

test('what differs has a name', async () => {
  await root.ask(make);
  await record();
  await root.ask(sh`cd /srv/w; echo other >plain; echo new >new; rm inner/b; echo far >/srv/target`);
  const [changed] = await found();
  expect(changed?.changed).toEqual(
    new Map([
      ['/srv/w/enabled', 'changed'],
      ['/srv/w/inner/b', 'removed'],
      ['/srv/w/new', 'added'],
      ['/srv/w/plain', 'changed'],
    ]),
  );
});

test('an answer that is cut off, or another one, is none', async () => {
  await root.ask(make);
  await record();
  const { stdout } = await read([reload]);
  expect(() => parseLoaded(stdout.subarray(0, -1))).toThrow(RangeError);
  expect(() => parseLoaded(stdout.subarray(0, 20))).toThrow(RangeError);
  expect(() => parseLoaded(Buffer.from('Permission denied\n'))).toThrow(RangeError);
});
