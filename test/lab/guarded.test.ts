import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { guardedSection } from '../../src/rollback/guarded-step.ts';
import { confirm, type Undo } from '../../src/rollback/arm.ts';
import { sh } from '../../src/index.ts';
import { stopHost } from '../../src/lab/host.ts';
import { labSettings } from '../../src/lab/settings.ts';
import { knownHosts, userKey } from '../../src/lab/ssh.ts';
import type { Step } from '../../src/resources/step.ts';
import { createConnect } from '../../src/transport/connect.ts';
import { askOne } from '../../src/transport/ask.ts';
import type { Section } from '../../src/transport/sections.ts';
import type { Answer } from '../../src/transport/transport.ts';
import { bareHosts, jsonLines, type Finished, type TestHosts } from './hosts.ts';

let hosts: TestHosts;
let project: string;

const role = `
import { authorizedKey, defineRole, directory, file, pkg, service, ufw, user, z } from 'hostwright';
const own = { owner: 'admin', group: 'admin' };
export default defineRole({
  name: 'wall',
  variables: z.object({
    wall_ports: z.array(z.number()).default([22]),
    wall_foresight: z.boolean().default(false),
    wall_kept: z.array(z.literal('before.rules')).default([]),
    wall_sshd: z.string().default('# nothing'),
    wall_way_in: z.enum(['', 'keys', 'key', 'sudoers', 'home', 'account', 'shell']).default(''),
    wall_key: z.string().default(''),
  }),
  resources: ({ vars, facts: { connection } }) => [
    pkg('ufw'),
    pkg('mount'),
    ufw(
      {
        incoming: 'reject',
        kept: vars.wall_kept,
        rules: vars.wall_ports.map((port) => ({ port, why: 'wall' })),
        ...(vars.wall_foresight && connection
          ? { connection: { port: connection.port, address: connection.address } }
          : {}),
      },
      { needs: ['package:ufw', 'package:mount'] },
    ),
    file('/etc/ssh/sshd_config.d/10-wall.conf', { content: vars.wall_sshd + '\\n' }),
    ...({
      '': [],
      keys: [file('/home/admin/.ssh/authorized_keys', { content: '# nobody\\n', mode: '0600', ...own })],
      key: [authorizedKey('admin', vars.wall_key, { absent: true })],
      sudoers: [file('/etc/sudoers.d/zz-wall', { content: 'admin ALL=(ALL) ALL\\n', mode: '0440' })],
      home: [directory('/home/admin', { mode: '0777', ...own })],
      account: [user('admin', { home: '/srv', createHome: false })],
      shell: [user('admin', { shell: '/usr/sbin/nologin' })],
    }[vars.wall_way_in]),
    service('ssh', { reloadOn: ['/etc/ssh'], validate: ['sh', '-c', 'mkdir -p -m 0755 /run/sshd && sshd -t'] }),
  ],
});
`;

const walledIn = { wall_ports: [80] };
const nobody = { wall_sshd: 'AllowUsers nobody' };
const elsewhere = { wall_sshd: 'Port 2222' };

const words = (variables: object): readonly string[] => [
  ...['-i', join(project, 'hosts.yml'), '--no-diff', '--json'],
  ...['-e', JSON.stringify(variables)],
];

async function plan(variables: object = {}): Promise<Finished> {
  return await hosts.hostwright('plan', ...words(variables));
}

async function apply(seconds: number, variables: object = {}): Promise<Finished> {
  return await hosts.hostwright('apply', '--yes', '--confirm-within', String(seconds), ...words(variables));
}

const due = (planned: Finished): readonly unknown[] =>
  jsonLines(planned)
    .filter((line) => line.type === 'change')
    .map((line) => line['resource']);

/** Why changes failed, once for each. */
const reasons = (applied: Finished): readonly unknown[] => [
  ...new Set(
    jsonLines(applied)
      .filter((line) => line['outcome'] === 'failed')
      .map((line) => line['reason']),
  ),
];

/** What a switch that is armed, or was, has on a host. */
const traces = async (): Promise<string> => {
  const looked = await hosts.ssh(
    'web1',
    `find /etc/systemd /run/systemd/transient /var/lib/hostwright /run/hostwright -name '*undo*'
systemctl list-timers --all --no-legend 'hostwright*'
systemctl list-units --failed --no-legend`,
  );
  expect(looked, looked.stderr).toMatchObject({ code: 0 });
  return looked.stdout;
};

/** Waits until a plain login works, or until it does not. */
async function untilLogin(works: boolean): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const { code } = await hosts.ssh('web1', 'true');
    if ((code === 0) === works) return;
    if (Date.now() > deadline)
      throw new Error(`after two minutes a login ${works ? 'fails' : 'works'} still`);
  }
}

