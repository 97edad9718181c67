import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { directory, file, line, link, Secret, sh, type Resource } from '../../src/index.ts';
import { converge, openRoot, refuse, type Root } from '../../src/testing/index.ts';

let root: Root;

beforeAll(async () => {
  root = await openRoot();
  await root.ask(sh`groupadd shared; useradd -M guest`);
});
afterAll(async () => root.close());

const none = sh`find /srv /etc -xdev -name '*hostwright*'`;

/** Folders as packages and people make them, in which everything must work as in any other. */
const folders: readonly (readonly [string, string])[] = [
  ['with the set-group-ID bit', 'chgrp shared "$1"; chmod 2775 "$1"'],
  ['of a user, sticky and with the set-group-ID bit', 'chown guest:shared "$1"; chmod 3770 "$1"'],
  ['with an ACL for new files, for all', 'chmod 1777 "$1"; setfacl -m d:u:guest:rwx,d:g:shared:rwx "$1"'],
  [
    'with both kinds of ACL and the set-group-ID bit',
    'chmod 2755 "$1"; setfacl -m u:guest:rwx,d:u:guest:rwx "$1"',
  ],
];

describe.each(folders)('in a folder %s', (_, make) => {
  const at = '/srv/folder';
  beforeAll(async () => {
    await root.ask(sh`rm -rf ${at}; mkdir ${at}; sh -euc ${make} sh ${at}`);
  });

  const resources: readonly (readonly [string, Resource, string])[] = [
    ['a file', file(`${at}/file`, { content: 'x\n' }), '644 root:root'],
    [
      'a file of somebody',
      file(`${at}/theirs`, { content: 'x\n', owner: 'guest', group: 'games', mode: '0640' }),
      '640 guest:games',
    ],
    [
      'a secret file',
      file(`${at}/secret`, { content: new Secret('quite secret'), mode: '0600' }),
      '600 root:root',
    ],
    [
      'a file whose check looks at it',
      file(`${at}/checked`, { content: 'x\n', validate: ['grep', '-q', 'x'] }),
      '644 root:root',
    ],
    ['a directory', directory(`${at}/directory`, { mode: '0755' }), '755 root:root'],
    ['a directory below', directory(`${at}/a/b`, { mode: '0710', group: 'games' }), '710 root:games'],
    ['a link', link(`${at}/link`, { to: 'nowhere' }), '777 root:'],
  ];

  test.each(resources)('%s is as declared, with its group and mode', async (_name, resource, expected) => {
    await converge(root, resource);
    const path = resource.type.key(resource.type.schema.parse(resource.attributes));
    expect(await root.ask(sh`stat -c '%a %U:%G' ${path}`)).toMatch(expected);
    expect(await root.ask(none)).toBe('');
  });

  test('a secret file is for nobody else, whatever the ACL gives', async () => {
    const guest = ['setpriv', '--reuid=guest', '--regid=shared', '--clear-groups'];
    await root.ask(sh`chmod o+x /srv; ! ${guest} cat ${`${at}/secret`} 2>/dev/null`);
  });

  test('a line is added to a file that keeps what it has, and to a new one', async () => {
    await root.ask(
      sh`printf 'a\n' >${`${at}/lines`}; chown guest:games ${`${at}/lines`}; chmod 0660 ${`${at}/lines`}`,
    );
    const before = await root.ask(sh`getfacl -p ${`${at}/lines`}`);
    await converge(root, line(`${at}/lines`, { line: 'b' }));
    expect(await root.ask(sh`getfacl -p ${`${at}/lines`}; cat ${`${at}/lines`}`)).toBe(`${before}a\nb\n`);
    await converge(root, line(`${at}/new`, { line: 'b' }));
    expect(await root.ask(sh`stat -c '%a %U' ${`${at}/new`}`)).toBe('644 root\n');
    expect(await root.ask(none)).toBe('');
  });

  test('only mode and owner of a file change', async () => {
    await root.ask(sh`chmod 0666 ${`${at}/file`}; chown guest:games ${`${at}/file`}`);
    await converge(root, file(`${at}/file`, { content: 'x\n' }));
    expect(await root.ask(none)).toBe('');
  });

  test('what is refused leaves nothing', async () => {
    await refuse(root, file(`${at}/file`, { content: 'bad\n', validate: ['false'] }));
    expect(await root.ask(none)).toBe('');
  });
});

