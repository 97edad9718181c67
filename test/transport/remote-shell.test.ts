import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { stopSign } from '../../src/transport/frame.ts';
import { notBegun, parseSections, sectionsRequest, type Section } from '../../src/transport/sections.ts';
import { sh } from '../../src/transport/shell.ts';
import type { Answer, Lock, Request } from '../../src/transport/transport.ts';
import { openLocalShell, temporaryFolder } from './local-shell.ts';

function lock(mode: Lock['mode'], user: string, waitSeconds = 0): Lock {
  return { mode, waitSeconds, holder: { user, controller: 'desk', pid: 42, since: '2026-03-01T10:00:00Z' } };
}

function sessions(directory: string): readonly string[] {
  return readdirSync(directory).filter((name) => name !== 'lock');
}

/** Every byte there is, in an order that a line-wise reader would trip over. */
const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => (index * 7) % 256));

describe('a request to the remote shell', () => {
  it('gives the exit code and both outputs, byte for byte', async () => {
    const { shell } = await openLocalShell();
    const answer = await shell.request({ script: sh`cat; cat >&2 <&-; exit 3`, stdin: bytes });
    expect(answer.code).toBe(3);
    expect(answer.stdout).toEqual(bytes);
    expect(answer.stderr.toString()).toContain('cat');
  });

  it('is one round trip, and runs after those before it', async () => {
    const { shell } = await openLocalShell();
    const answers = await Promise.all(
      ['a', 'b', 'c'].map(async (word) => shell.request({ script: sh`echo ${word}` })),
    );
    expect(answers.map(({ stdout }) => stdout.toString())).toEqual(['a\n', 'b\n', 'c\n']);
    expect(shell.roundTrips).toBe(3);
  });

  it('takes and gives many megabytes', async () => {
    const { shell } = await openLocalShell();
    const payload = Buffer.concat(Array.from({ length: 20_000 }, () => bytes));
    const answer = await shell.request({ script: sh`cat`, stdin: payload });
    expect(answer.stdout.equals(payload)).toBe(true);
  });

  it('finds a clean environment, in / and with umask 022, whatever the login brings', async () => {
    const environment = {
      LC_ALL: 'de_DE.UTF-8',
      BASH_ENV: '/x',
      CDPATH: '/etc',
      http_proxy: 'http://proxy:3128',
      SSH_CONNECTION: '10.0.0.1 40000 10.0.0.2 22',
    };
    const { shell } = await openLocalShell({}, { environment });
    const { stdout } = await shell.request({ script: sh`pwd; umask; env | sort` });
    expect(stdout.toString().split('\n').slice(0, 2)).toEqual(['/', '0022']);
    expect(stdout.toString().split('\n').slice(2, -1)).toEqual([
      'DEBIAN_FRONTEND=noninteractive',
      'HOME=/root',
      `HW_LOGIN=${userInfo().username}`,
      'LC_ALL=C.UTF-8',
      'LOGNAME=root',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'PWD=/',
      'SHELL=/bin/sh',
      'SSH_CONNECTION=10.0.0.1 40000 10.0.0.2 22',
      'TERM=dumb',
      'USER=root',
      'http_proxy=http://proxy:3128',
    ]);
  });

  it('leaves nothing for the next one: no standard input, no files, no variables', async () => {
    const { shell, directory } = await openLocalShell();
    await shell.request({ script: sh`leak=1; cd /etc`, stdin: Buffer.from('not read') });
    const { stdout } = await shell.request({ script: sh`cat; echo "[$leak]"; pwd` });
    expect(stdout.toString()).toBe('[]\n/\n');
    const { stdout: files } = await shell.request({
      script: sh`find ${directory} -name '1.*' -o -name '2.*'`,
    });
    expect(files.toString()).toBe('');
  });

  it.each([
    ['exits', sh`exit 7`, 7],
    ['kills itself', sh`kill -9 $$`, 137],
    ['is no shell', sh`if then fi (`, 2],
    ['closes everything', sh`exec 0<&- 1>&- 2>&-; exit 1`, 1],
    ['writes into a broken pipe', sh`yes | head -1 >/dev/null`, 0],
    ['traps everything', sh`trap '' HUP INT TERM PIPE; exit 4`, 4],
  ])('does no harm to the next when its script %s', async (_, script, code) => {
    const { shell } = await openLocalShell();
    expect((await shell.request({ script })).code).toBe(code);
    expect((await shell.request({ script: sh`echo on` })).stdout.toString()).toBe('on\n');
  });

  it('does not wait for what its script leaves in the background', async () => {
    const { shell } = await openLocalShell();
    const { stdout } = await shell.request({ script: sh`sleep 600 & echo $!` });
    const pid = stdout.toString().trim();
    const { code } = await shell.request({ script: sh`kill ${pid}` });
    expect(code).toBe(0);
  });

  it('cannot forge an answer', async () => {
    const { shell } = await openLocalShell();
    const { stdout } = await shell.request({ script: sh`printf '%s\n' 'x answer 1 done 0 0 0' 'x end 1'` });
    expect(stdout.toString()).toBe('x answer 1 done 0 0 0\nx end 1\n');
  });

  it('is refused when it writes more than an answer may hold, and the shell goes on', async () => {
    const { shell } = await openLocalShell({ answerLimit: 100_000 });
    await expect(shell.request({ script: sh`head -c 100001 /dev/zero` })).rejects.toMatchObject({
      code: 'E_REMOTE',
      expected: 'at most 100000 bytes',
    });
    const { stdout } = await shell.request({ script: sh`head -c 100000 /dev/zero` });
    expect(stdout.length).toBe(100_000);
  });

  it('is ended when it would write for ever', async () => {
    const { shell } = await openLocalShell({ answerLimit: 1_000_000 });
    await expect(shell.request({ script: sh`yes` })).rejects.toMatchObject({ code: 'E_REMOTE' });
    expect((await shell.request({ script: sh`echo on` })).stdout.toString()).toBe('on\n');
  });

  it('fails with E_TIMEOUT when it takes too long, and its script is ended soon', async () => {
    const { shell, channel, directory } = await openLocalShell();
    const request = shell.request({ script: sh`sleep 600`, timeout: 300, title: 'dozing' });
    await expect(request).rejects.toMatchObject({
      code: 'E_TIMEOUT',
      message: 'no answer within 0.3 s while dozing',
      place: { host: 'web1' },
    });
    await expect(shell.request({ script: sh`true` })).rejects.toMatchObject({ code: 'E_TIMEOUT' });
    await channel.exited;
    expect(sessions(directory)).toEqual([]);
  }, 30_000);

  it('fails with E_CONNECT when the connection dies meanwhile', async () => {
    const { shell, channel } = await openLocalShell();
    const request = shell.request({ script: sh`sleep 600`, title: 'install nginx' });
    process.kill(channel.pid, 'SIGKILL');
    channel.destroy();
    await expect(request).rejects.toMatchObject({
      code: 'E_CONNECT',
      message: 'connection lost while install nginx',
    });
  });

  it('fails with E_REMOTE when something else writes into the connection', async () => {
    const { shell, channel } = await openLocalShell();
    const request = shell.request({ script: sh`sleep 600` });
    channel.output.emit('data', Buffer.from('Warning: something happened\n'));
    await expect(request).rejects.toMatchObject({ code: 'E_REMOTE', found: '"Warning: something happened"' });
  });

  it('fails with E_REMOTE when its folder is gone', async () => {
    const { shell, directory } = await openLocalShell();
    await shell.request({ script: sh`true` });
    const [session = ''] = sessions(directory);
    await shell.request({ script: sh`rm -rf ${join(directory, session)}` }).catch(() => undefined);
    await expect(shell.request({ script: sh`true` })).rejects.toMatchObject({ code: 'E_REMOTE' });
  });
});

