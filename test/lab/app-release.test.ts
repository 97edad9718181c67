import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { appRelease, sh, type PackedRelease, type ReleaseEntry, type Resource } from '../../src/index.ts';
import { packedRelease } from '../../src/release/release.ts';
import { converge, hostile, isUnharmed, openRoot, probe, type Root } from '../../src/testing/index.ts';

let root: Root;

beforeAll(async () => {
  root = await openRoot();
});

afterEach(async () => {
  await root.ask(sh`rm -rf /srv/app`);
});

afterAll(async () => {
  expect(await isUnharmed(root)).toBe(true);
  await root.close();
});

function text(path: string, content: string, executable = false): ReleaseEntry {
  return { kind: 'file', path, content: Buffer.from(content), executable };
}

const first = packedRelease([
  text('main.py', 'print("hello")\n'),
  text('run.sh', '#!/bin/sh\n', true),
  text(hostile.replaceAll('/', ''), 'a hostile name\n'),
  text('line\nbreak', ''),
  text('-rf', 'like an option\n'),
  { kind: 'directory', path: 'empty' },
  { kind: 'directory', path: 'deep' },
  text(`deep/${'n'.repeat(200)}`, 'a long name\n'),
  { kind: 'link', path: 'start', to: 'main.py' },
]);

function numbered(number: number): PackedRelease {
  return packedRelease([text('n', `${number}\n`)]);
}

function release(number: number, keep?: number): Resource {
  return appRelease('/srv/app', numbered(number), keep === undefined ? {} : { keep });
}

const own = `/srv/app/releases/${first.name}`;

describe('a release', () => {
  test('is unpacked with every name, mode and link, for root to change and all to read', async () => {
    expect(await converge(root, appRelease('/srv/app', first))).toMatchObject({ action: 'create' });
    expect(await root.ask(sh`cat ${own}/start; find ${own} ! -user root -o ! -group root`)).toBe(
      'print("hello")\n',
    );
    expect(await root.ask(sh`stat -c %a ${own} ${own}/run.sh ${own}/main.py ${own}/empty`)).toBe(
      '755\n755\n644\n755\n',
    );
  });

  test('is for root in a folder whose files get the group and the ACL of another', async () => {
    await root.ask(
      sh`mkdir /srv/app; chgrp games /srv/app; chmod 2775 /srv/app; setfacl -m d:u:daemon:rwx /srv/app`,
    );
    await converge(root, appRelease('/srv/app', first));
    expect(await root.ask(sh`find ${own} ! -group root; stat -c %a ${own}`)).toBe('755\n');
  });

  test.each([
    ['a changed file', sh`echo x >>main.py`],
    ['a file that anybody may change', sh`chmod 0666 main.py`],
    ['a file of somebody else', sh`chown daemon main.py`],
    ['a missing file', sh`rm main.py`],
    ['an additional file', sh`touch more.py`],
    ['another link', sh`ln -sfn run.sh start`],
    ['a lost record', sh`rm .hostwright-release`],
  ])('with %s is damaged, and put in place anew', async (_, damage) => {
    await converge(root, appRelease('/srv/app', first));
    const before = await root.ask(sh`cat ${own}/.hostwright-release`);
    await root.ask(sh`cd ${own}
${damage}`);
    const change = await converge(root, appRelease('/srv/app', first));
    expect(change.attributes).toEqual([{ name: 'content', from: 'damaged', to: 'intact' }]);
    // A service that has read the damaged one is restarted by that difference.
    expect(await root.ask(sh`cat ${own}/.hostwright-release`)).not.toBe(before);
  });

  test('is shown as what it takes the place of', async () => {
    await converge(root, release(1));
    const { name } = numbered(1);
    await root.ask(sh`ln -s releases/${name} /srv/app/current`);
    expect(await converge(root, release(2))).toMatchObject({ action: 'update', actual: { release: name } });
  });

  test('leaves as many older ones as are to be kept, and always the current one', async () => {
    for (const number of [1, 2, 3, 4]) await converge(root, release(number));
    const { name } = numbered(1);
    await root.ask(sh`ln -s releases/${name} /srv/app/current; touch -d 2020-01-01 /srv/app/releases/*/.hostwright-release
touch /srv/app/releases/${numbered(3).name}/.hostwright-release`);
    await converge(root, release(5, 1));
    expect(await root.ask(sh`cat /srv/app/releases/*/n | sort`)).toBe('1\n3\n5\n');
  });

  test('takes nothing for granted of a run that was stopped', async () => {
    await root.ask(sh`mkdir -p /srv/app/releases/.hostwright.abc/tree ${own}; touch ${own}/half`);
    expect(await probe(root, appRelease('/srv/app', first))).toMatchObject({ content: 'damaged' });
    await converge(root, appRelease('/srv/app', first));
    expect(await root.ask(sh`ls -A /srv/app/releases`)).toBe(`${first.name}\n`);
  });
});
