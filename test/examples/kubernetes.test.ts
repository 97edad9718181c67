import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { complaints } from './kubernetes-schema.ts';
import { hosts, unreachableProject } from './unreachable-project.ts';

const root = resolve(import.meta.dirname, '../..');

const job = z.object({
  kind: z.literal('Job'),
  spec: z.object({
    completionMode: z.string().optional(),
    completions: z.number().optional(),
    parallelism: z.number().optional(),
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({
            env: z.array(z.object({ name: z.string(), value: z.string() })),
            command: z.tuple([z.string(), z.string(), z.string()]),
            volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
          }),
        ]),
        volumes: z.array(z.looseObject({ name: z.string() })),
      }),
    }),
  }),
});

type Job = z.output<typeof job>;

function parse(text: string): readonly unknown[] {
  const documents = parseAllDocuments(text);
  for (const document of documents) if ('errors' in document) expect(document.errors).toEqual([]);
  return [...documents].map((document): unknown => document.toJS());
}

async function readObjects(file: string): Promise<readonly unknown[]> {
  return parse(await readFile(join(root, 'examples/kubernetes', file), 'utf8'));
}

async function readJob(file: string): Promise<Job> {
  const jobs = (await readObjects(file)).filter((one) => job.safeParse(one).success);
  expect(jobs).toHaveLength(1);
  return job.parse(jobs[0]);
}

function container(of: Job): Job['spec']['template']['spec']['containers'][0] {
  return of.spec.template.spec.containers[0];
}

function environment(of: Job): Record<string, string> {
  return Object.fromEntries(container(of).env.map(({ name, value }) => [name, value]));
}

let plan: Job;
let merge: Job;

beforeAll(async () => {
  plan = await readJob('plan.yaml');
  merge = await readJob('merge.yaml');
});

describe('the files of examples/kubernetes', () => {
  it.each(['plan.yaml', 'merge.yaml'])('%s is what the schemas of the API ask for', async (file) => {
    const objects = await readObjects(file);
    expect(objects.length).toBeGreaterThan(0);
    expect(objects.flatMap(complaints)).toEqual([]);
  });

  it.each([
    ['completions: 4', 'complations: 4', /^spec\.complations is unknown$/],
    ['volumeMounts:', 'volumemounts:', /^spec\.template\.spec\.containers\.0\.volumemounts is unknown$/],
    ['secretName:', 'secret:', /^spec\.template\.spec\.volumes\.0\.secret\.secret is unknown$/],
    ['storage: 1Gi', 'storage: much', /storage must match/],
    ['restartPolicy: Never', 'restartPolicy: Nevr', /restartPolicy must be equal to one of/],
    ['completions: 4', 'completions: four', /completions must be integer/],
    ['template:', 'templates:', /required property template/],
    ['batch/v1', 'batch/v2', /^there is no schema for Job in batch\/v2$/],
  ])('%s that became %s is a mistake', async (right, wrong, complaint) => {
    const text = await readFile(join(root, 'examples/kubernetes/plan.yaml'), 'utf8');
    const found = parse(text.replace(right, wrong)).flatMap(complaints);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(complaint);
  });
});

describe('the Jobs of examples/kubernetes', () => {
  it('agree about the number of parts', () => {
    const parts = environment(plan)['SHARDS'];
    expect(plan.spec.completionMode).toBe('Indexed');
    expect([plan.spec.completions, plan.spec.parallelism].map(String)).toEqual([parts, parts]);
    expect(environment(merge)['SHARDS']).toBe(parts);
  });

  it('mount what their variables name', () => {
    for (const one of [plan, merge]) {
      const volumes = one.spec.template.spec.volumes.map(({ name }) => name);
      const mounts = container(one).volumeMounts;
      expect(mounts.map(({ name }) => name).toSorted()).toEqual(volumes.toSorted());
      const paths = mounts.map(({ mountPath }) => mountPath);
      const named = ['SECRETS', 'RESULTS'].flatMap((name) => environment(one)[name] ?? []);
      expect(named.toSorted()).toEqual(paths.toSorted());
    }
  });

  it('leave nothing in their commands that Kubernetes would put something else for', () => {
    for (const one of [plan, merge]) {
      for (const word of container(one).command) {
        expect(word).not.toContain('$$');
        for (const name of Object.keys(environment(one))) expect(word).not.toContain(`$(${name})`);
      }
    }
  });

  it('plan each host in one part, and merge them to one plan', async () => {
    const { folder, path } = await unreachableProject();
    const own = {
      PATH: path,
      SHARDS: '3',
      PROJECT: join(folder, 'project'),
      SECRETS: join(folder, 'secrets'),
      RESULTS: join(folder, 'results'),
      HOSTWRIGHT_IDENTITY: join(folder, 'secrets/identity.txt'),
      LANG: 'C.UTF-8',
    };
    for (const index of ['0', '1', '2']) {
      const part = await start(plan, { ...own, JOB_COMPLETION_INDEX: index });
      expect(part.code, part.output).toBe(0);
    }
    const whole = await start(merge, own);
    expect(whole.output).toContain('Plan: no host could be planned; unreachable: ');
    for (const host of hosts) expect(whole.output).toContain(host);
    expect(whole.code).toBe(3);
    const more = await start(merge, { ...own, SHARDS: '4' });
    expect(more.output).toContain('--> 4.jsonl');
    expect(more.code).toBe(1);
  }, 120_000);
});

/** Runs the command of a Job's container here, with these variables in the place of its own. */
function start(
  of: Job,
  own: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const [shell, ...words] = container(of).command;
  return new Promise((done, fail) => {
    const child = spawn(shell, words, { env: { ...environment(of), ...own } });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', fail);
    child.on('close', (code) => done({ code, output }));
  });
}