describe('the session of the remote shell', () => {
  it('keeps its files to root, and removes them when it is closed', async () => {
    const { shell, directory } = await openLocalShell();
    await shell.request({ script: sh`true` });
    const [session = ''] = sessions(directory);
    const folder = join(directory, session);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const { stdout } = await shell.request({
      script: sh`stat -c %a ${folder}/2.in ${folder}/2.script`,
      stdin: bytes,
    });
    expect(stdout.toString()).toBe('600\n600\n');
    await shell.close();
    expect(sessions(directory)).toEqual([]);
  });

  it('removes them when the controller dies, also in the middle of an upload, and runs no half script', async () => {
    const { channel, directory } = await openLocalShell();
    const mark = join(directory, 'ran');
    const script = `touch ${mark}\n`;
    channel.input.write(`1 ${script.length + 100} 0 60 none 0 -\n${script}`);
    channel.input.end();
    await channel.exited;
    expect(readdirSync(directory)).toEqual(['lock']);
  });

  it('lets the script in hand come to its end when the controller dies', async () => {
    const { shell, channel, directory } = await openLocalShell();
    const [go, done] = [join(directory, 'go'), join(directory, 'done')];
    const request = shell.request({
      script: sh`until [ -e ${go} ]; do sleep 0.05; done; echo much; touch ${done}`,
    });
    await vi.waitFor(
      () => expect(readdirSync(join(directory, sessions(directory)[0] ?? ''))).toContain('1.out'),
      { timeout: 10_000 },
    );
    channel.destroy();
    await expect(request).rejects.toMatchObject({ code: 'E_CONNECT' });
    writeFileSync(go, '');
    await vi.waitFor(() => expect(existsSync(done)).toBe(true), { timeout: 10_000 });
    await vi.waitFor(() => expect(sessions(directory).toSorted()).toEqual(['done', 'go']), 10_000);
  });

  it('is cleaned up by itself when its shell is killed', async () => {
    const { shell, directory } = await openLocalShell();
    const { stdout } = await shell.request({ script: sh`ps -o ppid= -p "$PPID"` });
    process.kill(Number(stdout.toString().trim()), 'SIGKILL');
    await vi.waitFor(() => expect(sessions(directory)).toEqual([]), 10_000);
  });

  it('is cleaned up by the next one when the host gave it no chance', async () => {
    const directory = await temporaryFolder();
    mkdirSync(join(directory, 'session.dead'));
    writeFileSync(join(directory, 'session.dead', 'alive'), '');
    const { shell } = await openLocalShell({ directory });
    await shell.request({ script: sh`true` });
    expect(sessions(directory)).toHaveLength(1);
    expect(sessions(directory)).not.toContain('session.dead');
  });

  it('ends at once when it is closed before it has begun', async () => {
    const directory = await temporaryFolder();
    const opened = await Promise.all(Array.from({ length: 10 }, async () => openLocalShell({ directory })));
    await Promise.all(opened.map(async ({ shell }) => shell.close()));
    expect(sessions(directory)).toEqual([]);
  });

  it('leaves the sessions of others alone', async () => {
    const { shell, directory } = await openLocalShell();
    const { shell: second } = await openLocalShell({ directory });
    await second.close();
    expect((await shell.request({ script: sh`echo on` })).stdout.toString()).toBe('on\n');
  });
});

