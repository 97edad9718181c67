import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLines, run, type Finished } from './hosts.ts';
import { makeFolder, makeKey, startSshd, type Sshd } from './sshd.ts';

const { folder, remove } = makeFolder();
const command = resolve(import.meta.dirname, '../../bin/hostwright');
const login = join(folder, 'login');

let web1: Sshd;
let bastion: Sshd;
let files = 0;

beforeAll(async () => {
  const authorized = makeKey(login);
  web1 = await startSshd({ keys: ['ed25519', 'ecdsa', 'rsa'] });
  bastion = await startSshd({ authorized });
});

afterAll(async () => {
  await web1.stop();
  await bastion.stop();
  remove();
});

interface Site {
  readonly known: string;
  readonly lines: () => readonly string[];
  readonly scan: (...words: readonly string[]) => Promise<Finished>;
}

/** An inventory with the host web1, a known_hosts of its own with these lines, and settings of ssh. */
function site(known: readonly string[] = [], settings: readonly string[] = [], before = ''): Site {
  files += 1;
  const own = join(folder, `site${files}`);
  mkdirSync(own);
  const file = join(own, 'known_hosts');
  if (known.length > 0) writeFileSync(file, known.map((line) => `${line}\n`).join(''));
  const config = join(own, 'ssh_config');
  const all = [
    ...settings,
    `UserKnownHostsFile ${file}`,
    'GlobalKnownHostsFile none',
    `IdentityFile ${login}`,
    'IdentityAgent none',
    'User root',
  ];
  writeFileSync(config, `${before}Host *\n${all.map((line) => `  ${line}\n`).join('')}`);
  const inventory = join(own, 'hosts.yml');
  const host = `ansible_host: 127.0.0.1, ansible_port: ${web1.port}, ansible_ssh_common_args: -F ${config}`;
  writeFileSync(inventory, `all:\n  hosts:\n    web1: { ${host} }\n`);
  const env = {
    ...process.env,
    HOSTWRIGHT_INVENTORY: inventory,
    HOSTWRIGHT_IDENTITY: join(own, 'identity.txt'),
    NO_COLOR: '1',
  };
  return {
    known: file,
    lines: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []),
    scan: (...words) => run(command, ['host-keys', 'scan', ...words], { env }),
  };
}

const nameOf = (server: Sshd): string => `[127.0.0.1]:${server.port}`;
const entry = (server: Sshd, type = 'ed25519'): string => `${nameOf(server)} ${server.hostKeys[type]}`;
/** As in known_hosts, without a comment. */
const bare = (line: string): string => line.split(' ').slice(0, 3).join(' ');

/** As ssh-keygen says it. */
function fingerprint(server: Sshd, type = 'ed25519'): string {
  const shown = execFileSync('ssh-keygen', ['-lf', join(server.folder, `host_${type}.pub`)]).toString();
  return shown.split(' ')[1] ?? '';
}

