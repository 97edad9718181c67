import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  appRelease,
  authorizedKey,
  createAuthority,
  directory,
  file,
  hostCertificate,
  line,
  link,
  Secret,
  sh,
  tlsBundle,
  unit,
  user,
  type Resource,
} from '../../src/index.ts';
import { orderNodes } from '../../src/plan/graph.ts';
import type { HostPlan } from '../../src/plan/host-plan.ts';
import { planHost } from '../../src/plan/plan.ts';
import { parseProbes, probeBatches } from '../../src/plan/probe.ts';
import { packedRelease } from '../../src/release/release.ts';
import type { Script } from '../../src/transport/shell.ts';
import { placed } from '../../src/testing/index.ts';
import { openRoot, type Root } from '../../src/testing/index.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5m1T6VxkKc0rj1VZk6n0kqWmS3aB anna';
const release = packedRelease([{ kind: 'file', path: 'n', content: Buffer.from('1'), executable: false }]);
const folders = [
  '/srv/certs',
  '/etc/hostwright/pki',
  '/srv/app/releases',
  '/srv/conf',
  '/etc/systemd/system/systemd-journald.service.d',
];
let root: Root;
let declared: readonly Resource[];

beforeAll(async () => {
  root = await openRoot();
  declared = [
    tlsBundle('/srv/certs/site.pem', { names: ['www.example.com'] }),
    hostCertificate('web', { names: ['web1'], authority: new Secret(await createAuthority()) }),
    appRelease('/srv/app', release),
    link('/srv/app/current', { to: `releases/${release.name}` }, { needs: ['app_release:/srv/app'] }),
    line('/srv/conf/lines', { line: 'a' }),
    link('/srv/conf/link', { to: 'lines' }),
    file('/srv/conf/below/file', { content: 'x\n' }),
    directory('/srv/conf/below'),
    unit('systemd-journald.service', { dropIn: 'limits', content: '[Service]\nMemoryMax=200M\n' }),
    authorizedKey('anna', key),
    user('anna'),
    directory('/home/anna/.ssh', { owner: 'anna', group: 'anna', mode: '0700' }),
    ...folders.map((at) => directory(at)),
  ];
});
afterAll(async () => root.close());

async function ask(script: Script, stdin?: Uint8Array): Promise<Buffer> {
  const answer = await root.run(script, stdin);
  expect(answer, answer.stderr.toString()).toMatchObject({ code: 0 });
  return answer.stdout;
}

async function plan(): Promise<HostPlan> {
  const resources = declared.map((one) => placed(one));
  const batches = probeBatches(resources);
  const answers = [];
  for (const { probe } of batches) answers.push(await root.run(probe.script, probe.stdin));
  return planHost('web1', resources, orderNodes('web1', resources), parseProbes(batches, answers));
}

async function apply({ changes, nodes }: HostPlan): Promise<void> {
  for (const { id } of nodes.flatMap(({ members }) => members)) {
    const change = changes.get(id);
    for (const step of change?.resource.type.apply([change], { declared: () => [] }) ?? []) {
      if ('converse' in step) await step.converse(ask);
      else await ask(step.script, step.stdin);
    }
  }
}

beforeEach(async () => {
  await apply(await plan());
  expect([...(await plan()).changes.keys()]).toEqual([]);
});

test.each([...folders, '/home/anna/.ssh', '/srv/conf/below'])(
  '%s replaced by a link to its copy: one plan names all that was in it, and one apply makes it again',
  async (at) => {
    await root.ask(
      sh`rm -rf /srv/copy; mv ${at} /srv/copy; ln -s /srv/copy ${at}; find /srv/copy -type f >/run/before`,
    );
    const made = await plan();
    expect(made.changes.get(`directory:${at}`)).toMatchObject({ action: 'update' });
    const lost = [...made.changes.values()].filter(
      ({ id, action }) => id !== `directory:${at}` && action === 'create',
    );
    expect(lost).not.toEqual([]);
    await apply(made);
    expect([...(await plan()).changes.keys()]).toEqual([]);
    expect(await root.ask(sh`stat -c %F ${at}; find /srv/copy -type f | cmp - /run/before`)).toBe(
      'directory\n',
    );
  },
);
