import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { transactionSection, type PathStep } from '../../src/apply/transaction.ts';
import { directory, file, link, sh, type Resource, type Script } from '../../src/index.ts';
import type { Answer } from '../../src/transport/transport.ts';
import { openRoot, type Root } from '../../src/testing/index.ts';

let root: Root;

beforeAll(async () => {
  root = await openRoot();
});

afterAll(async () => {
  await root.close();
});

/** Two releases, of which the first is the current one, and a log of what the service does. */
beforeEach(async () => {
  await root.ask(sh`rm -rf /srv/app /srv/log
mkdir -p /srv/app/releases/1 /srv/app/releases/2
echo 1 >/srv/app/releases/1/n
echo 2 >/srv/app/releases/2/n
echo old >/srv/app/environment
ln -s releases/1 /srv/app/current`);
});

/** How `resource` is changed; `replaces` where what is there is of another kind, or goes. */
function stepOf(resource: Resource, replaces = false): PathStep {
  const desired = resource.type.schema.parse(resource.attributes);
  const change = { id: 'file:x', desired, action: 'update', actual: null, attributes: [] } as const;
  const [step] = resource.type.apply([change], { declared: () => [] });
  if (step === undefined || 'converse' in step) throw new Error('no step');
  return { step, path: resource.type.files?.path?.(desired) ?? '', replaces };
}

interface Attempt {
  readonly files: readonly PathStep[];
  readonly trees: readonly string[];
  readonly validate: Script;
  readonly service?: Script;
}

async function attempt({ files, trees, validate, service = sh`true` }: Attempt): Promise<Answer> {
  const section = transactionSection({
    transaction: { trees, validate },
    files,
    service: { resources: [], title: 'restart', script: service },
  });
  return await root.run(section.script, section.stdin);
}

const files = [
  stepOf(link('/srv/app/current', { to: 'releases/2' }), true),
  stepOf(file('/srv/app/environment', { content: 'new\n' })),
];

/** Switches to the second release and its environment. */
async function run(
  validate: Script,
  service = sh`cat /srv/app/current/n /srv/app/environment >>/srv/log`,
  trees: readonly string[] = ['/srv/app/current', '/srv/app/environment', '/srv/app/elsewhere/file'],
): Promise<Answer> {
  return await attempt({ files, trees, validate, service });
}

const state = async (): Promise<string> =>
  await root.ask(sh`cat /srv/app/current/n /srv/app/environment; cat /srv/log 2>/dev/null || :`);

test('files and links go live together once their service has checked them, and the service takes them up', async () => {
  const validate = sh`[ "$(cat /srv/app/current/n /srv/app/environment | paste -sd,)" = 2,new ]`;
  expect(await run(validate)).toMatchObject({ code: 0 });
  expect(await state()).toBe('2\nnew\n2\nnew\n');
});

test('nothing changes where the check fails, and what it says is told', async () => {
  const answer = await run(sh`echo no good; exit 1`);
  expect(answer.code).not.toBe(0);
  expect(answer.stderr.toString()).toContain('no good');
  expect(await state()).toBe('1\nold\n');
});

test('everything comes back where the service does not take it up, and the service with it', async () => {
  const service = sh`cat /srv/app/current/n /srv/app/environment >>/srv/log
[ "$(cat /srv/app/current/n)" = 1 ]`;
  const answer = await run(sh`true`, service);
  expect(answer.code).not.toBe(0);
  expect(answer.stderr.toString()).toContain('the previous configuration is restored');
  expect(await state()).toBe('1\nold\n2\nnew\n1\nold\n');
});

test('a service that does not work with the previous files either is not said to have them back', async () => {
  const answer = await run(sh`true`, sh`echo "no port for $(cat /srv/app/current/n)" >&2; false`);
  expect(answer.stderr.toString()).toBe(
    'no port for 2\nthe previous files are restored, but the service does not work with them either:\nno port for 1\n',
  );
  expect(await state()).toBe('1\nold\n');
});

test('what is large beside a single file is shown to the check, not copied', async () => {
  await root.ask(sh`truncate -s 20M /srv/app/releases/1/large`);
  const validate = sh`[ "$(stat -c %i /srv/app/releases/1/n)" = ${(await root.ask(sh`stat -c %i /srv/app/releases/1/n`)).trim()} ]`;
  expect(await run(validate)).toMatchObject({ code: 0 });
});

