import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { appRelease, directory, file, link, sh, tlsBundle, unit, type Resource } from '../../src/index.ts';
import { packedRelease } from '../../src/release/release.ts';
import { converge, openRoot, probe, refuse, type Root } from '../../src/testing/index.ts';

let root: Root;
const at = `/srv/my "data" \\040 disk's`;
const inside = `${at}/below/a\nb`;

beforeAll(async () => {
  root = await openRoot();
});
afterEach(async () => {
  await root.ask(sh`awk '$5 ~ "^/srv/." { print $5 }' /proc/self/mountinfo | sort -r | while IFS= read -r m; do umount "$(printf "$m")"; done
rm -rf /srv/*`);
});
afterAll(async () => root.close());

const content = '[Service]\nExecStart=/bin/true\n';
const over: readonly (readonly [string, (force: boolean) => Resource])[] = [
  ['a file', (force) => file(at, { content: 'x\n', force })],
  ['the removal of a file', (force) => file(at, { absent: true, force })],
  ['a link', (force) => link(at, { to: 'nowhere', force })],
  ['the removal of a link', (force) => link(at, { absent: true, force })],
];

describe('a folder that holds something', () => {
  test.each(over)('stays when %s is to take its place, unless that is forced', async (_, resource) => {
    await root.ask(sh`mkdir -p ${`${at}/d`}; head -c 9000 /dev/zero >${`${at}/d/file`}`);
    expect(await refuse(root, resource(false))).toContain(`${at} is a folder that is not empty`);
    expect(await root.ask(sh`cd ${at}; find . | sort; ls -A /srv | wc -l`)).toBe('.\n./d\n./d/file\n1\n');
    const change = await converge(root, resource(true));
    expect(change.attributes.find(({ name }) => name === 'entries')?.from).toMatch(/^2 \(\d+ KiB\)$/);
  });

  test.each(over)('%s takes the place of an empty one', async (_, resource) => {
    await root.ask(sh`mkdir ${at}`);
    const change = await converge(root, resource(false));
    expect(change.attributes.map(({ name }) => name)).not.toContain('entries');
  });

  test('stays when a unit is to take its place', async () => {
    const path = '/etc/systemd/system/example.service';
    await root.ask(sh`mkdir -p ${path}; touch ${`${path}/file`}`);
    for (const resource of [
      unit('example.service', { content }),
      unit('example.service', { absent: true }),
    ]) {
      expect(await probe(root, resource)).toMatchObject({ kind: 'directory', entries: '1 (0 KiB)' });
      expect(await refuse(root, resource)).toContain(`${path} is a folder that is not empty`);
    }
    expect(await root.ask(sh`ls -A /etc/systemd/system | grep hostwright || :; rm -r ${path}`)).toBe('');
  });

  test('is weighed before it is removed, whatever it is called', async () => {
    await root.ask(sh`mkdir -p ${inside}; head -c 3000000 /dev/zero >${`${at}/zeros`}`);
    const change = await converge(root, directory(at, { absent: true }));
    expect(change.attributes).toEqual([{ name: 'entries', from: '3 (2.9 MiB)', to: undefined }]);
    expect(await probe(root, directory('/etc', { mode: '0700' }))).not.toHaveProperty('entries');
  });

  test('has a bound to what is counted', async () => {
    await root.ask(sh`mkdir /srv/many; cd /srv/many; seq 100100 | xargs touch`);
    expect(await probe(root, directory('/srv/many', { absent: true }))).toMatchObject({
      entries: expect.stringMatching(/^more than 100,000 /),
    });
  });
});

const mounts: readonly (readonly [string, string])[] = [
  ['a disk', 'mount -t tmpfs tmpfs "$1"'],
  ['a folder of the same file system', 'mkdir -p /srv/bound; mount --bind /srv/bound "$1"'],
];

describe.each(mounts)('%s that is mounted', (_name, mount) => {
  const removals: readonly (readonly [string, Resource])[] = [
    ...over.map(([name, resource]) => [name, resource(true)] as const),
    ['the removal of a directory', directory(at, { absent: true })],
  ];

  test.each(removals)('in a folder keeps all of it from %s', async (_, resource) => {
    await root.ask(
      sh`mkdir -p ${inside}; touch ${`${at}/beside`}; sh -euc ${mount} sh ${inside}; touch ${`${inside}/file`}`,
    );
    expect(await refuse(root, resource)).toContain('cannot be changed while something is mounted there');
    expect(await root.ask(sh`cd ${at}; ls; ls below/*`)).toBe('below\nbeside\nfile\n');
  });

  test.each(removals)('in the very place keeps it from %s', async (_, resource) => {
    await root.ask(sh`mkdir -p ${at}; sh -euc ${mount} sh ${at}; touch ${`${at}/file`}`);
    expect(await refuse(root, resource)).toContain('cannot be changed while something is mounted there');
    expect(await root.ask(sh`ls ${at}`)).toBe('file\n');
  });

  test.each(over)('empty, in the very place, is not unmounted for %s', async (_, resource) => {
    await root.ask(sh`mkdir -p ${at}; sh -euc ${mount} sh ${at}`);
    expect(await refuse(root, resource(false))).toContain(
      'cannot be changed while something is mounted there',
    );
  });

  test('in a release that is replaced or too old keeps it', async () => {
    const release = (n: number) =>
      packedRelease([{ kind: 'file', path: 'n', content: Buffer.from(String(n)), executable: false }]);
    const own = `/srv/app/releases/${release(1).name}`;
    await converge(root, appRelease('/srv/app', release(1)));
    await root.ask(sh`mkdir ${own}/disk; sh -euc ${mount} sh ${own}/disk; touch ${own}/disk/file`);
    expect(await refuse(root, appRelease('/srv/app', release(1)))).toContain('something is mounted there');
    await expect(converge(root, appRelease('/srv/app', release(2), { keep: 0 }))).rejects.toThrow(
      'is mounted',
    );
    expect(await root.ask(sh`ls ${own}/disk; ls -A /srv/app/releases | grep hostwright || :`)).toBe('file\n');
  });
});

test('a file that is mounted over another is not replaced, and the message says why', async () => {
  await root.ask(sh`echo a >/srv/file; echo b >/srv/other; mount --bind /srv/other /srv/file`);
  for (const resource of [
    file('/srv/file', { content: 'x\n' }),
    file('/srv/file', { absent: true }),
    link('/srv/file', { to: 'x' }),
    directory('/srv/file'),
  ])
    expect(await refuse(root, resource)).toContain('/srv/file cannot be changed while something is mounted');
  expect(await root.ask(sh`cat /srv/other; ls -A /srv`)).toBe('b\nfile\nother\n');
});

test('a bundle takes no place of a folder that holds something', async () => {
  await root.ask(sh`mkdir -p /srv/certs/site.pem/key`);
  await root.ask(sh`printf '#!/bin/sh\nexit 1\n' >/usr/bin/openssl; chmod 0755 /usr/bin/openssl`);
  expect(await probe(root, tlsBundle('/srv/certs/site.pem', { names: ['a'] }))).toMatchObject({
    content: 'damaged',
    entries: '1 (0 KiB)',
  });
});
