import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { configuration, playbook } from './ansible.ts';
import { repository } from './bundlewrap.ts';
import { changeScript, expectedRead, readScript, writeScript } from './floor.ts';
import { debianTree } from '../test/lab/debian-tree.ts';
import { environment, hostwright, lab, root, sshAll, type Hosts } from './hosts.ts';
import { timed, type Timed } from './process.ts';

export type Task = 'no-op' | 'first run' | 'one change';

export interface Tool {
  readonly name: string;
  readonly version: string;
  /** Slow ones are measured fewer times, see --slow-runs. */
  readonly slow: boolean;
  /** Brings all hosts to the 101 items with `word`; throws where it did something else than `task` says. */
  readonly run: (task: Task, word: string) => Promise<Timed>;
}

/** Throws unless every host has all of the 101 items. */
export async function verify(hosts: Hosts, word: string): Promise<Timed> {
  const { timed, outputs } = await sshAll(hosts, readScript);
  [...hosts.ways.keys()].forEach((name, index) => {
    const [expected, found] = [expectedRead(name, word).split('\n'), (outputs[index] ?? '').split('\n')];
    const at = expected.findIndex((line, number) => line !== found[number]);
    if (at >= 0) throw new Error(`${name} has "${found[at] ?? ''}", not "${expected[at] ?? ''}"`);
  });
  return timed;
}

function floor(hosts: Hosts): Tool {
  const scripts = {
    'no-op': () => readScript(),
    'first run': writeScript,
    'one change': changeScript,
  };
  return {
    name: 'floor',
    version: 'one ssh a host with one script written by hand',
    slow: false,
    run: async (task, word) => (await sshAll(hosts, (host) => scripts[task](host, word))).timed,
  };
}

/** Words of a command line that works on the bench's own site. */
export function hostwrightWords(hosts: Hosts, verb: readonly string[], site = 'site.yml'): readonly string[] {
  const [name = '', ...rest] = verb;
  return [hostwright, name, '-i', hosts.inventory, '--site', join(root, 'bench/site', site), ...rest];
}

async function hostwrightTool(hosts: Hosts): Promise<Tool> {
  const version = (await timed({ words: [hostwright, '--version'] })).stdout.trim();
  const changes = { 'no-op': /"changed":0/, 'first run': /"changed":100/, 'one change': /"changed":1,/ };
  return {
    name: 'Hostwright',
    version,
    slow: false,
    run: async (task, word) => {
      const words = hostwrightWords(hosts, ['apply', '--yes', '--json', '-e', `bench_word=${word}`]);
      const run = await timed({ words });
      const summary = run.stdout.split('\n').findLast((line) => line.includes('"type":"summary"')) ?? '';
      if (task !== 'first run' && !changes[task].test(summary)) throw new Error(`not a ${task}: ${summary}`);
      return run;
    },
  };
}

/** One of the ansible-core that this machine can run. */
interface AnsibleProgram {
  readonly folder: string;
  readonly mitogen: boolean;
  /** The words of a command that runs `ansible-playbook` with the configuration in this file. */
  readonly command: (configuration: string, words: readonly string[]) => readonly string[];
}