describe('the lock of a host', () => {
  it('keeps others out until the shell is closed, and says who holds it', async () => {
    const { shell, directory } = await openLocalShell();
    const { shell: second } = await openLocalShell({ directory });
    const mark = join(directory, 'ran');
    await shell.request({ script: sh`true`, lock: lock('exclusive', 'ann') });
    await expect(
      second.request({ script: sh`touch ${mark}`, lock: lock('shared', 'bob') }),
    ).rejects.toMatchObject({
      code: 'E_LOCKED',
      message: 'another run holds the lock: ann on desk (pid 42) since 2026-03-01T10:00:00Z',
      place: { host: 'web1' },
    });
    expect(existsSync(mark)).toBe(false);
    await shell.close();
    expect((await second.request({ script: sh`true`, lock: lock('exclusive', 'bob') })).code).toBe(0);
  });

  it('can be shared by readers, who keep a writer out', async () => {
    const { shell, directory } = await openLocalShell();
    const { shell: second } = await openLocalShell({ directory });
    const { shell: writer } = await openLocalShell({ directory });
    await shell.request({ script: sh`true`, lock: lock('shared', 'ann') });
    await second.request({ script: sh`true`, lock: lock('shared', 'bob') });
    await expect(writer.request({ script: sh`true`, lock: lock('exclusive', 'eve') })).rejects.toMatchObject({
      code: 'E_LOCKED',
      message: expect.stringContaining('and 1 more'),
      found: expect.stringMatching(/ann|bob/),
    });
  });

  it('can be waited for', async () => {
    const { shell, directory } = await openLocalShell();
    const { shell: second } = await openLocalShell({ directory });
    await shell.request({ script: sh`true`, lock: lock('exclusive', 'ann') });
    const waiting = second.request({ script: sh`echo mine`, lock: lock('exclusive', 'bob', 60) });
    await shell.close();
    expect((await waiting).stdout.toString()).toBe('mine\n');
  });

  it('is not kept by a daemon that a script has started', async () => {
    const { shell, directory } = await openLocalShell();
    const { stdout } = await shell.request({
      script: sh`setsid sleep 600 >/dev/null 2>&1 & echo $!`,
      lock: lock('exclusive', 'ann'),
    });
    await shell.close();
    const { shell: second } = await openLocalShell({ directory });
    const pid = stdout.toString().trim();
    const answer = await second.request({ script: sh`kill ${pid}`, lock: lock('exclusive', 'bob') });
    expect(answer.code).toBe(0);
  });

  it('takes nothing from a holder file that makes no sense', async () => {
    const { shell, directory } = await openLocalShell();
    const { shell: second } = await openLocalShell({ directory });
    await shell.request({ script: sh`true`, lock: lock('exclusive', '\u001B[31mann') });
    await expect(second.request({ script: sh`true`, lock: lock('exclusive', 'bob') })).rejects.toMatchObject({
      message: expect.not.stringContaining('\u001B'),
    });
    for (const name of sessions(directory)) {
      if (existsSync(join(directory, name, 'holder'))) {
        writeFileSync(join(directory, name, 'holder'), 'null\n{"user":1}\n[[[\n');
      }
    }
    await expect(second.request({ script: sh`true`, lock: lock('exclusive', 'bob') })).rejects.toMatchObject({
      message: 'another run holds the lock: unknown',
    });
  });
});

