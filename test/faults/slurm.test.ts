import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stopHost } from '../../src/lab/host.ts';
import { labSettings } from '../../src/lab/settings.ts';
import { jsonLines } from '../lab/hosts.ts';
import { slurmCluster, type SlurmCluster } from './slurm-cluster.ts';

let cluster: SlurmCluster;

beforeAll(async () => {
  cluster = await slurmCluster('cluster', '10.213.84');
});

afterAll(async () => {
  await cluster.down();
});

/** The tasks of all arrays that Slurm still knows, newest array last. */
async function tasks(): Promise<readonly { array: number; restarts: number; node: string; state: string }[]> {
  const blocks = (await cluster.shell('scontrol show job')).split('\n\n');
  return blocks
    .filter((block) => block.includes('ArrayTaskId='))
    .map((block) => {
      const field = (name: string): string => new RegExp(`\\b${name}=(\\S+)`).exec(block)?.[1] ?? '';
      return {
        array: Number(field('ArrayJobId')),
        restarts: Number(field('Restarts')),
        node: /^ +NodeList=(\S+)/m.exec(block)?.[1] ?? '',
        state: field('JobState'),
      };
    });
}

async function lastArray(): ReturnType<typeof tasks> {
  const all = await tasks();
  const last = Math.max(...all.map(({ array }) => array));
  return all.filter(({ array }) => array === last);
}

/** A line of squeue for each part that is not done: its node and its state. */
async function queued(state: 'R' | 'PD'): Promise<readonly string[]> {
  const listed = await cluster.shell(`squeue -h -r -n hostwright -t ${state} -o %N`);
  return listed.split('\n').slice(0, -1);
}

async function untilIdle(): Promise<void> {
  const idle = async (): Promise<string> => await cluster.shell('sinfo -h -t idle -o %D');
  await expect.poll(idle, { timeout: 120_000, interval: 500 }).toBe('3\n');
}

async function waitFor(host: string, file: string): Promise<void> {
  await cluster.hosts.shell(host, `timeout 120 sh -c "until [ -e ${file} ]; do sleep 0.1; done"`);
}

/** The hosts of all results of the last array that have come to the node that merges, each as often as it is there. */
async function reported(): Promise<readonly string[]> {
  const [{ array } = { array: 0 }] = await lastArray();
  const stdout = await cluster.shell(`cat results/${array}/*.jsonl`);
  const summaries = jsonLines({ code: 0, stdout, stderr: '' }).filter(({ type }) => type === 'summary');
  return summaries.flatMap(({ hosts }) => Object.keys(hosts as object)).toSorted();
}

describe('a Slurm cluster on three bare hosts', () => {
  it('is provisioned by one apply', async () => {
    const apply = await cluster.hosts.hostwright('apply', '--yes', ...cluster.site);
    expect(apply.code, apply.stdout + apply.stderr).toBe(0);
    const plan = await cluster.hosts.hostwright('plan', ...cluster.site);
    expect(plan.code, plan.stdout + plan.stderr).toBe(0);
    await cluster.install();
    await untilIdle();
  });

  it('has a part that was running on a worker without power run by another', async () => {
    await cluster.hosts.shell('web3', 'touch /tmp/hold');
    const ended = cluster.submit(6, 'plan', '--limit', 'aliases');
    await waitFor('web3', '/tmp/held');
    const cut = performance.now();
    await stopHost(labSettings(cluster.hosts.environment), 'web3');
    const whole = await ended;
    console.log(`whole ${((performance.now() - cut) / 1000).toFixed(1)} s after the power was cut`);
    expect(whole.code, whole.stdout + whole.stderr).toBe(2);
    expect(whole.stdout).toContain('Plan: 12 to create on 12 hosts');
    expect(await reported()).toEqual(cluster.aliases.toSorted());
    const ran = await lastArray();
    expect(ran.map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => 'COMPLETED'));
    const again = ran.filter(({ restarts }) => restarts > 0);
    expect(again).toMatchObject([{ restarts: 1, node: expect.stringMatching(/^web[12]$/) as string }]);
  });

  it('takes the worker back when it returns', async () => {
    const up = await cluster.hosts.hostwright('lab', 'up');
    expect(up.code, up.stderr).toBe(0);
    await cluster.hosts.shell('web3', 'rm -f /tmp/hold /tmp/held');
    await untilIdle();
  });

  it('finishes a change whose worker was killed in the middle of it', async () => {
    await cluster.hosts.shell('web1', 'touch /run/hold');
    const ended = cluster.submit(6, 'apply', '--yes', '--limit', 'real');
    await waitFor('web1', '/run/changing');
    // The other parts are soon done.
    await expect.poll(async () => [...(await queued('R')), ...(await queued('PD'))].length, long).toBe(1);
    const [worker = ''] = await queued('R');
    const killed = performance.now();
    await cluster.hosts.shell(worker, 'systemctl kill --signal=KILL slurmd && systemctl start slurmd');
    await expect.poll(() => queued('PD'), long).toHaveLength(1);
    await cluster.hosts.shell('web1', 'rm /run/hold');
    const whole = await ended;
    console.log(`whole ${((performance.now() - killed) / 1000).toFixed(1)} s after ${worker} was killed`);
    expect(whole.code, whole.stdout + whole.stderr).toBe(0);
    expect(await reported()).toEqual(cluster.real);
    expect((await lastArray()).filter(({ restarts }) => restarts > 0)).toMatchObject([{ restarts: 1 }]);
    const plan = await cluster.submit(6, 'plan', '--limit', 'real');
    expect(plan.code, plan.stdout + plan.stderr).toBe(0);
  });

  it('names a part that never ran', async () => {
    for (const host of cluster.real) await cluster.hosts.shell(host, 'touch /tmp/hold');
    const ended = cluster.submit(6, 'plan', '--limit', 'aliases');
    await expect.poll(() => queued('PD'), long).toHaveLength(3);
    const job = await cluster.shell('squeue -h -r -n hostwright -t PD -o %i');
    const last = job.split('\n').find((id) => id.endsWith('_5')) ?? '';
    await cluster.shell(`scancel ${last}`);
    for (const host of cluster.real) await cluster.hosts.shell(host, 'rm /tmp/hold');
    const whole = await ended;
    expect(whole.stdout + whole.stderr).toContain('6.jsonl');
    const others = await reported();
    expect(others.length).toBeGreaterThan(0);
    expect(others.length).toBeLessThan(cluster.aliases.length);
    expect(new Set(others).size).toBe(others.length);
    expect(whole.code, whole.stdout).toBe(1);
  });
});

const long = { timeout: 120_000, interval: 500 } as const;