test('a directory in the place of a link survives a check that fails', async () => {
  await root.ask(sh`rm /srv/app/current; mkdir /srv/app/current; echo precious >/srv/app/current/n`);
  const answer = await run(sh`[ "$(cat /srv/app/current/n)" != 2 ]`);
  expect(answer.code).not.toBe(0);
  expect(await state()).toBe('precious\nold\n');
});

test('a whole tree is a copy for the check: what the check writes into it is gone', async () => {
  const answer = await run(sh`touch /srv/app/litter /srv/app/releases/litter`, sh`true`, ['/srv/app']);
  expect(answer, answer.stderr.toString()).toMatchObject({ code: 0 });
  expect(await root.ask(sh`ls /srv/app`)).toBe('current\nenvironment\nreleases\n');
  expect(await root.ask(sh`ls /srv/app/releases`)).toBe('1\n2\n');
});

test('a tree within another tree is a part of its copy', async () => {
  const answer = await attempt({
    files: [
      stepOf(directory('/srv/app/releases/3')),
      stepOf(file('/srv/app/releases/3/n', { content: '3\n' })),
    ],
    trees: ['/srv/app', '/srv/app/releases'],
    validate: sh`grep -qx 3 /srv/app/releases/3/n; touch /srv/app/releases/litter`,
  });
  expect(answer, answer.stderr.toString()).toMatchObject({ code: 0 });
  expect(await root.ask(sh`ls /srv/app/releases`)).toBe('1\n2\n3\n');
});

test('where there was nothing before, nothing is left when the service fails', async () => {
  await root.ask(sh`rm -rf /srv/app`);
  const answer = await attempt({
    files: [stepOf(directory('/srv/app/below')), stepOf(file('/srv/app/below/a', { content: 'new\n' }))],
    trees: ['/srv/app'],
    validate: sh`grep -qx new /srv/app/below/a`,
    service: sh`[ ! -e /srv/app ]`,
  });
  expect(answer.code).not.toBe(0);
  expect(answer.stderr.toString()).toBe('the previous configuration is restored\n');
  expect(await root.ask(sh`ls -A /srv`)).not.toContain('app');
});

