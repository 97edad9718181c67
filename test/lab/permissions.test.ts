import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { directory, file, permissions, sh } from '../../src/index.ts';
import { converge, openRoot, probe, refuse, type Root } from '../../src/testing/index.ts';

let root: Root;

beforeAll(async () => {
  root = await openRoot();
  await root.ask(sh`groupadd shared; useradd -M guest`);
});
afterAll(async () => root.close());

const at = '/srv/state';
const key = `${at}/key`;
const of = (path: string): Promise<string> =>
  root.ask(sh`stat -c '%a %U:%G' ${path}; ls -ld ${path} | cut -c 11`);
const plain = permissions(key, { group: 'shared', mode: '0640' });
const asDeclared = { owner: 'root', group: 'shared', mode: 'at most 0640' };

beforeEach(async () => {
  await root.ask(sh`rm -rf ${at}; mkdir -m 0755 ${at}; printf secret >${key}; chown root:shared ${key}
chmod 0640 ${key}`);
});

describe('what others make', () => {
  test('has no changes where the mode allows as much, or less', async () => {
    expect(await probe(root, plain)).toEqual(asDeclared);
    await root.ask(sh`chmod 0400 ${key}`);
    expect(await probe(root, plain)).toEqual(asDeclared);
  });

  test('loses the bits beyond, and gets none that it did not have', async () => {
    await root.ask(sh`chmod 4604 ${key}; chown guest ${key}; chmod u+s ${key}`);
    const { attributes } = await converge(root, plain);
    expect(attributes).toEqual([
      { name: 'owner', from: 'guest', to: 'root' },
      { name: 'mode', from: '4604', to: 'at most 0640' },
    ]);
    expect(await of(key)).toBe('600 root:shared\n \n');
  });

  test('keeps its content and stays the same file', async () => {
    const before = await root.ask(sh`stat -c %i ${key}`);
    await root.ask(sh`chmod 0666 ${key}`);
    await converge(root, plain);
    expect(await root.ask(sh`stat -c %i ${key}; cat ${key}`)).toBe(`${before}secret`);
  });

  test('that is a directory keeps what it holds, and loses the set-group-ID bit', async () => {
    await root.ask(sh`chmod 2777 ${at}; chown guest:guest ${at}`);
    await converge(root, permissions(at, { owner: '0', group: 'shared', mode: '0750' }));
    expect(await of(at)).toBe('750 root:shared\n \n');
    expect(await of(key)).toBe('640 root:shared\n \n');
  });

  test('keeps a bit for the group of new files that is allowed', async () => {
    const log = permissions(at, { group: 'shared', mode: '2750' });
    await root.ask(sh`chmod 0755 ${at}`);
    await converge(root, log);
    expect(await of(at)).toBe('750 root:shared\n \n');
    await root.ask(sh`chmod 2777 ${at}`);
    await converge(root, log);
    expect(await of(at)).toBe('2750 root:shared\n \n');
  });

  test('has no ACL, neither a file nor a directory', async () => {
    await root.ask(sh`setfacl -m u:guest:r ${key}`);
    const { attributes } = await converge(root, plain);
    expect(attributes).toEqual([{ name: 'acl', from: 'user:guest:r--', to: undefined }]);
    expect(await root.ask(sh`cat ${key}`)).toBe('secret');
    expect(await of(key)).toBe('640 root:shared\n \n');
    await root.ask(sh`setfacl -m u:guest:rwx,d:u:guest:rwx ${at}`);
    await root.ask(sh`chgrp shared ${at}`);
    await converge(root, permissions(at, { mode: '0755' }));
    expect(await of(at)).toBe('755 root:shared\n \n');
  });
});

describe('left alone is', () => {
  test('what is not there', async () => {
    await root.ask(sh`rm ${key}`);
    expect(await probe(root, plain)).toEqual(asDeclared);
  });

  test('a link, and where it leads', async () => {
    await root.ask(sh`mv ${key} ${`${at}/other`}; ln -s other ${key}; chmod 0666 ${`${at}/other`}`);
    expect(await probe(root, plain)).toEqual(asDeclared);
  });

  test('what another resource declares as a file or a directory', async () => {
    await root.ask(sh`chmod 0666 ${key}; chmod 0777 ${at}`);
    expect(await probe(root, plain, [file(key, { content: 'secret', mode: '0666' })])).toEqual(asDeclared);
    const open = permissions(at, { mode: '0755' });
    expect(await probe(root, open, [directory(at, { mode: '0777' })])).toMatchObject({
      mode: 'at most 0755',
    });
  });

  test('a file where somebody else may put a link in its place', async () => {
    await root.ask(sh`chmod 0666 ${key}; chown guest ${at}`);
    expect(await refuse(root, plain)).toContain(`${key}: a link where others than root can write`);
  });

  test('what is immutable, and the error says so', async () => {
    await root.ask(sh`chmod 0777 ${at}; chattr +i ${at}`);
    try {
      expect(await refuse(root, permissions(at, { mode: '0755' }))).toContain('immutable');
    } finally {
      await root.ask(sh`chattr -i ${at}`);
    }
  });
});
