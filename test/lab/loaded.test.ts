import { afterAll, beforeAll, expect, test } from 'vitest';
import { lines, sh, type Script } from '../../src/index.ts';
import {
  listLoaded,
  parseLoaded,
  printLoaded,
  recordLoaded,
  type Watched,
} from '../../src/resources/service/loaded.ts';
import { digestFunction } from '../../src/resources/shell/digest.ts';
import type { Answer } from '../../src/transport/transport.ts';
import { openRoot, type Root } from '../../src/testing/index.ts';

// What a service has read, recorded by the host and compared by the controller.

const reload: Watched = {
  unit: 'a@b:c.service',
  action: 'reload',
  paths: ['/srv/w', '/srv/w/inner', '/srv/w', '/srv/ä b', '/srv/none'],
};
const restart: Watched = { unit: 'a@b:c.service', action: 'restart', paths: ['/srv/w/link/x'] };

let root: Root;

beforeAll(async () => {
  root = await openRoot();
});

afterAll(async () => {
  await root.close();
});

/** A tree with names of every kind, and with times that say nothing. */
const make = sh`rm -rf /srv/* /run/hostwright/loaded
mkdir -p /srv/w/inner /srv/w/.hostwright.tmp /srv/far '/srv/ä b'
cd /srv/w
echo a >plain; echo b >inner/b; echo far >../far/x; echo z >'../ä b/z'; mkfifo pipe; : >empty
echo c >"$(printf 'line\nbreak')"; echo d >'back\slash'; echo e >"$(printf 'no\377text')"; echo f >"$(printf 'return\r')"
ln -s /srv/far link; ln -s "$(printf 'to\nnowhere')" "$(printf 'odd\nlink')"
echo passing >.hostwright.tmp/file; echo passing >.hostwright.file
truncate -s 1G large
touch -d '2020-01-01 00:00' plain inner/b`;

async function read(watched: readonly Watched[]): Promise<Answer> {
  const { script, stdin } = listLoaded(watched);
  return await root.run(lines([script, printLoaded(watched)]), stdin);
}

async function stale(start = NaN): Promise<readonly boolean[]> {
  const { stdout, stderr, code } = await read([reload, restart]);
  expect(code, stderr.toString()).toBe(0);
  const isStale = parseLoaded(stdout);
  return [reload, restart].map((one) => isStale(one, start));
}

const record = (): Promise<string> => root.ask(lines([digestFunction, recordLoaded([reload, restart])]));
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
  [sh`: >/run/hostwright/loaded/a@b:c.service.reload`, [true, false]],
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
  const between = Number(await root.ask(sh`sleep 0.02; date +%s.%N; sleep 0.02`));
  expect(await stale()).toEqual([false, false]);
  expect(await stale(between)).toEqual([false, false]);
  expect(await stale(between - 3600)).toEqual([true, true]);
  await root.ask(sh`touch -d '2020-01-01 00:00' /srv/w/inner/b`);
  expect(await stale(between)).toEqual([true, false]);
});

test('an answer that is cut off, or another one, is none', async () => {
  await root.ask(make);
  await record();
  const { stdout } = await read([reload]);
  expect(() => parseLoaded(stdout.subarray(0, -1))).toThrow(RangeError);
  expect(() => parseLoaded(stdout.subarray(0, 20))).toThrow(RangeError);
  expect(() => parseLoaded(Buffer.from('Permission denied\n'))).toThrow(RangeError);
});
