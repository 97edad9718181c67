import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizedKey, Secret, sh, user, group } from '../../src/index.ts';
import {
  converge,
  hostile,
  isUnharmed,
  openRoot,
  probe,
  refuse,
  type Root,
} from '../../src/testing/index.ts';

let root: Root;

beforeAll(async () => {
  root = await openRoot();
});

afterAll(async () => {
  expect(await isUnharmed(root)).toBe(true);
  await root.close();
});

const hash = '$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7';
const other =
  '$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/';

describe('group', () => {
  test('is made, gets another number, and goes', async () => {
    await converge(root, group('web', { gid: 4001 }));
    await converge(root, group('web', { gid: 4002 }));
    expect(await root.ask(sh`getent group web`)).toBe('web:x:4002:\n');
    await converge(root, group('web', { absent: true }));
  });

  test('of the system gets a number of the system', async () => {
    await converge(root, group('daemons', { system: true }));
    expect(Number((await root.ask(sh`getent group daemons`)).split(':')[2])).toBeLessThan(1000);
  });
});

describe('user', () => {
  test('is made with its group and home, closed to others', async () => {
    await converge(root, user('anna'));
    expect(
      await root.ask(
        sh`getent passwd anna | cut -d: -f6,7; id -gn anna; stat -c '%a %U %G' /home/anna /home/anna/.profile`,
      ),
    ).toBe('/home/anna:/bin/bash\nanna\n700 anna anna\n644 anna anna\n');
    expect(await root.ask(sh`getent shadow anna | cut -d: -f2`)).toBe('!\n');
  });

  test('takes the group of its name that is already there', async () => {
    await converge(root, group('berta', { gid: 4100 }));
    await converge(root, user('berta'));
    expect(await root.ask(sh`id -g berta`)).toBe('4100\n');
  });

  test('of the system has no home and no shell', async () => {
    await converge(root, user('app', { system: true }));
    expect(await root.ask(sh`getent passwd app | cut -d: -f7; ls /home`)).toBe(
      '/usr/sbin/nologin\nanna\nberta\n',
    );
  });

  test('gets every attribute at once, and each one later', async () => {
    await root.ask(sh`groupadd ops; groupadd staff2`);
    const newHome = `/srv/h ${hostile}`;
    await converge(
      root,
      user('carl', {
        uid: 5001,
        group: 'ops',
        groups: ['staff2', 'adm'],
        comment: 'Carl',
        shell: '/bin/sh',
        home: '/srv/homes/carl',
        passwordHash: new Secret(hash),
        locked: false,
      }),
    );
    expect(await root.ask(sh`id carl`)).toMatch(
      /^uid=5001\(carl\) gid=\d+\(ops\) groups=\d+\(ops\),4\(adm\),\d+\(staff2\)$/m,
    );
    const changed = await converge(
      root,
      user('carl', {
        uid: 5002,
        group: 'staff2',
        groups: [],
        comment: hostile,
        shell: '/bin/bash',
        home: newHome,
        passwordHash: new Secret(other),
        locked: true,
      }),
    );
    expect(changed.attributes.map(({ name }) => name)).toEqual([
      'uid',
      'group',
      'groups',
      'comment',
      'home',
      'shell',
      'passwordHash',
      'locked',
    ]);
    expect(JSON.stringify(changed)).not.toContain('$y$');
    expect(await root.ask(sh`ls /srv/homes; stat -c %U ${newHome}; getent shadow carl | cut -d: -f2`)).toBe(
      `carl\ncarl\n${other}\n`,
    );
  });

  test('that is locked is let in again', async () => {
    await converge(root, user('carl', { locked: false }));
    expect(await root.ask(sh`getent shadow carl | cut -d: -f8`)).toBe('\n');
  });

  test('keeps what is not declared', async () => {
    await root.ask(sh`usermod -aG adm -s /bin/sh anna`);
    expect(await probe(root, user('anna'))).toMatchObject({ groups: 'adm', shell: '/bin/sh' });
    await root.ask(sh`rm -r /home/anna`);
    expect((await converge(root, user('anna'))).attributes.map(({ name }) => name)).toEqual([
      'homeDirectory',
    ]);
    expect(await root.ask(sh`id -Gn anna; getent passwd anna | cut -d: -f7`)).toBe('anna adm\n/bin/sh\n');
  });

  test('leaves the home of a user of the distribution where it is', async () => {
    await converge(root, user('daemon', { home: '/srv/daemon' }));
    expect(await root.ask(sh`test -x /usr/sbin/useradd; getent passwd daemon | cut -d: -f6`)).toBe(
      '/srv/daemon\n',
    );
  });

  test('goes, and leaves its home', async () => {
    await converge(root, user('berta', { absent: true }));
    expect(await root.ask(sh`ls -d /home/berta; getent passwd berta || echo gone`)).toBe(
      '/home/berta\ngone\n',
    );
  });
});