const settings = labSettings({ HOSTWRIGHT_LAB: 'guarded', HOSTWRIGHT_LAB_SUBNET: '10.213.97' });

beforeAll(async () => {
  hosts = await bareHosts('guarded', '10.213.97', 1);
  project = await mkdtemp(join(tmpdir(), 'hostwright-guarded-'));
  await mkdir(join(project, 'roles/wall'), { recursive: true });
  await writeFile(join(project, 'roles/wall/role.ts'), role);
  await copyFile(join(hosts.inventory, 'hosts.yml'), join(project, 'hosts.yml'));
  await writeFile(join(project, 'site.yml'), '- hosts: web\n  roles: [wall]\n');
  const first = await apply(60);
  expect(first, first.stdout + first.stderr).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await hosts.down();
  await rm(project, { recursive: true, force: true });
});

describe('a change of the firewall or of sshd', () => {
  it('stays when a fresh connection confirms it, and nothing is left that could roll it back', async () => {
    const changed = { wall_ports: [22, 80], wall_sshd: 'MaxSessions 20' };
    const applied = await apply(30, changed);
    expect(applied, applied.stdout + applied.stderr).toMatchObject({ code: 0 });
    expect(await traces()).toBe('');
    expect(due(await plan(changed))).toEqual([]);
    expect((await hosts.ssh('web1', 'ufw status; sshd -T')).stdout).toMatch(/^80\/tcp[^]*maxsessions 20$/m);
    expect((await apply(30)).code).toBe(0);
    expect(await traces()).toBe('');
  });

  it('is refused beforehand where it can be foreseen', async () => {
    const applied = await apply(5, { ...walledIn, wall_foresight: true });
    expect(applied.code).toBe(4);
    expect(applied.stdout + applied.stderr).toContain('Hostwright locks itself out');
  });

  it.each([
    {
      what: 'sshd',
      variables: nobody,
      changes: ['file:/etc/ssh/sshd_config.d/10-wall.conf', 'service:ssh.service'],
    },
    { what: 'the firewall', variables: walledIn, changes: ['ufw:firewall'] },
  ])('is rolled back when $what lets nobody in any more', async ({ variables, changes }) => {
    const applied = await apply(5, variables);
    expect(applied.code).toBe(1);
    expect(reasons(applied)).toEqual([
      expect.stringMatching(/^no fresh connection could be made after it: .*; the host has rolled it back$/),
    ]);
    await untilLogin(true);
    expect(await traces()).toBe('');
    expect(due(await plan(variables))).toEqual(changes);
    expect(due(await plan())).toEqual([]);
  });

  it.each([
    ['keys', 'file:/home/admin/.ssh/authorized_keys'],
    ['key', expect.stringContaining('authorized_key:admin')],
    ['sudoers', 'file:/etc/sudoers.d/zz-wall'],
    ['home', 'directory:/home/admin'],
    ['account', 'user:admin'],
  ])('is rolled back when it is of the %s of the user that logs in', async (what, change) => {
    const variables = { wall_way_in: what, wall_key: await readFile(`${userKey(settings)}.pub`, 'utf8') };
    const before = await hosts.ssh(
      'web1',
      'ls -ld /home/admin; cat /etc/passwd /home/admin/.ssh/authorized_keys',
    );
    const applied = await apply(5, variables);
    expect(applied.code).toBe(1);
    expect(reasons(applied)).toEqual([
      expect.stringMatching(/^no fresh connection could be made after it: .*; the host has rolled it back$/),
    ]);
    expect(await traces()).toBe('');
    expect(due(await plan(variables))).toEqual([change]);
    expect(
      await hosts.ssh('web1', 'ls -ld /home/admin; cat /etc/passwd /home/admin/.ssh/authorized_keys'),
    ).toEqual(before);
    expect((await hosts.ssh('web1', 'id -u')).stdout).toBe('0\n');
  });

  it('is refused when the plan is made where no login could succeed', async () => {
    const planned = await plan({ wall_way_in: 'shell' });
    expect(planned.stdout + planned.stderr).toContain('its shell would be /usr/sbin/nologin');
    expect(planned.code).not.toBe(0);
  });

  it('is due for what the kernel alone has, and for what the files alone have, however often it was asked', async () => {
    const damage: readonly (readonly [string, string])[] = [
      ['iptables -I INPUT -p tcp --dport 9999 -j ACCEPT', 'iptables -D INPUT -p tcp --dport 9999 -j ACCEPT'],
      ['ip6tables -D INPUT -j ufw6-before-input', 'ip6tables -I INPUT 2 -j ufw6-before-input'],
      [
        'cp -p /etc/ufw/after6.rules /root; sed -i "/^-A/d" /etc/ufw/after6.rules',
        'mv /root/after6.rules /etc/ufw',
      ],
    ];
    for (const [breaks, repair] of damage) {
      expect(due(await plan())).toEqual([]);
      await hosts.shell('web1', breaks);
      expect(due(await plan()), breaks).toEqual(['ufw:firewall']);
      await hosts.shell('web1', repair);
    }
    expect(due(await plan())).toEqual([]);
  });

  it('is rolled back when the established connection is cut as well, by what nobody declared', async () => {
    const controller = hosts.address('web1').replace(/\d+$/, '1');
    await hosts.ssh(
      'web1',
      `cp -p /etc/ufw/before.rules /root
sed -i '0,/^-A ufw-before-input/s//-A ufw-before-input -s ${controller} -j DROP\\n&/' /etc/ufw/before.rules`,
    );
    const kept = { wall_kept: ['before.rules'] };
    const applied = await apply(5, { ...kept, wall_foresight: true });
    expect(applied.code).toBe(1);
    expect(reasons(applied)).toEqual([expect.stringContaining('the host has rolled it back')]);
    await untilLogin(true);
    expect(await traces()).toBe('');
    expect(due(await plan(kept))).toEqual(['ufw:firewall']);
    expect((await plan()).stdout).toContain(`adds: -A ufw-before-input -s ${controller} -j DROP`);
    await hosts.ssh('web1', 'mv /root/before.rules /etc/ufw/before.rules');
    expect(due(await plan())).toEqual([]);
  });

  it('is rolled back by the host alone when the controller dies', async () => {
    const controller = hosts.start('apply', '--yes', '--confirm-within', '8', ...words(walledIn));
    await untilLogin(false);
    controller.kill('SIGKILL');
    await untilLogin(true);
    expect(await traces()).toBe('');
    expect(due(await plan(walledIn))).toEqual(['ufw:firewall']);
    expect(due(await plan())).toEqual([]);
  });

  it.each([
    { what: 'the firewall', variables: walledIn },
    { what: 'sshd', variables: elsewhere },
  ])('is not there any more when the host boots before $what is confirmed', async ({ variables }) => {
    const controller = hosts.start('apply', '--yes', '--confirm-within', '600', ...words(variables));
    await untilLogin(false);
    controller.kill('SIGKILL');
    await stopHost(settings, 'web1');
    const up = await hosts.hostwright('lab', 'up', '--hosts', '1');
    expect(up, up.stdout + up.stderr).toMatchObject({ code: 0 });
    expect(await traces()).toBe('');
    expect(due(await plan(variables))).not.toEqual([]);
    expect(due(await plan())).toEqual([]);
  });
});