async function ansible(hosts: Hosts, { folder, mitogen, command }: AnsibleProgram): Promise<Tool> {
  await mkdir(folder, { recursive: true });
  const play = join(folder, 'play.yml');
  await writeFile(play, playbook());
  const usual = join(folder, 'ansible.cfg');
  await writeFile(usual, configuration({ mitogen, folder }));
  const { stdout } = await timed({ words: command(usual, ['--version']) });
  const core = /core ([\w.]+)/.exec(stdout)?.[1] ?? '';
  const strategy = mitogen
    ? (await timed({ words: ['dpkg-query', '-W', '-f', '${Version}', 'ansible-mitogen'] })).stdout
    : '';
  const changes = { 'no-op': /changed=0 /, 'first run': /changed=9\d /, 'one change': /changed=1 / };
  return {
    name: mitogen ? 'Mitogen' : `Ansible ${core.replace(/^(\d+\.\d+)\..*$/, '$1')}`,
    version: mitogen ? `${strategy} on ansible-core ${core}` : `ansible-core ${core}, pipelining`,
    slow: true,
    run: async (task, word) => {
      // Sockets of their own: each run makes its connections itself, as those of the other tools do.
      const own = await mkdtemp(join(folder, 'run-'));
      const file = join(own, 'ansible.cfg');
      await writeFile(file, configuration({ mitogen, folder: own }));
      const words = command(file, ['-i', hosts.inventory, play, '-e', `bench_word=${word}`]);
      const run = await timed({ words });
      const recap = run.stdout.slice(run.stdout.indexOf('PLAY RECAP'));
      if (task !== 'first run' && !changes[task].test(recap)) throw new Error(`not a ${task}:\n${recap}`);
      return run;
    },
  };
}

/** The ansible-core of Debian's next release, which is newer than that of this machine, in a tree of its own. */
async function newerAnsible(folder: string): Promise<AnsibleProgram> {
  const tree = await debianTree(environment, {
    release: 'forky',
    packages: ['ansible-core', 'openssh-client'],
    shared: [lab, folder],
  });
  return {
    folder: join(folder, 'newer-ansible'),
    mitogen: false,
    command: (file, words) =>
      tree.command(
        `cd "${folder}"; ANSIBLE_CONFIG="${file}" exec ansible-playbook ${words.map((word) => `'${word}'`).join(' ')}`,
      ),
  };
}

async function bundlewrap(hosts: Hosts, folder: string): Promise<Tool> {
  for (const [name, text] of repository(hosts)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const { stdout } = await timed({ words: ['bw', '--version'] });
  const words = ['bw', '-r', folder, 'apply', '-P', '3', ...hosts.ways.keys()];
  return {
    name: 'bundlewrap',
    version: stdout.trim(),
    slow: true,
    run: async (task, word) => {
      const own = await mkdtemp(join(folder, 'run-'));
      const multiplexed = [
        '-o',
        'User=admin',
        '-o',
        `ControlPath=${own}/%C`,
        '-o',
        'ControlMaster=auto',
        '-o',
        'ControlPersist=30',
      ];
      const environment = { BENCH_WORD: word, BW_SSH_ARGS: [...hosts.sshOptions, ...multiplexed].join(' ') };
      const run = await timed({ words, environment });
      const isRight = { 'no-op': / 0 fixed/, 'first run': /fixed/, 'one change': / 1 fixed/ }[task];
      const hostLines = run.stdout.split('\n').filter((text) => text.includes('completed after'));
      if (hostLines.length !== hosts.ways.size || !hostLines.every((text) => isRight.test(text)))
        throw new Error(`not a ${task}:\n${run.stdout}`);
      return run;
    },
  };
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

/** Every tool that this machine has, the fastest first. */
export async function installedTools(hosts: Hosts, folder: string): Promise<readonly Tool[]> {
  const hasAnsible = isInstalled('ansible-playbook');
  const hasMitogen =
    hasAnsible && existsSync('/usr/lib/python3/dist-packages/ansible/plugins/strategy/mitogen_linear.py');
  const own = {
    command: (file: string, words: readonly string[]) => [
      'env',
      `ANSIBLE_CONFIG=${file}`,
      'ansible-playbook',
      ...words,
    ],
  };
  const programs: readonly AnsibleProgram[] = [
    ...(hasMitogen ? [{ ...own, folder: join(folder, 'mitogen'), mitogen: true }] : []),
    ...(hasAnsible ? [{ ...own, folder: join(folder, 'ansible'), mitogen: false }] : []),
    await newerAnsible(folder),
  ];
  return [
    floor(hosts),
    await hostwrightTool(hosts),
    ...(isInstalled('bw') ? [await bundlewrap(hosts, join(folder, 'bundlewrap'))] : []),
    ...(await Promise.all(programs.map((program) => ansible(hosts, program)))),
  ];
}
