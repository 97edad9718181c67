import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  command,
  directory,
  file,
  hostname,
  line,
  link,
  Secret,
  sh,
  sysctl,
  unit,
  type Resource,
} from '../../src/index.ts';
import {
  converge,
  convergeTogether,
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

const read = async (path: string): Promise<string> => await root.ask(sh`cat ${path}`);

const motd = (): Resource => file('/etc/motd', { content: 'hello\n', mode: '0640', group: 'adm' });

describe('file', () => {
  test('is made where there is nothing', async () => {
    await root.ask(sh`rm -f /etc/motd`);
    expect(await converge(root, motd())).toMatchObject({ action: 'create' });
    expect(await read('/etc/motd')).toBe('hello\n');
    expect(await root.ask(sh`stat -c '%a %U %G' /etc/motd`)).toBe('640 root adm\n');
  });

  test.each([
    ['of another mode', sh`echo hello >/etc/motd; chmod 0600 /etc/motd`],
    ['of another owner', sh`echo hello >/etc/motd; chown daemon /etc/motd`],
    ['an empty directory', sh`mkdir -p /etc/motd`],
    ['a pipe', sh`mkfifo /etc/motd`],
  ])('takes the place of one that is %s', async (_, make) => {
    await root.ask(sh`rm -rf /etc/motd; ${make}`);
    await converge(root, motd());
    expect(await root.ask(sh`stat -c '%F %a %U %G' /etc/motd`)).toBe('regular file 640 root adm\n');
    expect(await read('/etc/motd')).toBe('hello\n');
  });

  test('takes the place of a link and leaves alone where it led', async () => {
    await root.ask(sh`rm -f /etc/motd; echo other >/srv/target; ln -s /srv/target /etc/motd`);
    await converge(root, motd());
    expect(await read('/srv/target')).toBe('other\n');
    expect(await root.ask(sh`stat -c %F /etc/motd`)).toBe('regular file\n');
  });

  test.each([
    ['0', '8'],
    ['0001', 'adm'],
    ['54321', '54322'],
  ])('belongs to numbers as to names: %s, %s', async (owner, group) => {
    await root.ask(sh`rm -f /etc/motd; rm -rf /srv/numbered; useradd -M numbered || :`);
    await converge(root, file('/etc/motd', { content: 'hello\n', owner, group }));
    await converge(root, directory('/srv/numbered', { owner, group, mode: '0750' }));
    await root.ask(sh`chown numbered:numbered /etc/motd /srv/numbered`);
    await converge(root, file('/etc/motd', { content: 'hello\n', owner, group }));
    await converge(root, directory('/srv/numbered', { owner, group, mode: '0750' }));
    const gid = group === 'adm' ? 4 : Number(group);
    expect(await root.ask(sh`stat -c %u:%g /etc/motd /srv/numbered`)).toBe(
      `${Number(owner)}:${gid}\n`.repeat(2),
    );
  });

  test('keeps the content when only the mode differs', async () => {
    await root.ask(
      sh`rm -f /etc/motd; printf 'hello\n' >/etc/motd; chown root:adm /etc/motd; touch -d 2001-01-01 /etc/motd`,
    );
    expect((await converge(root, motd())).attributes.map(({ name }) => name)).toEqual(['mode']);
    expect(await root.ask(sh`stat -c %y /etc/motd | cut -c1-4`)).toBe('2001\n');
  });

  test('shows nothing of a secret content, neither the new nor the old', async () => {
    await root.ask(sh`echo 'old secret' >/etc/key`);
    const key = file('/etc/key', { content: new Secret('new secret'), mode: '0600' });
    const change = await converge(root, key);
    expect(String(change.attributes.find(({ name }) => name === 'content')?.from)).toBe('***');
    expect(await read('/etc/key')).toBe('new secret');
  });

  test('is for its owner alone where it is a secret, unless the mode is said', async () => {
    const content = new Secret('quite secret');
    await converge(root, file('/etc/key', { content: 'public' }));
    expect(await root.ask(sh`stat -c %a /etc/key`)).toBe('644\n');
    const change = await converge(root, file('/etc/key', { content }));
    expect(change.attributes.map(({ name }) => name)).toEqual(['mode', 'content']);
    expect(await root.ask(sh`stat -c %a /etc/key`)).toBe('600\n');
    await converge(root, file('/etc/key', { content, mode: '0644' }));
    await root.ask(sh`rm -f /etc/lines`);
    await converge(root, line('/etc/lines', { line: new Secret('key=a'), match: '^key=' }));
    expect(await root.ask(sh`stat -c %a /etc/lines; chmod 0640 /etc/lines`)).toBe('600\n');
    await converge(root, line('/etc/lines', { line: new Secret('key=b'), match: '^key=' }));
    expect(await root.ask(sh`stat -c %a /etc/lines`)).toBe('640\n');
  });

  test('goes live only when its own check accepts it', async () => {
    await root.ask(sh`echo good >/etc/checked`);
    const bad = file('/etc/checked', { content: 'bad\n', validate: ['grep', '-q', 'good'] });
    await refuse(root, bad);
    expect(await root.ask(sh`cat /etc/checked; ls -A /etc | grep -c hostwright || :`)).toBe('good\n0\n');
  });

  test('is written together with others, whatever stands in their places', async () => {
    await root.ask(sh`rm -rf /srv/many; mkdir -p /srv/many/0 /srv/many/elsewhere
ln -s elsewhere /srv/many/1; ln -s /etc/hostname /srv/many/2; mkfifo /srv/many/3`);
    const before = await read('/etc/hostname');
    const contents = ['a\n', '', new Uint8Array([0, 255]), 'd\n', new Secret('quite secret')];
    const files = contents.map((content, index) =>
      file(`/srv/many/${index}`, { content, mode: index < 3 ? '0644' : '0600' }),
    );
    await convergeTogether(root, [...files, file(`/srv/many/${hostile}`, { content: 'f\n' })]);
    expect(
      await root.ask(
        sh`cd /srv/many; stat -c '%a %s' 0 1 2 3 4; ls -A elsewhere; ls -Ad .hostwright* 2>/dev/null || :`,
      ),
    ).toBe('644 2\n644 0\n644 2\n600 2\n600 12\n');
    expect(await read('/etc/hostname')).toBe(before);
    // A reload is due where a file is newer than the process: the time must be that of the writing.
    expect(await root.ask(sh`find /srv/many -type f -newer /etc/motd | wc -l`)).toBe('6\n');
  });

  test('takes every name and every byte', async () => {
    const bytes = new Uint8Array([0, 255, 10, 13, 39, 0]);
    const at = `/srv/${hostile}\nsecond line`;
    await converge(root, file(at, { content: bytes }));
    expect(await root.ask(sh`od -An -tx1 ${at}`)).toBe(' 00 ff 0a 0d 27 00\n');
    await converge(root, file(at, { absent: true }));
  });
});

describe('directory and link', () => {
  test('take every name, and the place of each other', async () => {
    const at = `/srv/d ${hostile}\nsecond`;
    await converge(root, directory(at, { mode: '2750', group: 'adm' }));
    await root.ask(sh`touch ${`${at}/below`}`);
    await converge(root, link(at, { to: `../${hostile}`, force: true }));
    expect(await root.ask(sh`readlink ${at}`)).toBe(`../${hostile}\n`);
    await converge(root, directory(at, {}));
    await converge(root, directory(at, { absent: true }));
  });

  test('a directory does not follow a link, a link is changed in one go', async () => {
    await root.ask(sh`mkdir /srv/real; ln -s real /srv/alias`);
    await converge(root, link('/srv/alias', { to: 'other' }));
    await converge(root, link('/srv/alias', { to: '../alias' }));
    await converge(root, link('/srv/alias', { to: '../srv/alias' }));
    await converge(root, directory('/srv/alias', { mode: '0700' }));
    expect(await root.ask(sh`stat -c %a /srv/real`)).toBe('755\n');
  });
});

describe('line', () => {
  const at = '/etc/example.conf';
  const write = async (text: string): Promise<void> => {
    await root.ask(sh`printf '%s' ${text} >${at}; chmod 0640 ${at}; chown daemon:adm ${at}`);
  };

  test.each([
    ['is added at the end', 'a\n', { line: 'b' }, 'a\nb\n'],
    ['is added behind a last line without an end', 'a', { line: 'b' }, 'a\nb\n'],
    ['may be empty', 'a\n', { line: '' }, 'a\n\n'],
    [
      'takes the place of the one that matches',
      'x\n#Port 1\ny\n',
      { line: 'Port 2', match: '^#?Port ' },
      'x\nPort 2\ny\n',
    ],
    [
      'stays alone among those that match',
      'Port 1\nx\nPort 2\nPort 3\n',
      { line: 'Port 2', match: '^Port ' },
      'Port 2\nx\n',
    ],
    [
      'takes the place of a last line without an end',
      'a\nPort 1',
      { line: 'Port 2', match: '^Port' },
      'a\nPort 2\n',
    ],
    ['need not match itself', 'old\n', { line: 'new', match: '^old$' }, 'new\n'],
    ['goes wherever it stands', 'a\nb\na\n', { line: 'a', absent: true }, 'b\n'],
    ['goes with all that match', 'swap 1\nb\nswap 2\n', { match: '^swap ', absent: true }, 'b\n'],
    ['matches by characters, not bytes', 'größe\n', { line: 'x', match: '^gr.{1}ße$' }, 'x\n'],
    ['is taken as it is', 'a.b\naxb\n', { line: 'a.b', absent: true }, 'axb\n'],
  ])('%s', async (_, before, attributes, after) => {
    await write(before);
    await converge(root, line(at, attributes));
    expect(await read(at)).toBe(after);
    expect(await root.ask(sh`stat -c '%a %U %G' ${at}`)).toBe('640 daemon adm\n');
  });

  test('makes a file, and follows a link', async () => {
    await root.ask(sh`rm -f ${at}; mkdir -p /srv/conf; ln -s /srv/conf/real ${at}`);
    await converge(root, line(at, { line: 'a' }));
    expect(await root.ask(sh`stat -c '%F %a' ${at} /srv/conf/real`)).toBe(
      'symbolic link 777\nregular file 644\n',
    );
    await root.ask(sh`rm ${at}`);
  });

  test('leaves no file where nothing is to go', async () => {
    expect(await probe(root, line('/etc/nowhere', { line: 'a', absent: true }))).toBeNull();
  });

  test('takes every text and every path', async () => {
    await write('first\n');
    await converge(root, line(at, { line: hostile }));
    await converge(root, line(at, { line: `${hostile} again`, match: `'b' "c" .*\\$\\(touch` }));
    expect(await read(at)).toBe(`first\n${hostile} again\n`);
    await converge(root, line(`/srv/l ${hostile}\nx`, { line: '-e' }));
  });

  test('keeps bytes that are no text', async () => {
    await root.ask(sh`printf 'a\377\000\nb\nc\377' >${at}`);
    await converge(root, line(at, { line: 'B', match: '^b$' }));
    expect(await root.ask(sh`od -An -tx1 ${at}`)).toBe(' 61 ff 00 0a 42 0a 63 ff\n');
  });

  test('several of one file are one step', async () => {
    await write('a\nb\n');
    await convergeTogether(root, [
      line(at, { line: 'A', match: '^a' }),
      line(at, { line: 'c' }),
      line(at, { match: '^b', absent: true }),
      line('/etc/other.conf', { line: 'd' }),
    ]);
    expect(await read(at)).toBe('A\nc\n');
    expect(await read('/etc/other.conf')).toBe('d\n');
  });

  test('shows nothing of a secret line, neither the new nor the old', async () => {
    await write('password=old\n');
    const secret = line(at, { line: new Secret('password=new'), match: '^password=' });
    const change = await converge(root, secret);
    expect(JSON.stringify(change)).not.toMatch(/=old|=new/);
    expect(await read(at)).toBe('password=new\n');
  });

  test('says what is wrong with an expression, and does not edit a directory', async () => {
    await write('a\n');
    await expect(probe(root, line(at, { line: 'a', match: '(' }))).rejects.toThrow(/unmatched/i);
    expect(await refuse(root, line('/etc/apt', { line: 'a' }))).toContain('/etc/apt is not a regular file');
  });
});

describe('sysctl', () => {
  test('sets the running value and keeps it for the next boot', async () => {
    const forward = sysctl('net.ipv4.ip_forward', { value: 1 });
    expect(await converge(root, forward)).toMatchObject({ actual: { value: '0', persisted: null } });
    expect(await read('/proc/sys/net/ipv4/ip_forward')).toBe('1\n');
    expect(await read('/etc/sysctl.d/zz-net.ipv4.ip_forward.conf')).toBe('net.ipv4.ip_forward = 1\n');
    await converge(root, sysctl('net.ipv4.ip_forward', { absent: true }));
  });

  test('compares words, not white space', async () => {
    await converge(root, sysctl('net.ipv4.ip_local_port_range', { value: '20000  60000' }));
    expect(await read('/proc/sys/net/ipv4/ip_local_port_range')).toBe('20000\t60000\n');
  });

  test('mends whichever of the two differs', async () => {
    const name = 'net.ipv4.conf.lo.rp_filter';
    await converge(root, sysctl(name, { value: 1 }));
    await root.ask(sh`echo 2 >/proc/sys/net/ipv4/conf/lo/rp_filter`);
    expect((await converge(root, sysctl(name, { value: 1 }))).attributes).toHaveLength(1);
    await root.ask(sh`echo "# by hand" >${`/etc/sysctl.d/zz-${name}.conf`}`);
    expect((await converge(root, sysctl(name, { value: 1 }))).attributes).toHaveLength(1);
  });

  test('wins over files that are read later, whose other lines stay', async () => {
    const name = 'net.ipv4.conf.lo.rp_filter';
    await root.ask(sh`mkdir -p /run/sysctl.d /usr/lib/sysctl.d /etc/ufw
printf '# mine\nnet.ipv4.conf.lo.rp_filter = 0\nnet.ipv4.tcp_sack = 1\n' >/etc/sysctl.d/zzz.conf
echo '-net/ipv4/conf/lo/rp_filter=2' | tee /run/sysctl.d/zzzz.conf >/usr/lib/sysctl.d/zzzzz.conf
echo 'net/ipv4/conf/lo/rp_filter=0' >/etc/ufw/sysctl.conf`);
    const change = await converge(root, sysctl(name, { value: 1 }));
    expect(change.attributes).toEqual([
      { name: 'persisted', from: '0 (from /etc/ufw/sysctl.conf)', to: '1' },
    ]);
    expect(
      await root.ask(sh`cat /etc/sysctl.d/zzz.conf /run/sysctl.d/zzzz.conf /etc/sysctl.d/zzzzz.conf /usr/lib/sysctl.d/zzzzz.conf /etc/ufw/sysctl.conf
rm -r /etc/sysctl.d/zzz*.conf /run/sysctl.d /usr/lib/sysctl.d/zzzzz.conf /etc/ufw/sysctl.conf`),
    ).toBe(
      '# mine\n# net.ipv4.conf.lo.rp_filter = 0\nnet.ipv4.tcp_sack = 1\n# -net/ipv4/conf/lo/rp_filter=2\n# -net/ipv4/conf/lo/rp_filter=2\n-net/ipv4/conf/lo/rp_filter=2\n# net/ipv4/conf/lo/rp_filter=0\n',
    );
  });

  test('keeps nothing that the kernel refuses or does not know', async () => {
    expect(await refuse(root, sysctl('net.ipv4.ip_forward', { value: hostile }))).not.toBe('');
    expect(await refuse(root, sysctl('net.ipv4.no_such_thing', { value: 1 }))).toContain('no_such_thing');
    expect(await root.ask(sh`ls -A /etc/sysctl.d`)).not.toMatch(/no_such_thing|\.hostwright/);
  });
});

describe('hostname', () => {
  test('is set now and for the next boot', async () => {
    await converge(root, hostname('web1.example.com'));
    expect(await root.ask(sh`uname -n; cat /etc/hostname`)).toBe('web1.example.com\nweb1.example.com\n');
    await root.ask(sh`rm /etc/hostname`);
    expect((await converge(root, hostname('web1.example.com'))).attributes).toHaveLength(1);
  });
});

describe('command', () => {
  test('runs only until its guard is content', async () => {
    const add = command('count', {
      run: ['sh', '-c', 'echo x >>/srv/count'],
      unless: ['test', '-s', '/srv/count'],
    });
    expect(await converge(root, add)).toMatchObject({ action: 'run' });
    expect(await read('/srv/count')).toBe('x\n');
  });

  test('takes every word, and a secret on its standard input alone', async () => {
    const at = `/srv/c ${hostile}\nx`;
    await converge(
      root,
      command(hostile, { run: ['tee', at], creates: at, stdin: new Secret('very secret') }),
    );
    expect(await read(at)).toBe('very secret');
  });

  test('gives the last words of the command when it fails', async () => {
    const fail = command('fail', { run: ['ls', '/no/such/thing'], creates: '/no/such/thing' });
    expect(await refuse(root, fail)).toContain("cannot access '/no/such/thing'");
  });

  test('says how a command ended that says nothing itself', async () => {
    const failing = (words: readonly [string, ...string[]]) =>
      command('x', { run: [...words], creates: '/srv/never' });
    expect(await refuse(root, failing(['sh', '-c', 'exit 7']))).toContain(
      'sh -c exit 7 ended with exit status 7',
    );
    expect(await refuse(root, failing(['sh', '-c', 'kill -9 $$']))).toContain('was ended by signal KILL');
    expect(await refuse(root, failing(['sh', '-c', 'echo broken; exit 1']))).toMatch(
      /^broken\nsh .* ended with exit status 1\n$/,
    );
    const checked = file('/srv/checked', { content: 'x', validate: ['false'] });
    expect(await refuse(root, checked)).toContain('false ended with exit status 1');
  });

  test('is ended on the host once its time is up, with its children', async () => {
    const slow = command('slow', {
      run: ['sh', '-c', 'sleep 87654 & sleep 87654'],
      creates: '/srv/never',
      timeout: 1,
    });
    expect(await refuse(root, slow)).toContain('did not end within its timeout of 1 s and was ended');
    expect(await root.ask(sh`grep -lsx -e 'sleep.87654.' /proc/[0-9]*/cmdline || :`)).toBe('');
  });

  test.each([
    ['/no/such/guard', 'does not exist (exit status 127 of: /no/such/guard --check)'],
    ['/etc/passwd', 'cannot be executed (exit status 126 of: /etc/passwd --check)'],
  ])('does not take a guard that cannot run for an answer: %s', async (program, reason) => {
    const guarded = command('x', { run: ['true'], unless: [program, '--check'] });
    await expect(probe(root, guarded)).rejects.toThrow(reason);
  });

  test('is not content with a command that does not reach the state', async () => {
    const idle = command('idle', { run: ['true'], creates: '/srv/never' });
    await expect(converge(root, idle)).rejects.toThrow('still differs after the first application');
  });
});

const service = (extra = ''): string =>
  `[Unit]\nDescription=An example\n[Service]\nExecStart=/bin/sleep infinity\n${extra}`;

const journal = (content: string): Resource =>
  unit('systemd-journald.service', { dropIn: 'limits', content });

describe('unit', () => {
  const timer =
    '[Unit]\nDescription=Daily\n[Timer]\nOnCalendar=daily\nUnit=example.service\n[Install]\nWantedBy=timers.target\n';

  test('a timer and its service go live together', async () => {
    await convergeTogether(root, [
      unit('example.timer', { content: timer }),
      unit('example.service', { content: service() }),
    ]);
    expect(await read('/etc/systemd/system/example.service')).toBe(service());
  });

  test.each([
    ['a misspelt setting', service('ProtectSytem=strict\n'), /Unknown (key|lvalue).*ProtectSytem/],
    ['a setting that cannot be read', service('Restart=perhaps\n'), /Restart=perhaps/],
    ['no command', '[Service]\nUser=root\n', /ExecStart/],
    ['a command that is not there', '[Service]\nExecStart=/srv/none\n', /srv\/none is not executable/],
  ])('with %s never goes live', async (_, content, message) => {
    const said = await refuse(root, unit('example.service', { content }));
    expect(said).toMatch(message);
    expect(await read('/etc/systemd/system/example.service')).toBe(service());
  });

  test('a drop-in is verified with the unit of the distribution', async () => {
    await converge(root, journal('[Service]\nMemoryMax=200M\n'));
    expect(await refuse(root, journal('[Service]\nMemoryMaxi=200M\n'))).toContain('MemoryMaxi');
    await converge(root, unit('systemd-journald.service', { dropIn: 'limits', absent: true }));
    expect(await root.ask(sh`ls -A /etc/systemd/system`)).not.toMatch(/journald|\.hostwright/);
  });

  test('takes the place of a mask, and is removed', async () => {
    await root.ask(sh`ln -sf /dev/null /etc/systemd/system/example.service`);
    await converge(
      root,
      unit('example.service', { content: service(`Environment="X=${hostile.replaceAll(/["\\%]/g, '')}"\n`) }),
    );
    expect(await read('/etc/systemd/system/example.service')).toContain('$(touch pwned)');
  });
});