describe('authorized_key', () => {
  const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5m1T6VxkKc0rj1VZk6n0kqWmS3aB';
  const second = `ssh-ed25519 ${blob.slice(0, -1)}C second`;
  const keys = '/home/anna/.ssh/authorized_keys';

  test('is added with its folder, closed to others', async () => {
    await converge(root, authorizedKey('anna', `ssh-ed25519 ${blob} anna@laptop`));
    expect(await root.ask(sh`cat ${keys}; stat -c '%a %U' ${keys} /home/anna/.ssh`)).toBe(
      `ssh-ed25519 ${blob} anna@laptop\n600 anna\n700 anna\n`,
    );
  });

  test('gets options and every comment, and leaves other keys alone', async () => {
    await converge(root, authorizedKey('anna', second));
    await converge(
      root,
      authorizedKey('anna', `ssh-ed25519 ${blob} ${hostile}`, {
        options: 'restrict,command="echo $(touch pwned) \'x\'"',
      }),
    );
    expect(await root.ask(sh`cat ${keys}`)).toBe(
      `${second}\nrestrict,command="echo $(touch pwned) 'x'" ssh-ed25519 ${blob} ${hostile}\n`,
    );
  });

  test('stands there once: a second line of it could have weaker options', async () => {
    await root.ask(
      sh`printf '%s\n' ${`# ssh-ed25519 ${blob} a comment`} ${`ssh-ed25519 ${blob} anna@laptop`} ${`restrict ssh-ed25519 ${blob} anna@laptop`} >${keys}`,
    );
    await converge(root, authorizedKey('anna', `ssh-ed25519 ${blob} anna@laptop`, { options: 'restrict' }));
    expect(await root.ask(sh`cat ${keys}`)).toBe(
      `# ssh-ed25519 ${blob} a comment\nrestrict ssh-ed25519 ${blob} anna@laptop\n`,
    );
  });

  test('goes', async () => {
    await converge(root, authorizedKey('anna', `ssh-ed25519 ${blob}`, { absent: true }));
    expect(await root.ask(sh`cat ${keys}`)).toBe(`# ssh-ed25519 ${blob} a comment\n`);
  });

  test('takes the place of an empty folder only', async () => {
    await root.ask(sh`rm ${keys}; mkdir -p ${`${keys}/x`}`);
    expect(await probe(root, authorizedKey('anna', second))).toEqual({ entries: '1 (0 KiB)' });
    await refuse(root, authorizedKey('anna', second));
    await root.ask(sh`rmdir ${keys}/x`);
    await converge(root, authorizedKey('anna', second));
    expect(await root.ask(sh`cat ${keys}`)).toBe(`${second}\n`);
  });

  test('is written as the user: a link of theirs leads nowhere they may not write', async () => {
    await root.ask(sh`rm -r /home/anna/.ssh; mkdir -p -m 0700 /root/.ssh; ln -s /root/.ssh /home/anna/.ssh`);
    await refuse(root, authorizedKey('anna', second));
    expect(await root.ask(sh`ls -A /root/.ssh`)).toBe('');
  });

  test('of a user that is not there says so', async () => {
    expect(await refuse(root, authorizedKey('nobody-here', second))).toContain(
      'there is no user nobody-here',
    );
  });
});