describe('a guarded step on a host', () => {
  const undo: Undo = {
    guard: {
      unit: 'ssh.service',
      paths: ['/srv/there', '/srv/not-there'],
      keep: sh`cat /run/level >"$HW/level"`,
      restore: sh`cp "$HW/level" /run/level`,
    },
    title: 'write',
    token: 'mine',
    seconds: 600,
  };
  const step: Step = {
    resources: [],
    title: 'write',
    script: sh`cat >"$HW/text"`,
    live: sh`cp "$HW/text" /srv/there; cp "$HW/text" /srv/not-there; cp "$HW/text" /run/level`,
    stdin: Buffer.from('new\n'),
  };

  /** Over a connection of its own, which ends with it. */
  async function send(section: Section): Promise<Answer> {
    const transport = await createConnect()({
      host: 'web1',
      address: hosts.address('web1'),
      user: 'admin',
      privateKeyFile: userKey(settings),
      become: true,
      sshArgs: `-o UserKnownHostsFile=${knownHosts(settings)}`,
    });
    try {
      return await askOne(transport, section);
    } finally {
      await transport.close();
    }
  }

  const state = async (): Promise<string> =>
    (await hosts.ssh('web1', 'cat /srv/there /run/level; ls /srv/not-there 2>&1')).stdout;
  const before = expect.stringMatching(/^old\nold\nls: /);

  beforeEach(async () => {
    await hosts.ssh('web1', 'echo old >/srv/there; echo old >/run/level; rm -f /srv/not-there');
  });

  afterEach(async () => {
    expect(await traces()).toBe('');
  });

  it('waits to be confirmed, by the run that made it alone', async () => {
    expect(await send(guardedSection(step, undo))).toMatchObject({ code: 0 });
    expect(await state()).toBe('new\nnew\n/srv/not-there\n');
    expect(await send({ script: confirm({ ...undo, token: 'of another' }) })).toMatchObject({ code: 1 });
    expect(await traces()).toContain('hostwright-undo.timer');
    expect(await send({ script: confirm(undo) })).toMatchObject({ code: 0 });
    expect(await state()).toBe('new\nnew\n/srv/not-there\n');
    expect(await send({ script: confirm(undo) })).toMatchObject({ code: 1 });
  });

  it('is rolled back at once where it fails half-way', async () => {
    const failing = {
      ...step,
      live: sh`cp "$HW/text" /srv/there; cp "$HW/text" /run/level; echo no >&2; false`,
    };
    const answer = await send(guardedSection(failing, undo));
    expect(answer.code).not.toBe(0);
    expect(answer.stderr.toString()).toBe('no\nthe previous state is restored\n');
    expect(await state()).toEqual(before);
  });

  it('says so where not all of it can be restored', async () => {
    const guard = { ...undo.guard, restore: sh`echo no level >&2; false` };
    const answer = await send(guardedSection({ ...step, live: sh`false` }, { ...undo, guard }));
    expect(answer.code).not.toBe(0);
    expect(answer.stderr.toString()).toMatch(/no level[^]*the rollback is incomplete/);
    expect(await traces()).toContain('hostwright-undo.service');
    await hosts.ssh('web1', 'systemctl reset-failed hostwright-undo.service');
  });

  it('arms nothing where it cannot be made ready', async () => {
    expect((await send(guardedSection({ ...step, script: sh`exit 3` }, undo))).code).toBe(3);
    expect(await state()).toEqual(before);
  });

  it('gets its time from when it is made: one that takes long is not rolled back under way', async () => {
    const slow = { ...step, live: sh`sleep 3; cp "$HW/text" /srv/there` };
    expect(await send(guardedSection(slow, { ...undo, seconds: 1 }))).toMatchObject({ code: 0 });
    const confirmed = await send({ script: confirm({ ...undo, seconds: 1 }) });
    const kept = (await state()).startsWith('new');
    // However the race between the two ends: what is confirmed stays, what is not is gone.
    expect(kept).toBe(confirmed.code === 0);
  });

  it('is reported by a plan, which changes nothing, and rolled back at once by the next apply', async () => {
    await send(guardedSection(step, undo));
    const planned = await plan();
    expect(planned.code).toBe(1);
    expect(planned.stdout + planned.stderr).toMatch(/E_UNCONFIRMED[^]*"write"|"found":"write"/);
    expect(await state()).toBe('new\nnew\n/srv/not-there\n');
    expect(await traces()).toContain('hostwright-undo.timer');
    expect((await apply(30)).code).toBe(0);
    expect(await state()).toEqual(before);
  });

  /** Has `program` do something else on the host while `run` runs. */
  async function instead(program: string, text: string, run: () => Promise<void>): Promise<void> {
    const at = `/usr/local/sbin/${program}`;
    await hosts.shell('web1', `cat >${at}; chmod +x ${at}`, `#!/bin/sh\n${text}\n`);
    try {
      await run();
    } finally {
      await hosts.shell('web1', `rm -f ${at}`);
    }
  }

  it.each([
    ['sync', 'exit 1'],
    ['systemd-run', 'exit 1'],
    ['mv', 'case $* in *undo.new*undo) exit 1;; esac; exec /usr/bin/mv "$@"'],
    ['systemctl', 'case $* in *is-active*undo.timer*) exit 3;; esac; exec /usr/bin/systemctl "$@"'],
  ])('leaves nothing armed where %s fails while it is armed', async (program, text) => {
    await instead(program, text, async () => {
      expect((await send(guardedSection(step, undo))).code).not.toBe(0);
    });
    expect(await state()).toEqual(before);
  });

  it.each([
    ['sync', 'kill -KILL $PPID'],
    ['systemd-run', '/usr/bin/systemd-run "$@"; kill -KILL $PPID'],
    ['mv', 'case $* in *undo.new*undo) kill -KILL $PPID; exit;; esac; exec /usr/bin/mv "$@"'],
  ])('leaves nothing that undoes later work where it is killed in %s', async (program, text) => {
    await instead(program, text, async () => {
      expect((await send(guardedSection(step, undo))).code).not.toBe(0);
    });
    expect(await state()).toEqual(before);
    await hosts.ssh('web1', 'echo later >/srv/there');
    expect(due(await plan())).toEqual([]);
    expect((await apply(30)).code).toBe(0);
    expect(await state()).toMatch(/^later\n/);
  });
});
