import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compare } from '../../src/plan/compare.ts';
import { directory, file, line, link, type Resource } from '../../src/index.ts';
import { readFunction } from '../../src/resources/shell/read.ts';
import { lines, sh } from '../../src/transport/shell.ts';
import { converge, openRoot, probe, refuse, type Root } from '../../src/testing/index.ts';

/** Mallory owns a home directory below which root is to write, and wants /etc/guarded and /root. */
const home = '/home/mallory';
let root: Root;

beforeAll(async () => {
  root = await openRoot();
  await root.ask(sh`useradd -m mallory; useradd -M victim
printf 'untouched\n' >/etc/guarded; chmod 0600 /etc/guarded
mkdir -m 0700 /root/guarded; cp -p /etc/guarded /root/guarded/file`);
});
afterAll(async () => root.close());

async function expectGuarded(): Promise<void> {
  expect(
    await root.ask(sh`cat /etc/guarded /root/guarded/file
stat -c '%n %U:%G %a' /etc /etc/guarded /root /root/guarded /root/guarded/file
ls -A /root/guarded; ls -dA /etc/x /root/x 2>/dev/null || :`),
  ).toBe(
    `untouched\nuntouched\n/etc root:root 755\n/etc/guarded root:root 600\n/root root:root 700\n` +
      `/root/guarded root:root 700\n/root/guarded/file root:root 600\nfile\n`,
  );
}

const owned = { owner: 'mallory', group: 'mallory' };
const theirs: readonly (readonly [string, (at: string) => Resource])[] = [
  ['a file', (at) => file(at, { content: 'x\n', ...owned, mode: '0644' })],
  ['the removal of a file', (at) => file(at, { absent: true })],
  ['a directory', (at) => directory(at, { ...owned, mode: '0777' })],
  ['the removal of a directory', (at) => directory(at, { absent: true })],
  ['a link', (at) => link(at, { to: '/nowhere' })],
  ['a line', (at) => line(at, { line: 'x' })],
];

describe('a link that others than root can plant is not followed', () => {
  test.each(theirs)('in the way to %s', async (_, resource) => {
    await root.ask(sh`ln -sfnT /etc ${`${home}/way`}`);
    expect(await refuse(root, resource(`${home}/way/guarded`))).toContain(
      `${home}/way: a link where others than root can write is not followed`,
    );
    await expectGuarded();
  });

  test.each(theirs)('higher up in the way to %s, behind a link of root', async (_, resource) => {
    await root.ask(sh`ln -sfnT ${home} /srv/home; ln -sfnT / ${`${home}/up`}`);
    expect(await refuse(root, resource('/srv/home/up/etc/guarded'))).toContain('/home/mallory/up: a link');
    await expectGuarded();
  });

  test('in a folder of root that an ACL lets them write to', async () => {
    await root.ask(sh`mkdir /srv/acl; setfacl -m u:mallory:rwx /srv/acl
su mallory -s /bin/sh -c 'ln -s /etc /srv/acl/way'`);
    for (const [, resource] of theirs)
      expect(await refuse(root, resource('/srv/acl/way/guarded'))).toContain('/srv/acl/way: a link');
    await expectGuarded();
  });

  test('in the place of a file, a directory or a link: these take its place', async () => {
    const at = `${home}/place`;
    for (const [, resource] of theirs.filter(([what]) =>
      ['a file', 'a directory', 'a link'].includes(what),
    )) {
      for (const to of ['/etc/guarded', '/root/guarded']) {
        await root.ask(sh`rm -rf ${at}; ln -s ${to} ${at}`);
        await converge(root, resource(at));
        await expectGuarded();
      }
    }
  });

  test('in the place of a file that gets a line, in /tmp too', async () => {
    for (const at of [`${home}/line`, '/tmp/line']) {
      await root.ask(sh`rm -rf ${at}; su mallory -s /bin/sh -c ${`ln -s /etc/guarded ${at}`}`);
      expect(await refuse(root, line(at, { line: 'x' }))).toContain(`${at}: a link`);
      await expectGuarded();
    }
  });
});