describe('starting the remote shell', () => {
  it('is not put off by what a login writes before', async () => {
    const home = await temporaryFolder();
    const noise = join(home, 'noise');
    writeFileSync(noise, 'printf "Welcome\\nto \\377 web1"; echo "and beware" >&2; set -x\n');
    const { shell } = await openLocalShell({}, { shell: 'bash', environment: { BASH_ENV: noise } });
    expect((await shell.request({ script: sh`echo on` })).stdout.toString()).toBe('on\n');
  });

  it('fails with E_REMOTE and the last words when the login ends', async () => {
    const home = await temporaryFolder();
    const noise = join(home, 'noise');
    writeFileSync(noise, 'echo "This account is currently not available."; exit 1\n');
    const opening = openLocalShell({}, { shell: 'bash', environment: { BASH_ENV: noise } });
    await expect(opening).rejects.toMatchObject({
      code: 'E_REMOTE',
      found: 'This account is currently not available.',
    });
  });

  it('fails when nothing comes', async () => {
    const home = await temporaryFolder();
    const noise = join(home, 'noise');
    writeFileSync(noise, 'exec sleep 600\n');
    const opening = openLocalShell(
      { startTimeout: 200 },
      { shell: 'bash', environment: { BASH_ENV: noise } },
    );
    await expect(opening).rejects.toMatchObject({
      code: 'E_REMOTE',
      message: 'the shell did not start in time',
    });
  });

  it('has the first request fail with the reason when its folder cannot be made', async () => {
    const { shell } = await openLocalShell({ directory: '/proc/hostwright' });
    await expect(shell.request({ script: sh`true` })).rejects.toMatchObject({
      code: expect.stringMatching(/^E_(REMOTE|SUDO)$/),
    });
  });
});

/** Its files below the folder of this shell. */
function asked(sections: readonly Section[], directory: string, stoppable: number): Request {
  const request = sectionsRequest(sections, { stoppable });
  return { ...request, script: sh`eval ${request.script.text.replaceAll('/run/hostwright', directory)}` };
}

describe('a request of several sections', () => {
  it.each([
    ['exits', sh`exit 7`, 7],
    [
      'fails in the middle',
      sh`false
echo further`,
      1,
    ],
    ['asks for what is not set', sh`echo "$hw_nothing"`, 2],
    ['is no shell', sh`if then fi (`, 2],
    ['ends what is around it', sh`true ) ; exit 3 ; (`, 2],
    ['becomes another program', sh`exec false`, 1],
    ['closes everything', sh`exec 0<&- 1>&- 2>&-; exit 1`, 1],
  ])('has nothing of a section that %s in the next', async (_, script, code) => {
    const { shell, directory } = await openLocalShell();
    const leak = sh`leak=1 HW_LEAK=1; export HW_LEAK; cd /etc; set -- leak; umask 0; leak() { :; }
trap 'echo bye' EXIT
touch "$HW/leak"
`;
    const clean = sh`echo "$# $(pwd) $(umask) \${leak-none} \${HW_LEAK-none} $(ls "$HW")$(cat)"; ! command -v leak`;
    const sections = [{ script: sh`${leak}${script}`, stdin: Buffer.from('not read') }, { script: clean }];
    const [first, second] = parseSections('web1', await shell.request(asked(sections, directory, 0)), 2);
    expect(first?.code).toBe(code);
    expect(second?.stdout.toString()).toBe('0 / 0022 none none \n');
  });
});

