import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  authorizedKey,
  authorizedKeys,
  file,
  Secret,
  sh,
  user,
  group,
  type Resource,
} from '../../src/index.ts';
import { factsScript, parseFacts } from '../../src/plan/facts.ts';
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

describe('a group with members that nobody declares', () => {
  const secrets = group('secrets', { exclusive: true, keep: ['backup'] });
  const of = async (resource = secrets, others: readonly Resource[] = []): Promise<unknown> =>
    (await probe(root, resource, others))?.['undeclared'];

  beforeAll(async () => {
    await converge(root, secrets);
    await root.ask(sh`useradd -g secrets secrets; useradd mallory; useradd eva; useradd trent; useradd -N carol
groupadd others`);
  });
  afterAll(async () => {
    await root.ask(sh`for user in secrets mallory eva trent carol; do userdel "$user"; done
for group in secrets others; do groupdel "$group" || :; done`);
  });

  test('loses them, however they got in, and the plan names each', async () => {
    expect(await of()).toBe('nothing');
    await root.ask(sh`gpasswd -a mallory secrets; gpasswd -a backup secrets
usermod -g secrets eva; usermod -g secrets carol
groupadd -o -g "$(getent group secrets | cut -d: -f3)" twin; gpasswd -a trent twin
gpasswd -A mallory,backup secrets; echo 'secrets:secret' | chgpasswd`);
    const { attributes } = await converge(root, secrets);
    const words = [
      ...['carol (its primary group)', 'eva (its primary group)', 'mallory'],
      ...['trent (in twin of the same number)', 'mallory (its administrator)', 'everybody with its password'],
    ];
    expect(attributes).toEqual([{ name: 'undeclared', from: words.join(', '), to: 'nothing' }]);
    expect(await root.ask(sh`id -Gn backup; id -Gn eva; id -Gn carol; id -Gn mallory; id -Gn trent`)).toBe(
      'backup secrets\neva\nnogroup\nmallory\ntrent\n',
    );
    expect(await root.ask(sh`grep ^secrets: /etc/gshadow; sed -i '/^twin:/d' /etc/group /etc/gshadow`)).toBe(
      'secrets::backup:backup\n',
    );
  });

  test('keeps whom a user of any role declares, as a group or as the primary one', async () => {
    await root.ask(sh`gpasswd -a mallory secrets; usermod -g secrets eva`);
    const declared = [user('mallory', { groups: ['secrets'] }), user('eva', { group: 'secrets' })];
    expect(await of(secrets, declared)).toBe('nothing');
    expect(await of(secrets, [user('mallory'), user('eva', { absent: true })])).toBe(
      'eva (its primary group), mallory',
    );
    expect(await of(group('secrets'))).toBe(undefined);
    await converge(root, secrets);
  });

  test('has lost them already where their account is gone', async () => {
    await root.ask(sh`sed -i '/^secrets:/s/$/ghost/' /etc/group`);
    expect(await of()).toContain('ghost');
    await converge(root, secrets);
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

describe('a user that is to be gone', () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5m1T6VxkKc0rj1VZk6n0kqWmS3aB';
  const gone = user('eve.x', { absent: true });
  const make = sh`userdel -f eve.x 2>/dev/null || :; rm -rf /home/eve.x; useradd -m eve.x; mkdir /home/eve.x/.ssh
echo ${key} | tee /home/eve.x/.ssh/authorized_keys >/home/eve.x/.ssh/authorized_keys2; chown -R eve.x: /home/eve.x`;

  test('loses keys, sudo, crontab and linger, of which the plan says each', async () => {
    await root.ask(sh`${make}
mkdir -p /etc/sudoers.d /var/spool/cron/crontabs /var/lib/systemd/linger
touch /var/spool/cron/crontabs/eve.x /var/lib/systemd/linger/eve.x
printf '# hers\neve.x ALL=(ALL) NOPASSWD: ALL\n' >/etc/sudoers.d/hers
printf '# of many\n  eve.x\tALL=(ALL) ALL\neve-x ALL=(ALL) ALL\nevenx ALL=(ALL) ALL\n' >/etc/sudoers.d/many`);
    const change = await converge(root, gone);
    expect(change).toMatchObject({
      action: 'delete',
      attributes: [
        {
          name: 'access',
          from: 'the account, /home/eve.x/.ssh/authorized_keys, /home/eve.x/.ssh/authorized_keys2, /var/spool/cron/crontabs/eve.x, /var/lib/systemd/linger/eve.x, /etc/sudoers.d/hers, /etc/sudoers.d/many',
        },
      ],
    });
    expect(await root.ask(sh`cd /home/eve.x; ls -A .ssh; ls /etc/sudoers.d; cat /etc/sudoers.d/many`)).toBe(
      'many\n# of many\neve-x ALL=(ALL) ALL\nevenx ALL=(ALL) ALL\n',
    );
  });

  test('keeps no rule in sudoers where the account was removed by hand', async () => {
    await root.ask(sh`echo 'eve.x ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/hers`);
    expect(await converge(root, gone)).toMatchObject({
      attributes: [{ name: 'access', from: '/etc/sudoers.d/hers' }],
    });
  });

  test('goes with processes that run, also with one that does not end when asked to', async () => {
    await root.ask(sh`${make}
setpriv --reuid=eve.x --regid=eve.x --clear-groups setsid sh -c 'trap "" TERM; touch /tmp/eve.x-runs; while :; do sleep 1; done' </dev/null >/dev/null 2>&1 &
while [ ! -e /tmp/eve.x-runs ]; do sleep 0.1; done`);
    await converge(root, gone);
    expect(await root.ask(sh`find /proc -maxdepth 1 -uid 1001 -name '[0-9]*' | wc -l`)).toBe('0\n');
  });

  test('stays locked where a service starts its processes again, which the error names', async () => {
    await root.ask(sh`${make}
rm -f /tmp/eve.x-ends
setsid sh -c 'while [ ! -e /tmp/eve.x-ends ]; do setpriv --reuid=eve.x --regid=eve.x --clear-groups sleep 1000; done' </dev/null >/dev/null 2>&1 &`);
    expect(await refuse(root, gone)).toMatch(/^process \d+ of eve\.x goes on: sleep 1000 in /m);
    expect(await root.ask(sh`getent shadow eve.x | cut -d: -f2,8; touch /tmp/eve.x-ends`)).toBe('!:1\n');
    await converge(root, gone);
  });

  test('that has the number and the home of root costs root neither processes nor keys', async () => {
    await root.ask(sh`mkdir -p /root/.ssh; echo ${key} >/root/.ssh/authorized_keys
useradd -o -u 0 -g 0 -M -d /root toor; sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/tmp/sleep`);
    const change = await converge(root, user('toor', { absent: true }));
    expect(change.attributes).toMatchObject([{ from: 'the account' }]);
    expect(
      await root.ask(sh`kill "$(cat /tmp/sleep)"; cat /root/.ssh/authorized_keys; rm -r /root/.ssh`),
    ).toBe(`${key}\n`);
  });
});

describe('a user that is declared', () => {
  test('shares its declared number with nobody else, but for who may', async () => {
    await root.ask(sh`for name in toor second; do useradd -o -u 0 -g 0 -M -d /root "$name"; done`);
    const change = await converge(root, user('root', { uid: 0, sharesUid: ['second'] }));
    expect(change.attributes).toEqual([{ name: 'sharesUid', from: 'toor', to: 'nothing' }]);
    expect(
      await root.ask(sh`getent passwd 0 second | cut -d: -f1; userdel -f second >/dev/null 2>&1 || :`),
    ).toBe('root\nsecond\n');
  });

  test('has a home that sshd takes keys from', async () => {
    await root.ask(sh`useradd -m hanna; mkdir -m 0700 /home/hanna/.ssh; touch /home/hanna/.ssh/authorized_keys
chown -R hanna: /home/hanna/.ssh; chmod 0775 /home/hanna; chmod 0666 /home/hanna/.ssh/authorized_keys; chown daemon /home/hanna/.ssh`);
    const change = await converge(root, user('hanna'));
    expect(change.attributes).toEqual([
      {
        name: 'homeDirectory',
        from: '/home/hanna is writable for others (0775), /home/hanna/.ssh belongs to 1, /home/hanna/.ssh/authorized_keys is writable for others (0666)',
        to: 'present',
      },
    ]);
    expect(await root.ask(sh`cd /home/hanna; stat -c '%a %U' . .ssh .ssh/authorized_keys`)).toBe(
      '755 hanna\n700 hanna\n644 hanna\n',
    );
  });

  test('can log in with its key: no password has to be changed first', async () => {
    await root.ask(sh`chage -d 0 hanna`);
    const change = await converge(root, user('hanna', { locked: false }));
    expect(change.attributes).toEqual([{ name: 'locked', from: 'until the password is changed', to: false }]);
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

  test('counts where sshd reads keys too, in authorized_keys2', async () => {
    const other = `${keys}2`;
    const entry = `ssh-ed25519 ${blob} anna@laptop`;
    await root.ask(
      sh`printf '%s\n' ${entry} ${second} | setpriv --reuid=anna --regid=anna --clear-groups tee ${other}`,
    );
    const restricted = authorizedKey('anna', entry, { options: 'restrict' });
    expect(await probe(root, restricted)).toMatchObject({ options: '' });
    await converge(root, restricted);
    expect(await root.ask(sh`tail -n 1 ${keys}; cat ${other}`)).toBe(`restrict ${entry}\n${second}\n`);
    await root.ask(sh`printf '%s\n' ${entry} >>${other}`);
    await converge(root, authorizedKey('anna', entry, { absent: true }));
    expect(await root.ask(sh`cat ${other}; stat -c '%a %U' ${other}; rm ${other}`)).toBe(
      `${second}\n600 anna\n`,
    );
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

describe('keys of a user that nobody declares', () => {
  const [own, other, third] = [
    'm1T6VxkKc0rj1VZk6n0kqWmS3aB',
    'm1T6VxkKc0rj1VZk6n0kqWmS3aC',
    'm1T6VxkKc0rj1VZk6n0kqWmS3aD',
  ].map((end) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5${end}`);
  const declared = authorizedKey('nina', `${own} nina@laptop`);
  const only = authorizedKeys('nina');
  const files = ['/home/nina/.ssh/authorized_keys', '/home/nina/.ssh/authorized_keys2'];

  beforeAll(async () => {
    await converge(root, user('nina'));
    await converge(root, declared);
  });

  test('go, are named by the plan, and what is declared stays as it is', async () => {
    expect(await probe(root, only, [declared])).toMatchObject({ undeclared: 'nothing' });
    await root.ask(sh`printf '%s\n' ${`restrict ${other} mallory@evil`} ${`# ${third}`} 'no key AAAA' >>${files[0] ?? ''}
printf '%s\n' ${third ?? ''} >${files[1] ?? ''}; chown nina: ${files}`);
    const { attributes } = await converge(root, only, [declared]);
    expect(attributes).toEqual([
      {
        name: 'undeclared',
        from: expect.stringMatching(
          /^SHA256:\S{43} mallory@evil, SHA256:\S{43} \(in authorized_keys2\)$/,
        ) as string,
        to: 'nothing',
      },
    ]);
    expect(await root.ask(sh`cat ${files}; stat -c %U ${files[0] ?? ''}`)).toBe(
      `${own} nina@laptop\n# ${third}\nno key AAAA\nnina\n`,
    );
  });

  test('stay in a file that is declared as a whole', async () => {
    await root.ask(sh`printf '%s\n' ${other ?? ''} >>${files[0] ?? ''}`);
    const whole = file(files[0] ?? '', { content: 'x' });
    expect(await probe(root, only, [whole])).toMatchObject({ undeclared: 'nothing' });
    expect(await probe(root, authorizedKeys('nobody-of-this-name'))).toMatchObject({ undeclared: 'nothing' });
  });

  test('are not read where the file is too large, or a pipe', async () => {
    await root.ask(sh`rm ${files[1] ?? ''}; mkfifo ${files[1] ?? ''}`);
    expect(await probe(root, only, [declared])).toMatchObject({
      undeclared: expect.stringContaining('SHA256') as string,
    });
    await root.ask(sh`truncate -s 2M ${files[0] ?? ''}`);
    await expect(probe(root, only, [declared])).rejects.toThrow('too large');
  });
});

test('the files of sudo that a login may depend on are known: by its name, number, groups and aliases', async () => {
  await root.ask(sh`useradd -G adm login; mkdir -p /etc/sudoers.d; cd /etc/sudoers.d
echo 'login ALL=ALL' >by-name; echo "#$(id -u login) ALL=ALL" >by-number; echo '%adm ALL=ALL' >by-group
echo '%login ALL=ALL' >by-primary-group; printf 'User_Alias TEAM=eve,login\nTEAM ALL=ALL\n' >by-alias
echo 'mallory ALL=(login) ALL' >of-another; echo '# login ALL=ALL' >comment; mkdir folder`);
  const said = await root.ask(sh`export HW_LOGIN=login SSH_CONNECTION='10.0.0.9 1 10.0.0.1 22'
${factsScript('shared')}`);
  const { connection } = parseFacts('web1', {
    ...{ code: 0, stdout: Buffer.from(said), stderr: Buffer.alloc(0) },
  });
  expect(connection?.sudoers?.toSorted()).toEqual(
    ['by-alias', 'by-group', 'by-name', 'by-number', 'by-primary-group'].toSorted(),
  );
});
