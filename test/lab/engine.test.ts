import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bareHosts, jsonLines, type Finished, type Line, type TestHosts } from './hosts.ts';

let hosts: TestHosts;
let project: string;

const role = `
import { defineRole, directory, file, link, pkg, service, z } from 'hostwright';
export default defineRole({
  name: 'tiny',
  variables: z.object({
    tiny_root: z.string().default('/srv/www'),
    tiny_files: z.number().int().default(0),
    tiny_word: z.string().default('hello'),
  }),
  resources: ({ vars, host, template }) => [
    pkg('nginx-light'),
    link('/etc/nginx/sites-enabled/default', { absent: true }, { needs: ['package:nginx-light'] }),
    directory('/srv/www'),
    file('/srv/www/index.html', { content: vars.tiny_word + ' from ' + host.name + '\\n' }),
    file('/etc/nginx/sites-available/tiny', { content: template('tiny/site.hbs', { vars }) }),
    link('/etc/nginx/sites-enabled/tiny', { to: '../sites-available/tiny' }),
    service('nginx', {
      keepOverrides: ['witness.conf'], reloadOn: ['/etc/nginx'], validate: ['nginx', '-t'] }),
    ...Array.from({ length: vars.tiny_files }, (_, index) => file('/srv/many-' + index, { content: String(index) })),
  ],
});
`;

/** What comes between two packages is done when the second has been downloaded, and fails where it never is. */
const stages = `
import { command, defineRole, pkg, z } from 'hostwright';
const there = 'ls /var/cache/apt/archives/bc_*.deb';
export default defineRole({
  name: 'stages',
  variables: z.object({}),
  resources: () => [
    pkg('tree'),
    command('see bc come', {
      run: ['timeout', '60', 'sh', '-c', 'until ' + there + '; do sleep 0.2; done'],
      unless: ['sh', '-c', there + ' || dpkg-query -s bc'],
    }, { needs: ['package:tree'] }),
    pkg('bc', {}, { needs: ['command:see bc come'] }),
  ],
});
`;

const sizes = `
import { authorizedKey, defineRole, file, z } from 'hostwright';
export default defineRole({
  name: 'sizes',
  variables: z.object({}),
  resources: () => [
    authorizedKey('anna', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5m1T6VxkKc0rj1VZk6n0kqWmS3aB'),
    file('/home/anna/notes', { content: 'small', owner: 'anna', group: 'anna' }),
  ],
});
`;

async function hostwright(verb: string, ...words: readonly string[]): Promise<Finished> {
  return await hosts.hostwright(verb, '-i', join(project, 'hosts.yml'), ...words);
}

function changes(finished: Finished): readonly Line[] {
  return jsonLines(finished).filter((line) => line.type === 'change');
}

/** What is compared between a plan and its apply. */
function named(lines: readonly Line[]): readonly string[] {
  return lines
    .map((line) => `${String(line['host'])} ${String(line['resource'])} ${String(line['action'])}`)
    .toSorted();
}

function summary(
  finished: Finished,
): Line & { readonly hosts: Readonly<Record<string, Record<string, unknown>>> } {
  const last = jsonLines(finished).at(-1);
  if (last?.type !== 'summary') throw new Error(`no summary:\n${finished.stdout}\n${finished.stderr}`);
  return last as ReturnType<typeof summary>;
}

beforeAll(async () => {
  hosts = await bareHosts('engine', '10.213.90', 1);
  project = await mkdtemp(join(tmpdir(), 'hostwright-engine-'));
  await mkdir(join(project, 'roles/tiny'), { recursive: true });
  await mkdir(join(project, 'templates/tiny'), { recursive: true });
  await writeFile(join(project, 'roles/tiny/role.ts'), role);
  await copyFile(join(hosts.inventory, 'hosts.yml'), join(project, 'hosts.yml'));
  await writeFile(join(project, 'site.yml'), '- hosts: web\n  roles: [tiny]\n');
});

beforeEach(async () => {
  await writeFile(
    join(project, 'templates/tiny/site.hbs'),
    'server { listen 8080; root {{vars.tiny_root}}; }\n',
  );
});

afterAll(async () => {
  await hosts.down();
  await rm(project, { recursive: true, force: true });
});