describe('host-keys scan', () => {
  it('shows every key of a new host as ssh-keygen does, and writes nothing', async () => {
    const { scan, known } = site();
    const shown = await scan();
    for (const type of ['ed25519', 'ecdsa', 'rsa']) expect(shown.stdout).toContain(fingerprint(web1, type));
    expect(shown.stdout.match(/^ {2}new {6}/gm)).toHaveLength(3);
    expect(shown.code).toBe(2);
    expect(existsSync(known)).toBe(false);
  });

  it.each(['ed25519', 'ecdsa', 'rsa'])(
    'is content with a host of which the %s key is known',
    async (type) => {
      const { scan } = site([entry(web1, type)]);
      const [host, summary] = jsonLines(await scan('--json'));
      expect(host).toMatchObject({ type: 'host-keys', host: 'web1', name: nameOf(web1), outcome: 'known' });
      expect(summary).toMatchObject({ type: 'summary', ok: true, outcomes: { known: 1 } });
    },
  );

  it('accepts nothing that nobody has confirmed', async () => {
    const { scan, known } = site();
    const unattended = await scan('--accept');
    expect(unattended.code).toBe(4);
    expect(unattended.stderr).toContain('E_USAGE');
    const wrong = await scan('--accept', '--fingerprint', `web1=${fingerprint(bastion)}`);
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain('no key of this host has the given fingerprint');
    expect(existsSync(known)).toBe(false);
  });

  it('takes the key whose fingerprint was given, and that one only; ssh knows the host then', async () => {
    const { scan, lines, known } = site();
    const accepted = await scan('--accept', '--fingerprint', `web1=${fingerprint(web1)}`);
    expect(accepted.code, accepted.stderr).toBe(0);
    expect(lines().map(bare)).toEqual([bare(entry(web1))]);
    expect(execFileSync('ssh-keygen', ['-F', nameOf(web1), '-f', known]).toString()).toContain(
      'found: line 1',
    );
    expect((await scan()).code).toBe(0);
    expect((await scan('--accept', '--fingerprint', `web1=${fingerprint(web1, 'rsa')}`)).code).toBe(0);
    expect(lines()).toHaveLength(1);
  });

  it('reads fingerprints from a file, and says the line of one that is none', async () => {
    const { scan, lines } = site();
    const file = join(folder, 'fingerprints');
    writeFileSync(file, `# as the console shows them\nweb1 ${fingerprint(web1, 'ecdsa')}  # ecdsa\n`);
    expect((await scan('--accept', '--fingerprint', `@${file}`)).code).toBe(0);
    expect(lines().map(bare)).toEqual([bare(entry(web1, 'ecdsa'))]);
    appendFileSync(file, 'web1 MD5:00\n');
    const refused = await scan('--fingerprint', `@${file}`);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain(`${file}:3`);
    const misspelt = await scan('--fingerprint', `wbe1=${fingerprint(web1)}`);
    expect(misspelt.code).toBe(4);
    expect(misspelt.stderr).toContain('web1');
  });

  it('asks on a terminal, and takes yes or a fingerprint, nothing else', async () => {
    const typed = async ({ known }: Site, answer: string, env: NodeJS.ProcessEnv): Promise<string> => {
      const words = ['-qec', `${command} host-keys scan --accept`, '/dev/null'];
      const session = spawn('script', words, { env });
      let shown = '';
      session.stdout.on('data', (chunk: Buffer) => {
        shown += chunk.toString();
        if (shown.includes('or the fingerprint]') && session.stdin.writable) session.stdin.end(`${answer}\n`);
      });
      await new Promise((done) => session.once('close', done));
      return existsSync(known) ? readFileSync(known, 'utf8') : '';
    };
    const answers = ['', 'no', 'y', fingerprint(bastion), fingerprint(web1), 'yes'];
    const written: number[] = [];
    for (const answer of answers) {
      const one = site();
      const env = { ...process.env, HOSTWRIGHT_INVENTORY: join(one.known, '../hosts.yml'), NO_COLOR: '1' };
      written.push((await typed(one, answer, env)).split('\n').filter((line) => line !== '').length);
    }
    expect(written).toEqual([0, 0, 0, 0, 1, 3]);
  });

  it('never replaces a changed key: says the line, and the command that removes it', async () => {
    const before = ['# ours', `${nameOf(web1)} ${bastion.hostKeys['ed25519']}`];
    const { scan, lines, known } = site(before);
    const changed = await scan('--accept', '--fingerprint', `web1=${fingerprint(web1)}`);
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain(`CHANGED  ssh-ed25519 ${fingerprint(web1)}  see ${known}:2`);
    const removal = /remove the old key: (ssh-keygen [^;]+);/.exec(changed.stdout)?.[1] ?? '';
    expect(lines()).toEqual(before);
    execFileSync('sh', ['-c', removal], { stdio: 'ignore' });
    expect((await scan()).code).toBe(2);
  });

  it('takes a host that hides the key that is known of it for changed', async () => {
    const { scan, lines } = site(
      [`${nameOf(web1)} ${bastion.hostKeys['ed25519']}`],
      ['HostKeyAlgorithms rsa-sha2-512,rsa-sha2-256'],
    );
    const shown = await scan('--accept', '--fingerprint', `web1=${fingerprint(web1, 'rsa')}`);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toContain('known_hosts has another key');
    expect(lines()).toHaveLength(1);
  });

  it('says that a key is revoked, and where, even where another key is known', async () => {
    const { scan, known } = site([entry(web1, 'rsa'), `@revoked * ${web1.hostKeys['ed25519']}`]);
    const shown = await scan();
    expect(shown.code).toBe(1);
    expect(shown.stdout).toContain(`REVOKED  ssh-ed25519 ${fingerprint(web1)}  see ${known}:2`);
  });

  it('reports @cert-authority as not supported', async () => {
    const { scan, known } = site([`@cert-authority * ${bastion.hostKeys['ed25519']}`]);
    const shown = await scan();
    expect(shown.stdout).toContain(`host certificates are not supported: @cert-authority at ${known}:1`);
    expect(shown.code).toBe(2);
  });

  it('writes hashed names with HashKnownHosts, and the alias with HostKeyAlias', async () => {
    const hashed = site([], ['HashKnownHosts yes']);
    await hashed.scan('--accept', '--fingerprint', `web1=${fingerprint(web1)}`);
    expect(hashed.lines()[0]).toMatch(/^\|1\|/);
    expect((await hashed.scan()).code).toBe(0);
    const alias = site([], ['HostKeyAlias web1.internal']);
    await alias.scan('--accept', '--fingerprint', `web1=${fingerprint(web1)}`);
    expect(alias.lines()[0]).toMatch(/^web1\.internal ssh-ed25519 /);
  });

  it('goes through a jump host, whose own key comes first', async () => {
    const jump = `Host bastion
  HostName 127.0.0.1
  Port ${bastion.port}
Match originalhost 127.0.0.1
  ProxyJump bastion
`;
    const { scan, lines } = site([], [], jump);
    const unknown = await scan();
    expect(unknown.stdout).toContain(fingerprint(bastion));
    expect(unknown.stdout).not.toContain(fingerprint(web1));
    expect(unknown.stderr).toContain('E_HOST_KEY');
    expect(unknown.code).toBe(3);
    const both = [
      '--fingerprint',
      `127.0.0.1=${fingerprint(bastion)}`,
      '--fingerprint',
      `web1=${fingerprint(web1)}`,
    ];
    const accepted = await scan('--accept', ...both);
    expect(accepted.code, accepted.stdout + accepted.stderr).toBe(0);
    expect(lines().map(bare)).toEqual([bare(entry(bastion)), bare(entry(web1))]);
  });

  it('says which host it cannot reach, and goes on with the others', async () => {
    const { scan, known } = site([entry(web1)]);
    const inventory = join(known, '../hosts.yml');
    appendFileSync(inventory, '    gone: { ansible_host: 127.0.0.1, ansible_port: 9 }\n');
    const shown = await scan('--json');
    expect(shown.code).toBe(3);
    expect(jsonLines(shown).map(({ host, outcome }) => [host, outcome])).toEqual([
      ['web1', 'known'],
      ['gone', 'unreachable'],
      [undefined, undefined],
    ]);
    expect(shown.stderr).toContain('E_CONNECT');
  });
});

it('doctor points to it on first contact', async () => {
  const { known } = site();
  const env = { ...process.env, HOSTWRIGHT_INVENTORY: join(known, '../hosts.yml'), NO_COLOR: '1' };
  const siteFile = join(known, '../site.yml');
  writeFileSync(siteFile, '- hosts: all\n  roles: []\n');
  const shown = await run(command, ['doctor', '--site', siteFile], { env });
  expect(shown.stdout).toContain('hostwright host-keys scan --accept');
  expect(shown.code).toBe(3);
});