describe('whatever a tree holds, a check that fails changes nothing, and what passes is seen by it', () => {
  /** Everything below /etc/x1, /srv and /data, with what links and mounts lead to. */
  const seen = async (): Promise<string> =>
    await root.ask(sh`find / /etc/x1 /srv /data -xdev '(' -path /etc -o -path /srv -o -path /data ')' -prune -o \
  -maxdepth 1 -printf '%p %y %m %U:%G %l\n' 2>/dev/null | sort -u
find /etc/x1 /srv /data /mnt -printf '%p %y %m %U:%G %l %i\n' 2>/dev/null | sort
find /etc/x1 /srv /data /mnt -type f -size -1G -exec sha256sum {} + 2>/dev/null | sort
findmnt -rn -o TARGET | sort`);

  beforeEach(async () => {
    await root.ask(sh`for at in /etc/x1/mounted /etc/x1/a.conf /mnt/inner /mnt; do umount -l "$at" 2>/dev/null || :; done
rm -rf /etc/x1 /srv/x1 /srv/x2 /data /etc/x1.link
mkdir -p /etc/x1 /srv/x1/below /srv/x2
printf 'old\n' | tee /etc/x1/a.conf /srv/x1/a.conf /srv/x1/below/a.conf >/srv/x2/a.conf`);
  });

  const cases: readonly (readonly [what: string, prepare: Script, path: string, tree?: string])[] = [
    ['a link to another tree', sh`ln -s /srv/x1 /etc/x1/sites`, '/etc/x1/sites/a.conf'],
    ['a relative link', sh`ln -s ../../srv/x1 /etc/x1/sites`, '/etc/x1/sites/a.conf'],
    ['a chain of links', sh`ln -s x1 /srv/x3; ln -s /srv/x3 /etc/x1/sites`, '/etc/x1/sites/below/a.conf'],
    [
      'a tree that is a link',
      sh`rm -r /etc/x1; ln -s /srv/x1 /etc/x1; ln -s /srv/x2 /srv/x1/sites`,
      '/etc/x1/a.conf',
    ],
    [
      'links in a tree that is a link',
      sh`ln -s /srv/x1 /etc/x1.link`,
      '/etc/x1.link/below/a.conf',
      '/etc/x1.link',
    ],
    ['a parent of a tree that is a link', sh`ln -s /srv /data`, '/data/x1/below/a.conf', '/data/x1/below'],
    [
      'a link to a disk',
      sh`mount -t tmpfs disk /mnt; mkdir /mnt/inner; echo old >/mnt/inner/a.conf; ln -s /mnt/inner /etc/x1/sites`,
      '/etc/x1/sites/a.conf',
    ],
    [
      'a disk',
      sh`mkdir /etc/x1/mounted; mount -t tmpfs disk /etc/x1/mounted; echo old >/etc/x1/mounted/a.conf`,
      '/etc/x1/mounted/a.conf',
    ],
    [
      'a folder that is also elsewhere',
      sh`mkdir /etc/x1/mounted; mount --bind /srv/x1 /etc/x1/mounted`,
      '/etc/x1/mounted/below/a.conf',
    ],
    [
      'a disk in a disk',
      sh`mount -t tmpfs disk /mnt; mkdir /mnt/inner; mount -t tmpfs disk /mnt/inner
echo old >/mnt/inner/a.conf; ln -s /mnt /etc/x1/sites`,
      '/etc/x1/sites/inner/a.conf',
    ],
    ['a file with two names', sh`ln /srv/x1/a.conf /etc/x1/b.conf`, '/etc/x1/b.conf'],
    [
      'what is no file',
      sh`mkfifo /etc/x1/fifo; mknod /etc/x1/null c 1 3; mkfifo /srv/x1/below/fifo; ln -s /srv/x1 /etc/x1/sites`,
      '/etc/x1/sites/below/a.conf',
    ],
    [
      'much and large',
      sh`truncate -s 100G /etc/x1/large; mkdir /etc/x1/many; (cd /etc/x1/many; seq 3000 | xargs touch)
ln -s /srv/x1 /etc/x1/many/sites`,
      '/etc/x1/many/sites/a.conf',
    ],
    ['a large file that is written', sh`truncate -s 20M /etc/x1/a.conf`, '/etc/x1/a.conf'],
    ['nothing yet, in the root directory', sh``, '/data'],
    ['a name with a blank', sh`mkdir '/srv/x1/a b'; ln -s '/srv/x1/a b' '/etc/x1/c d'`, '/etc/x1/c d/a.conf'],
  ];

  test.each(cases.map(([what, prepare, path, tree = '/etc/x1']) => ({ what, prepare, path, tree })))(
    '$what',
    async ({ prepare, path, tree }) => {
      await root.ask(prepare);
      const before = await seen();
      const wanted = { files: [stepOf(file(path, { content: 'new\n' }))], trees: [tree] };
      const looks = sh`grep -qx new ${path}`;
      const refused = await attempt({
        ...wanted,
        validate: sh`${looks} && echo seen
touch ${tree}/litter ${`${path}.litter`} 2>/dev/null || :
exit 1`,
      });
      expect(refused.stderr.toString()).toBe('the new configuration is not valid, no changes made:\nseen\n');
      expect(await seen()).toBe(before);
      const rolledBack = await attempt({ ...wanted, validate: looks, service: sh`exit 1` });
      expect(rolledBack.stderr.toString()).toContain('the previous files are restored');
      // A restored file is another one of the same name.
      const withoutNumbers = (text: string): string => text.replaceAll(/ \d+$/gm, '');
      expect(withoutNumbers(await seen())).toBe(withoutNumbers(before));
      const passed = await attempt({ ...wanted, validate: looks });
      expect(passed, passed.stderr.toString()).toMatchObject({ code: 0 });
      expect(await root.ask(sh`cat ${path}`)).toBe('new\n');
    },
  );

  test('a link that the same transaction makes', async () => {
    await root.ask(sh`ln -s /srv/x1 /etc/x1/sites`);
    const before = await seen();
    const wanted = {
      files: [
        stepOf(link('/etc/x1/sites', { to: '/srv/x2' })),
        stepOf(file('/etc/x1/sites/a.conf', { content: 'new\n' })),
      ],
      trees: ['/etc/x1'],
    };
    const looks = sh`cat /etc/x1/sites/a.conf /srv/x2/a.conf /srv/x1/a.conf; exit 1`;
    const refused = await attempt({ ...wanted, validate: looks });
    expect(refused.stderr.toString()).toBe(
      'the new configuration is not valid, no changes made:\nnew\nnew\nold\n',
    );
    expect(await seen()).toBe(before);
    await attempt({ ...wanted, validate: sh`true`, service: sh`exit 1` });
    expect(await root.ask(sh`cat /etc/x1/sites/a.conf /srv/x2/a.conf /srv/x1/a.conf`)).toBe(
      'old\nold\nold\n',
    );
    await attempt({ ...wanted, validate: sh`true` });
    expect(await root.ask(sh`cat /etc/x1/sites/a.conf /srv/x2/a.conf /srv/x1/a.conf`)).toBe(
      'new\nnew\nold\n',
    );
  });

  test('a link into nowhere', async () => {
    await root.ask(sh`ln -s /srv/x1/not/there /etc/x1/sites`);
    const before = await seen();
    const wanted = {
      files: [
        stepOf(directory('/etc/x1/sites/below')),
        stepOf(file('/etc/x1/sites/below/a.conf', { content: 'new\n' })),
      ],
      trees: ['/etc/x1'],
    };
    const looks = sh`cat /srv/x1/not/there/below/a.conf; exit 1`;
    const refused = await attempt({ ...wanted, validate: looks });
    expect(refused.stderr.toString()).toBe('the new configuration is not valid, no changes made:\nnew\n');
    expect(await seen()).toBe(before);
    await attempt({ ...wanted, validate: sh`true`, service: sh`exit 1` });
    expect(await seen()).toBe(before);
    expect(await attempt({ ...wanted, validate: sh`true` })).toMatchObject({ code: 0 });
  });

  test('a step that writes elsewhere is an error before anything is written', async () => {
    const before = await seen();
    const step = {
      resources: [],
      title: 'write',
      script: sh`echo new >/etc/x1/a.conf; echo new >/srv/x2/a.conf`,
    };
    const files = [{ step, path: '/etc/x1/a.conf', replaces: false }];
    const refused = await attempt({ files, trees: ['/etc/x1'], validate: sh`true` });
    expect(refused.stderr.toString()).toMatch(
      /^the new configuration cannot be tried, no changes made:\n.*Read-only/,
    );
    expect(await seen()).toBe(before);
  });

  test('a folder that cannot be written is an error before anything is written', async () => {
    await root.ask(sh`mount --bind /srv/x1 /mnt; mount -o remount,bind,ro /mnt; ln -s /mnt /etc/x1/sites`);
    const before = await seen();
    const refused = await attempt({
      files: ['/etc/x1/a.conf', '/etc/x1/sites/a.conf'].map((at) => stepOf(file(at, { content: 'new\n' }))),
      trees: ['/etc/x1'],
      validate: sh`true`,
    });
    expect(refused.stderr.toString()).toBe(
      '/mnt cannot be written (read-only or immutable), no changes made\n',
    );
    expect(await seen()).toBe(before);
  });

  test('a folder that changes its mode keeps what is in it, also when that is rolled back', async () => {
    await root.ask(
      sh`mkdir /etc/x1/mounted; mount -t tmpfs disk /etc/x1/mounted; truncate -s 100G /etc/x1/mounted/large`,
    );
    const before = await seen();
    const wanted = { files: [stepOf(directory('/etc/x1/mounted', { mode: '0700' }))], trees: ['/etc/x1'] };
    const looks = sh`[ "$(stat -c %a /etc/x1/mounted)" = 700 ]`;
    const rolledBack = await attempt({ ...wanted, validate: looks, service: sh`${looks}; exit 1` });
    expect(rolledBack.stderr.toString()).toContain('the previous files are restored');
    expect(await seen()).toBe(before);
    expect(await attempt({ ...wanted, validate: looks, service: looks })).toMatchObject({ code: 0 });
  });

  test('a folder that goes comes back with all that was in it', async () => {
    await root.ask(sh`mkdir -p /etc/x1/gone/below; echo old >/etc/x1/gone/below/a; chmod 2750 /etc/x1/gone`);
    const before = (await seen()).replaceAll(/ \d+$/gm, '');
    const wanted = {
      files: [
        stepOf(file('/etc/x1/gone/below/a', { absent: true }), true),
        stepOf(directory('/etc/x1/gone', { absent: true }), true),
      ],
      trees: ['/etc/x1'],
    };
    const looks = sh`[ ! -e /etc/x1/gone ]`;
    const rolledBack = await attempt({ ...wanted, validate: looks, service: sh`exit 1` });
    expect(rolledBack.stderr.toString()).toContain('the previous files are restored');
    expect((await seen()).replaceAll(/ \d+$/gm, '')).toBe(before);
    expect(await attempt({ ...wanted, validate: looks, service: looks })).toMatchObject({ code: 0 });
  });
});