describe('what root reads in a folder of another user', () => {
  const read = async (at: string): Promise<readonly [number, string]> => {
    const { code, stdout, stderr } = await root.run(lines([readFunction, sh`hw_read_file ${at} 4 8`]));
    return [code, `${stdout.toString()}${stderr.toString()}`];
  };

  test.each([
    ['a link', sh`ln -s /etc/shadow`, /log: a link where others/],
    ['a link on the way', sh`ln -sfnT /etc ${`${home}/way`}; :`, /way: a link where others/],
    ['a pipe', sh`mkfifo`, /log is not a regular file/],
    ['a folder', sh`mkdir`, /log is not a regular file/],
  ])('is not %s', async (what, plant, why) => {
    const at = what === 'a link on the way' ? `${home}/way/shadow` : `${home}/log`;
    await root.ask(sh`rm -rf ${`${home}/log`}; ${plant} ${`${home}/log`}`);
    expect(await read(at)).toEqual([1, expect.stringMatching(why)]);
  });

  test('is a file, and no more of it than was asked for', async () => {
    await root.ask(sh`rm -rf ${`${home}/log`}; echo 0123456789abcdef >${`${home}/log`}; truncate -s 1T ${`${home}/log`}
ln -sfnT ${`${home}/log`} /etc/log`);
    expect(await read(`${home}/log`)).toEqual([0, '456789ab']);
    expect(await read('/etc/log')).toEqual([0, '456789ab']);
  });

  test('is never what it is swapped for meanwhile', async () => {
    await root.ask(sh`rm -rf ${`${home}/log`}
su mallory -s /bin/sh -c ${`exec perl -e 'chdir "${home}"; for (;;) {
  open my $f, ">", "new"; print $f "0123456789abcdef"; close $f; rename "new", "log";
  symlink "/etc/guarded", "new"; rename "new", "log"; system "mkfifo", "new" if $i++ % 50 == 0; rename "new", "log" }'`} \
  >/dev/null 2>&1 </dev/null &`);
    try {
      const found = new Set<string>();
      for (let round = 0; round < 200 || !found.has('456789ab'); round += 1)
        found.add((await read(`${home}/log`))[1]);
      expect([...found].join('\n')).not.toContain('uched');
    } finally {
      await root.ask(sh`pkill -KILL -u mallory || :`);
    }
  });
});

test('links of root are followed, as before', async () => {
  await root.ask(sh`mkdir -p /srv/real/below; ln -s real /srv/alias; ln -s ../srv/alias/below /etc/alias`);
  await converge(root, file('/etc/alias/file', { content: 'x\n', mode: '0600' }));
  await converge(root, directory('/etc/alias/a/b/c', { mode: '0711' }));
  await root.ask(sh`ln -s /srv/alias/below/file /etc/line`);
  await converge(root, line('/etc/line', { line: 'y' }));
  expect(
    await root.ask(sh`cat /srv/real/below/file; stat -c %a /srv/real/below/file /srv/real/below/a/b/c`),
  ).toBe('x\ny\n600\n711\n');
});

/**
 * Swaps, as fast as the kernel lets it: the directory on the way for a link into /etc and back; whatever root
 * is about to make or to hand over for a link to what it guards.
 */
const racer = `use strict; chdir '${home}' or die; my @to = ('/etc/guarded', '/root/guarded', '/etc');
for (my $i = 0; ; $i++) {
  rename 'way', 'away'; symlink '/etc', 'way'; unlink 'way'; rename 'away', 'way';
  for my $in ('.', 'way') {
    opendir my $dir, $in or next;
    for my $name (grep { /^[.]hostwright/ || /^(guarded|x)$/ || /[.]hostwright$/ } readdir $dir) {
      my $to = $to[$i++ % 3];
      rename "$in/$name", "$in/taken.$$" or unlink "$in/$name";
      symlink $to, "$in/$name";
      rmdir "$in/taken.$$"; unlink "$in/taken.$$"; unlink "$in/$name" if $i % 2;
    }
  }
}`;

test('a user who swaps folders and files for links while root works gains nothing', async () => {
  await root.ask(sh`rm -rf ${`${home}/way`}; su mallory -s /bin/sh -c ${`mkdir ${home}/way`}
chown -h mallory:mallory ${home}
su mallory -s /bin/sh -c ${`exec perl -e '${racer.replaceAll("'", `'\\''`)}'`} >/dev/null 2>&1 </dev/null & echo $! >/run/racer`);
  let [done, refused] = [0, 0];
  const until = Date.now() + 10_000;
  // Both happen, or there was no race.
  const isEnough = (): boolean => Date.now() >= until && done >= 10 && refused >= 10;
  try {
    for (let round = 0; !isEnough(); round += 1) {
      for (const [, resource] of theirs) {
        const declared = resource(
          `${home}/${round % 2 === 0 ? 'way/' : ''}${round % 3 === 0 ? 'guarded' : 'x'}`,
        );
        const desired = declared.type.schema.parse(declared.attributes);
        const id = `${declared.type.name}:${declared.type.key(desired)}` as const;
        // As if planned from each state: nothing, and one whose owner and mode alone differ.
        for (const actual of [null, { ...declared.type.want(desired), owner: 'victim' }, { kind: 'other' }]) {
          const difference = compare(declared.type, desired, actual);
          if (difference === undefined) continue;
          for (const step of declared.type.apply([{ id, desired, actual, ...difference }], {
            declared: () => [],
          })) {
            if ('converse' in step) throw new Error('no step');
            const answer = await root.run(step.script, step.stdin);
            if (answer.code === 0) done += 1;
            else refused += 1;
          }
        }
      }
      await expectGuarded();
    }
  } finally {
    await root.ask(sh`pkill -KILL -u mallory || :`);
  }
  expect(await probe(root, file('/etc/guarded', { content: 'untouched\n', mode: '0600' }))).toMatchObject({
    owner: 'root',
    mode: '0600',
  });
});
