import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import slurm from '../../examples/slurm/cluster/roles/slurm/role.ts';
import { variables } from '../../examples/slurm/cluster/roles/slurm/variables.ts';
import { listed } from '../../src/roles/list.ts';
import type { SiteHost } from '../../src/roles/role.ts';
import { contextOf } from '../../src/testing/index.ts';
import { hosts, unreachableProject } from './unreachable-project.ts';

const example = resolve(import.meta.dirname, '../../examples/slurm');

/** Runs a script of the example here, as Slurm would. */
function start(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((done, fail) => {
    const child = spawn('sh', words, { cwd: example, env });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', fail);
    child.on('close', (code) => done({ code, output }));
  });
}

describe('the scripts of examples/slurm, on a folder that all nodes share', () => {
  async function cluster(): Promise<Readonly<Record<string, string>> & { readonly RESULTS: string }> {
    const { folder, path } = await unreachableProject();
    return {
      PATH: path,
      PROJECT: join(folder, 'project'),
      RESULTS: join(folder, 'results'),
      COLLECTOR: '',
      LANG: 'C.UTF-8',
      SLURM_ARRAY_JOB_ID: '7',
      SLURM_ARRAY_TASK_COUNT: '3',
    };
  }

  it('plan each host in one part, and merge them to one plan', async () => {
    const own = await cluster();
    for (const index of ['0', '1', '2']) {
      const part = await start(['part.sbatch', 'plan'], { ...own, SLURM_ARRAY_TASK_ID: index });
      expect(part.code, part.output).toBe(0);
    }
    expect((await readdir(join(own.RESULTS, '7'))).toSorted()).toEqual(['1.jsonl', '2.jsonl', '3.jsonl']);
    const whole = await start(['merge.sbatch', '7', '3'], own);
    for (const host of hosts) expect(whole.output).toContain(host);
    expect(whole.code).toBe(3);
    const more = await start(['merge.sbatch', '7', '4'], own);
    expect(more.output).toContain('--> 4.jsonl');
    expect(more.code).toBe(1);
  }, 180_000);

  it('fail where the configuration is wrong, and leave nothing of another run behind', async () => {
    const own = await cluster();
    const words = ['part.sbatch', 'plan', '--limit', 'nobody'];
    const part = await start(words, { ...own, SLURM_ARRAY_TASK_ID: '0' });
    expect(part.code, part.output).toBe(1);
    expect(await readdir(join(own.RESULTS, '7'))).toEqual(['1.jsonl']);
  });
});

describe('the role of the cluster', () => {
  const node = (number: number): SiteHost => ({
    name: `node${number}`,
    address: `10.0.0.${number}`,
    groups: ['slurm', ...(number === 1 ? ['slurm_controller'] : [])],
  });
  const nodes = [node(1), node(2)];
  const ports = (given: readonly SiteHost[], host: SiteHost): readonly unknown[] => {
    const vars = variables.parse({
      slurm_munge_key: 'a',
      slurm_hostwright: 'b',
      slurm_project: 'c',
      slurm_known_hosts: 'd',
      slurm_login_key: 'e',
      slurm_transfer_key: 'f',
    });
    const { site } = contextOf(vars, { hosts: given, host: host.name });
    return listed(slurm.listens?.({ vars, host, site }) ?? []).map(({ port, from }) => ({ port, from }));
  };

  it('opens its ports to the nodes alone, and that of the controller there only', () => {
    const from = { group: 'slurm' };
    expect(ports(nodes, node(1))).toEqual([
      { port: 6818, from },
      { port: 6817, from },
    ]);
    expect(ports(nodes, node(2))).toEqual([{ port: 6818, from }]);
  });

  it('refuses a cluster without a controller', () => {
    expect(() => ports([node(2)], node(2))).toThrow('one controller');
  });
});