describe('nobody has rights beyond owner, group and mode', () => {
  const at = '/srv/rights';
  const acl = sh`-m u:guest:rwx,d:u:guest:rwx`;

  test('of a folder, and of what is made in it later', async () => {
    await root.ask(sh`mkdir ${at}; setfacl ${acl} ${at}; chmod 2750 ${at}; touch ${`${at}/inherits`}`);
    const change = await converge(root, directory(at, { mode: '0755' }));
    expect(change.attributes.map(({ name, from }) => [name, from])).toEqual([
      ['mode', '2750'],
      ['acl', 'user:guest:rwx, default:user:guest:rwx'],
    ]);
    expect(await root.ask(sh`touch ${`${at}/later`}; ls -ld ${at} ${`${at}/later`}; ls ${at}`)).toMatch(
      /^drwxr-xr-x +2 root root .*\n-rw-r--r-- +1 root root .*\ninherits\nlater\n$/,
    );
  });

  test('of a file, whose content stays, whether declared or not', async () => {
    for (const resource of [
      file(`${at}/secret`, { content: new Secret('quite secret'), group: 'shared', mode: '0640' }),
      file(`${at}/secret`, { group: 'shared', mode: '0640' }),
    ]) {
      await root.ask(
        sh`cd ${at}; printf 'quite secret' >secret; chgrp shared secret; chmod 0640 secret; setfacl -m u:guest:r secret`,
      );
      const change = await converge(root, resource);
      expect(change.attributes).toEqual([{ name: 'acl', from: 'user:guest:r--', to: undefined }]);
      expect(await root.ask(sh`cd ${at}; ls -l secret; cat secret`)).toMatch(
        /^-rw-r----- 1 root shared .*\nquite secret$/,
      );
    }
  });

  test('of a file that is made in a folder whose ACL is for new files', async () => {
    await root.ask(sh`mkdir ${`${at}/open`}; setfacl ${acl} ${`${at}/open`}`);
    await converge(root, file(`${at}/open/new`, { content: 'x\n', mode: '0640' }));
    expect(await root.ask(sh`ls -l ${`${at}/open/new`}`)).toMatch(/^-rw-r----- 1 root root/);
  });
});

describe('what is immutable (chattr +i) stays, is named, and nothing is left beside it', () => {
  const at = '/srv/fixed';
  beforeAll(async () => {
    await root.ask(sh`mkdir ${at} ${`${at}/directory`}; cd ${at}; echo a >file; chattr +i file directory`);
  });
  afterAll(async () => {
    await root.ask(sh`chattr -i ${`${at}/file`} ${`${at}/directory`}`);
  });

  test.each([
    ['a file', file(`${at}/file`, { content: 'x\n' }), 'file'],
    ['mode and owner of a file', file(`${at}/file`, { content: 'a\n', mode: '0600' }), 'file'],
    ['the removal of a file', file(`${at}/file`, { absent: true }), 'file'],
    ['a link', link(`${at}/file`, { to: 'nowhere' }), 'file'],
    ['a line', line(`${at}/file`, { line: 'b' }), 'file'],
    ['a directory', directory(`${at}/directory`, { mode: '0700' }), 'directory'],
    ['a file in a directory', file(`${at}/directory/file`, { content: 'x\n' }), 'directory'],
    ['a line in a directory', line(`${at}/directory/file`, { line: 'x' }), 'directory'],
    ['a link in a directory', link(`${at}/directory/link`, { to: 'x' }), 'directory'],
  ])('%s', async (_, resource, named) => {
    expect(await refuse(root, resource)).toMatch(`${at}/${named} cannot be changed while it is immutable`);
    expect(await root.ask(none)).toBe('');
  });
});