describe('the last request', () => {
  it('is answered as a whole before the shell ends', async () => {
    const { shell, channel } = await openLocalShell();
    const { stdout } = await shell.request({ script: sh`sleep 0.2; cat`, stdin: bytes, isLast: true });
    expect(stdout).toEqual(bytes);
    await channel.exited;
    await shell.close();
    await expect(shell.request({ script: sh`true` })).rejects.toMatchObject({ code: 'E_CONNECT' });
  });
});

describe('a request that is asked to stop', () => {
  /** Pieces of work that say that they began and wait for a sign, and one that is always done, such as a probe. */
  function work(directory: string): readonly Section[] {
    const piece = (name: string): Section => ({
      script: sh`: >${directory}/began.${name}
while [ ! -e ${directory}/go ]; do sleep 0.02; done
echo ${name}`,
    });
    return [piece('a'), piece('b'), { script: sh`echo read` }];
  }

  /** Bytes of the sign to stop that have come. */
  function stopped(directory: string): number {
    const session = readdirSync(directory).find((name) => name.startsWith('session.')) ?? '';
    return statSync(join(directory, session, 'stop')).size;
  }

  async function began(directory: string, name: string): Promise<void> {
    await vi.waitFor(() => expect(existsSync(join(directory, `began.${name}`))).toBe(true), {
      timeout: 10_000,
    });
  }

  const outputs = (answers: readonly Answer[]): readonly unknown[] =>
    answers.map(({ code, stdout }) => (code === 0 ? stdout.toString() : code));

  it('ends the section in hand, begins no other, and still does what is always done', async () => {
    const { shell, directory } = await openLocalShell();
    const sections = work(directory);
    const answer = shell.request(asked(sections, directory, 2));
    await began(directory, 'a');
    shell.stop();
    shell.stop();
    // The sign is there before the section ends.
    await vi.waitFor(() => expect(stopped(directory)).toBe(1), { timeout: 10_000 });
    writeFileSync(join(directory, 'go'), '');
    expect(outputs(parseSections('web1', await answer, 3))).toEqual(['a\n', notBegun, 'read\n']);
    // It was for that request alone.
    const next = await shell.request(asked(sections, directory, 2));
    expect(outputs(parseSections('web1', next, 3))).toEqual(['a\n', 'b\n', 'read\n']);
  });

  it('is left alone where it does not heed that', async () => {
    const { shell, directory } = await openLocalShell();
    const answer = shell.request(asked(work(directory), directory, 0));
    await began(directory, 'a');
    shell.stop();
    writeFileSync(join(directory, 'go'), '');
    expect(outputs(parseSections('web1', await answer, 3))).toEqual(['a\n', 'b\n', 'read\n']);
  });

  it('says when each section ran that could be stopped', async () => {
    const { shell, directory } = await openLocalShell();
    const sections = [{ script: sh`sleep 0.1` }, { script: sh`false` }, { script: sh`echo read` }];
    const answer = await shell.request(asked(sections, directory, 2));
    const [first, second, third] = parseSections('web1', answer, 3);
    expect(first?.span?.from).toBe(0);
    // By a clock of hundredths.
    expect(first?.span?.to).toBeGreaterThanOrEqual(90);
    expect(second).toMatchObject({ code: 1, span: { from: first?.span?.to } });
    expect(third).not.toHaveProperty('span');
  });

  it('takes nothing from the next request when it ends before the sign comes', async () => {
    const { shell, channel } = await openLocalShell();
    const script = sh`exit 0`;
    for (let round = 0; round < 30; round += 1) {
      const answer = shell.request({ script, heedsStop: true });
      // Written at any moment of it, and in half of the rounds after its end.
      if (round % 2 === 0) shell.stop();
      await answer;
      if (round % 2 === 1) channel.input.write(stopSign);
    }
    const { stdout } = await shell.request({ script: sh`cat`, stdin: bytes });
    expect(stdout).toEqual(bytes);
  });
});
