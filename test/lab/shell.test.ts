import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { lines, sh, type Script } from '../../src/index.ts';
import { replaceFunctions } from '../../src/resources/shell/replace.ts';
import { hostile, isUnharmed, openRoot, type Root } from '../../src/testing/index.ts';

let root: Root;

beforeAll(async () => {
  root = await openRoot();
  await root.ask(sh`groupadd shared; useradd -M guest`);
});
afterAll(async () => root.close());

const at = '/srv/folder';
const file = `${at}/file`;

/** A script with the shell functions of this library before it. */
function using(script: Script): Script {
  return lines([replaceFunctions, script]);
}

describe('a file that is replaced', () => {
  beforeEach(async () => {
    await root.ask(sh`rm -rf ${at} /srv/other; mkdir ${at} /srv/other; echo old >${file}`);
  });

  /** What stands there: nothing of ours beside it, and what the file holds. */
  const found = sh`ls -A ${at}; cat ${file}`;

  test('is the old one until all of the new one is there, and nobody else can look at that', async () => {
    const said = await root.ask(
      using(sh`mkfifo "$HW/pipe"
exec 4<${file}
hw_replace 0644 ${file} <"$HW/pipe" &
exec 3>"$HW/pipe"
# More than a pipe holds: some of it is written once this has ended.
head -c 200000 /dev/zero >&3
cat ${file}
stat -c '%a %U' ${at}/.hostwright.*
exec 3>&-
wait $!
cat <&4
stat -c %s ${file}`),
    );
    expect(said).toBe('old\n700 root\nold\n200000\n');
  });

  const folders: readonly (readonly [string, Script])[] = [
    ['whatever the umask is', sh`umask 077`],
    ['also with no umask', sh`umask 0`],
    ['in a folder with the set-group-ID bit', sh`chgrp shared ${at}; chmod 2775 ${at}`],
    [
      'in a folder of a user, sticky and with an ACL',
      sh`chown guest:shared ${at}; chmod 3770 ${at}; setfacl -m d:u:guest:rwx ${at}`,
    ],
    ['over one of somebody else', sh`chown guest:shared ${file}; chmod 0666 ${file}`],
  ];

  test.each(folders)('has its owner and mode, %s', async (_, prepare) => {
    const said = await root.ask(
      using(sh`${prepare}
echo new | hw_replace 0640 ${file}
stat -c '%a %U:%G' ${file}
echo new | hw_replace 0604 ${file} guest:games
stat -c '%a %U:%G' ${file}
${found}`),
    );
    expect(said).toBe('640 root:root\n604 guest:games\nfile\nnew\n');
  });

  test('takes the place of a link, and leaves alone where it led', async () => {
    const said = await root.ask(
      using(sh`echo theirs >/srv/other/file
for to in /srv/other /srv/other/file; do
  ln -sfT "$to" ${file}
  echo new | hw_replace 0644 ${file}
  [ ! -L ${file} ]
done
ls -A /srv/other
cat /srv/other/file
${found}`),
    );
    expect(said).toBe('file\ntheirs\nfile\nnew\n');
  });

  test('takes the place of an empty folder, and of none that holds something', async () => {
    const full = await root.run(
      using(sh`rm ${file}; mkdir ${file}; echo x >${file}/x
echo new | hw_replace 0644 ${file}`),
    );
    expect(full).toMatchObject({ code: 1 });
    expect(full.stderr.toString()).toContain(`${file} is a folder that is not empty`);
    const said = await root.ask(
      using(sh`ls -A ${at}; rm ${file}/x
echo new | hw_replace 0644 ${file}
${found}`),
    );
    expect(said).toBe('file\nfile\nnew\n');
  });

  test('is made with its folder, whatever it is called', async () => {
    const path = `${at}/-a/${hostile}`;
    const said = await root.ask(
      using(sh`echo new | hw_replace 0644 ${path}; cat ${path}; stat -c %a ${`${at}/-a`}
echo new | hw_replace 0644 /file; cat /file; rm /file`),
    );
    expect(said).toBe('new\n755\nnew\n');
    expect(await isUnharmed(root)).toBe(true);
  });

  test('is not looked for behind a link that others have planted', async () => {
    const answer = await root.run(
      using(sh`chown guest ${at}; ln -s /srv/other ${`${at}/link`}
echo new | hw_replace 0644 ${`${at}/link/file`}`),
    );
    expect(answer).toMatchObject({ code: 1 });
    expect(answer.stderr.toString()).toContain('a link where others than root can write is not followed');
    expect(await root.ask(sh`ls -A /srv/other`)).toBe('');
  });

  const failures: readonly (readonly [string, Script, string])[] = [
    ['there is no space', sh`head -c 100000 /dev/zero | hw_replace 0644 ${file}`, 'No space left'],
    ['there is no such owner', sh`echo new | hw_replace 0644 ${file} nobody:no-such-group`, 'invalid group'],
    ['its mode is none', sh`echo new | hw_replace rubbish ${file}`, 'invalid mode'],
    ['it is immutable', sh`chattr +i ${file}; echo new | hw_replace 0644 ${file}`, 'while it is immutable'],
  ];

  test.each(failures)('stays as it was, with nothing beside it, where %s', async (_, script, reason) => {
    const small = sh`mount -t tmpfs -o size=64k tmpfs ${at}; echo old >${file}`;
    const answer = await root.run(
      using(sh`${small}
${script}`),
    );
    expect(answer.stderr.toString()).toContain(reason);
    expect(answer).toMatchObject({ code: 1 });
    // Where `set -e` counts for nothing, too.
    const said = await root.ask(
      using(sh`if ( ${script} ) 2>/dev/null; then echo replaced; fi
${found}
chattr -i ${file} || :
umount ${at}`),
    );
    expect(said).toBe('file\nold\n');
  });
});

test("a folder that is made aside is root's alone, and goes with the shell", async () => {
  const said = await root.ask(
    using(sh`rm -rf ${at}; mkdir ${at}
chown guest:shared ${at}
chmod 3770 ${at}
(
  hw_enter ${at}
  hw_aside
  umask 0
  : >-made
  : >.made
  stat -c '%a %U' .
  stat -c '%a %U:%G' ./-made
  ls -A ..
) | sed 's/[.]hostwright[.]......$/aside/'
ls -A ${at}`),
  );
  expect(said).toBe('700 root\n666 root:root\naside\n');
});