/** Has each start of nginx note which sites it has. */
const witness = `mkdir -p /etc/systemd/system/nginx.service.d
printf '[Service]\\nExecStartPre=sh -c "ls /etc/nginx/sites-enabled >>/srv/sites-at-start"\\n' >/etc/systemd/system/nginx.service.d/witness.conf`;

/** The host itself knows what the apply before did to it. */
async function keepsWhatWasDone(results: readonly Line[]): Promise<void> {
  const [last] = jsonLines(await hostwright('history', '--last', '1', '--json'));
  expect(last).toMatchObject({ host: 'web1', verb: 'apply', state: 'ok', more: 0 });
  const changed = results.map(({ resource, action }) => ({ resource, action, outcome: 'changed' }));
  expect(last?.['changes']).toEqual(expect.arrayContaining(changed));
  await hostwright('apply', '--yes');
  const [looked] = jsonLines(await hostwright('history', 'web1', '--last', '1', '--json'));
  expect(looked).toMatchObject({ state: 'unchanged', changes: [] });
  expect((await hostwright('history')).stdout).toMatch(/ web1 {2}no changes made\n$/);
}

describe('plan and apply on a host', () => {
  it('does on a bare host what the plan named, and nothing else; then nothing is left to do', async () => {
    await hosts.shell('web1', witness);
    const plan = await hostwright('plan', '--json');
    expect(plan.code).toBe(2);
    const apply = await hostwright('apply', '--yes', '--json');
    expect(apply.code, apply.stderr).toBe(0);
    const results = jsonLines(apply).filter((line) => line.type === 'result');
    expect(named(results)).toEqual(named(changes(plan)));
    expect(results.every((line) => line['outcome'] === 'changed')).toBe(true);
    // Each step was measured by itself: together they took no longer than the run.
    const steps = new Map(results.map((line) => [line['step'], Number(line['ms'])]));
    const [sum, { seconds }] = [[...steps.values()].reduce((one, other) => one + other, 0), summary(apply)];
    expect(steps.size).toBeGreaterThan(2);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThanOrEqual(Number(seconds) * 1000);
    await keepsWhatWasDone(results);
    const again = await hostwright('plan', '--json');
    expect(changes(again)).toEqual([]);
    expect(again.code).toBe(0);
  });

  it('starts a service once it is configured, never with what its package brings', async () => {
    expect(await hosts.shell('web1', 'cat /srv/sites-at-start')).toBe('tiny\n');
    // As on an installed Debian, where nothing can be executed below /run.
    expect(await hosts.shell('web1', 'findmnt -n -o OPTIONS /run')).toMatch(/nosuid,nodev,noexec/);
  });

  it('costs two round trips where nothing changes, whatever the number of resources', async () => {
    for (const count of ['10', '100', '1000']) {
      const first = await hostwright(
        'apply',
        '--yes',
        '--json',
        '-e',
        JSON.stringify({ tiny_files: Number(count) }),
      );
      expect(first.code, first.stderr).toBe(0);
      const again = await hostwright('plan', '--json', '-e', JSON.stringify({ tiny_files: Number(count) }));
      expect(again.code).toBe(0);
      expect(summary(again).hosts['web1']).toMatchObject({
        changes: 0,
        resources: Number(count) + 7,
        roundTrips: 2,
      });
    }
  });

  it('sees what was done by hand and heals it in one run', async () => {
    await hosts.ssh(
      'web1',
      'chmod 600 /srv/www/index.html; rm /etc/nginx/sites-enabled/tiny; mkdir /etc/nginx/sites-enabled/tiny; systemctl mask --now nginx',
    );
    const plan = await hostwright('plan', '--json');
    expect(named(changes(plan))).toEqual([
      'web1 file:/srv/www/index.html update',
      'web1 link:/etc/nginx/sites-enabled/tiny update',
      'web1 service:nginx.service update',
    ]);
    expect(changes(plan).map((line) => line['cause'])).toEqual(['drift', 'drift', 'drift']);
    expect((await hostwright('drift', '--json')).code).toBe(2);
    expect((await hostwright('apply', '--yes')).code).toBe(0);
    expect((await hostwright('plan')).code).toBe(0);
  });

  it('never lets a bad configuration reach the running service', async () => {
    await writeFile(join(project, 'templates/tiny/site.hbs'), 'server { listen 8080; rooot /srv/www; }\n');
    const before = await hosts.ssh(
      'web1',
      'cat /etc/nginx/sites-available/tiny; systemctl show -p NRestarts,ExecMainPID nginx',
    );
    const apply = await hostwright('apply', '--yes', '--json');
    expect(apply.code).toBe(1);
    const reason = jsonLines(apply).find((line) => line['outcome'] === 'failed')?.['reason'];
    expect(reason).toContain('unknown directive "rooot"');
    expect(reason).toContain(`comes from ${join(project, 'templates/tiny/site.hbs')}:1`);
    const after = await hosts.ssh(
      'web1',
      'cat /etc/nginx/sites-available/tiny; systemctl show -p NRestarts,ExecMainPID nginx',
    );
    expect(after.stdout).toBe(before.stdout);
  });

  it('brings the previous configuration back when the service does not take up a valid one', async () => {
    // Valid for nginx -t, but the port is taken by somebody else when the service restarts.
    await hosts.ssh(
      'web1',
      'systemctl stop nginx; systemd-run --unit=squatter --socket-property=ListenStream=8081 true',
    );
    await writeFile(
      join(project, 'templates/tiny/site.hbs'),
      'server { listen 8080; root /srv/www; } server { listen 8081; }\n',
    );
    const apply = await hostwright('apply', '--yes', '--json');
    expect(apply.code).toBe(1);
    const reason = jsonLines(apply).find((line) => line['outcome'] === 'failed')?.['reason'];
    expect(reason).toContain('the previous configuration is restored');
    const { stdout } = await hosts.ssh(
      'web1',
      'systemctl stop squatter.socket; cat /etc/nginx/sites-available/tiny; systemctl is-active nginx',
    );
    expect(stdout).toBe('server { listen 8080; root /srv/www; }\nactive\n');
  });

  it('tells what was done by hand from what is declared anew', async () => {
    const declared = await hostwright('plan', '--json', '-e', 'tiny_word=goodbye');
    expect(changes(declared)).toMatchObject([
      { resource: 'file:/srv/www/index.html', cause: 'configuration' },
    ]);
    const pending = await hostwright('drift', '-e', 'tiny_word=goodbye');
    expect(pending.code).toBe(0);
    expect(pending.stdout).toMatch(/^No drift on 1 host: \d+ changed in the configuration \(see plan\), /);
    await hosts.ssh('web1', 'rm /srv/www/index.html');
    const textfile = join(project, 'drift.prom');
    expect((await hostwright('drift', '--textfile', textfile)).code).toBe(2);
    expect(await readFile(textfile, 'utf8')).toContain('hostwright_drifted_resources{host="web1"} 1\n');
  });

  it('carries out a saved plan, or nothing when a host or the configuration has moved', async () => {
    const file = join(project, 'saved.plan');
    const plan = await hostwright('plan', '--out', file, '--json');
    expect(plan.code).toBe(2);
    await hosts.ssh('web1', 'chmod 0700 /srv/www');
    const stale = await hosts.hostwright('apply', file);
    expect(stale.code).toBe(4);
    expect(stale.stderr).toContain('web1: directory:/srv/www: update now, unchanged in the plan');
    expect((await hosts.ssh('web1', 'stat -c %a /srv/www')).stdout).toBe('700\n');
    await hosts.ssh('web1', 'chmod 0755 /srv/www');
    const changed = await hosts.hostwright('apply', file, '-e', 'tiny_word=other');
    expect(changed.stderr).toContain('web1: file:/srv/www/index.html: create, but between other states');
    const apply = await hosts.hostwright('apply', file, '--json');
    expect(apply.code, apply.stderr).toBe(0);
    expect(named(jsonLines(apply).filter((line) => line.type === 'result'))).toEqual(named(changes(plan)));
  });

  it('finishes the reload that a run did not come to', async () => {
    await hosts.ssh('web1', 'echo "# by hand" >> /etc/nginx/nginx.conf');
    const plan = await hostwright('plan', '--json');
    expect(named(changes(plan))).toEqual(['web1 service:nginx.service reload']);
    expect((await hostwright('apply', '--yes')).code).toBe(0);
    expect((await hostwright('plan')).code).toBe(0);
  });

  it('downloads the packages of later stages while earlier ones are at work', async () => {
    await mkdir(join(project, 'roles/stages'), { recursive: true });
    await writeFile(join(project, 'roles/stages/role.ts'), stages);
    await writeFile(join(project, 'stages.yml'), '- hosts: web\n  roles: [stages]\n');
    const apply = await hostwright('apply', '--yes', '--site', join(project, 'stages.yml'));
    expect(apply.code, apply.stdout + apply.stderr).toBe(0);
    expect((await hosts.ssh('web1', 'which tree bc')).stdout).toBe('/usr/bin/tree\n/usr/bin/bc\n');
  });

  it('converges after the controller was killed in the middle of the first provisioning', async () => {
    await hosts.hostwright('lab', 'reset', 'web1');
    const apply = hosts.start('apply', '-i', join(project, 'hosts.yml'), '--yes');
    await expect
      .poll(async () => (await hosts.ssh('web1', 'pgrep -x apt-get || true')).stdout, {
        timeout: 60_000,
        interval: 100,
      })
      .not.toBe('');
    apply.kill('SIGKILL');
    // The step in hand goes on without a controller, and keeps the lock until it ends.
    const locked = await hostwright('apply', '--yes', '--json');
    expect(jsonLines(locked).filter((line) => line.type === 'error')).toMatchObject([
      { code: 'E_LOCKED', host: 'web1' },
    ]);
    await expect
      .poll(async () => (await hostwright('apply', '--yes')).code, { timeout: 120_000, interval: 1000 })
      .toBe(0);
    expect((await hostwright('plan')).code).toBe(0);
    const left = await hosts.ssh(
      'web1',
      'ls -A /run/hostwright | grep -v -e ^loaded$ -e ^lock; ls /usr/sbin/policy-rc.d 2>/dev/null; true',
    );
    expect(left.stdout).toBe('');
  });

  it('fails one resource where a user makes its file a terabyte, and does the rest', async () => {
    await mkdir(join(project, 'roles/sizes'), { recursive: true });
    await writeFile(join(project, 'roles/sizes/role.ts'), sizes);
    await writeFile(join(project, 'sizes.yml'), '- hosts: web\n  roles: [sizes]\n');
    await hosts.shell(
      'web1',
      'useradd -m anna; mkdir /home/anna/.ssh; truncate -s 1T /home/anna/.ssh/authorized_keys /home/anna/notes; chown -R anna: /home/anna',
    );
    const site = ['--site', join(project, 'sizes.yml'), '--json'];
    const plan = await hostwright('plan', ...site);
    const why =
      'cannot be read: /home/anna/.ssh/authorized_keys is too large: 1099511627776 bytes, at most 1048576 are read';
    expect(changes(plan).map((line) => line['why'])).toEqual([why, undefined]);
    const apply = await hostwright('apply', '--yes', ...site);
    expect(apply.code).toBe(1);
    expect(jsonLines(apply).filter((line) => line.type === 'result')).toMatchObject([
      { outcome: 'failed', reason: why },
      { resource: 'file:/home/anna/notes', outcome: 'changed' },
    ]);
    await hosts.shell('web1', 'rm /home/anna/.ssh/authorized_keys');
    expect((await hostwright('apply', '--yes', ...site)).code).toBe(0);
  });

  it('goes on with the other hosts where one cannot be reached, and says so', async () => {
    const plan = await hostwright('plan', '--json', '-e', 'ansible_port=1');
    expect(plan.code).toBe(3);
    expect(jsonLines(plan).find((line) => line.type === 'error')).toMatchObject({
      code: 'E_CONNECT',
      host: 'web1',
    });
    expect(summary(plan).hosts['web1']).toMatchObject({ unreachable: true });
  });

  it('changes nothing anywhere while a template names what is not defined', async () => {
    await writeFile(
      join(project, 'templates/tiny/site.hbs'),
      'server { listen 8080; root {{vars.tiny_rot}}; }\n',
    );
    const apply = await hostwright('apply', '--yes', '-e', 'tiny_word=unseen');
    expect(apply.code).toBe(4);
    expect(apply.stderr).toContain('templates/tiny/site.hbs:1:');
    expect((await hosts.ssh('web1', 'cat /srv/www/index.html')).stdout).not.toContain('unseen');
  });

  it('refuses a misspelt variable with its place before it touches a host', async () => {
    const plan = await hostwright('plan', '-e', 'tiny_fils=3');
    expect(plan.code).toBe(4);
    expect(plan.stderr).toContain('tiny_files');
  });
});
