import { spawn, type ChildProcess } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareHosts, jsonLines, type TestHosts } from '../lab/hosts.ts';

let hosts: TestHosts;
let project: string;
let inventory: readonly string[];

/** `hostwright dashboard`, as long as it runs. */
interface Open {
  readonly url: string;
  readonly child: ChildProcess;
  readonly said: () => string;
}

async function open(): Promise<Open> {
  const command = resolve(import.meta.dirname, '../../bin/hostwright');
  const child = spawn(command, ['dashboard', '--no-open', ...inventory], { env: hosts.environment });
  let out = '';
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await expect.poll(() => (child.exitCode === null ? out : said), { timeout: 20_000 }).toMatch(/^http/);
  return { url: out.trim(), child, said: () => said };
}

async function end({ child }: Open): Promise<number | null> {
  const code = new Promise<number | null>((done) => child.once('exit', done));
  child.kill('SIGINT');
  return await code;
}

async function statusOf(url: string, init: RequestInit = {}): Promise<number> {
  return (await fetch(url, init)).status;
}

beforeAll(async () => {
  hosts = await bareHosts('dashboard', '10.213.94', 1);
  project = await mkdtemp(join(tmpdir(), 'hostwright-dashboard-'));
  await copyFile(join(hosts.inventory, 'hosts.yml'), join(project, 'hosts.yml'));
  await writeFile(
    join(project, 'site.yml'),
    '- hosts: monitoring\n  roles: [pki, monitoring_agent, monitoring_server]\n',
  );
  inventory = ['-i', join(project, 'hosts.yml')];
});

afterAll(async () => {
  await hosts.down();
  await rm(project, { recursive: true, force: true });
});

describe('the dashboard of a host without a web server', () => {
  it('is said not to be there before it is applied', async () => {
    const { code, stderr } = await hosts.hostwright('dashboard', '--no-open', ...inventory);
    expect(code).not.toBe(0);
    expect(stderr).toContain('the dashboard does not answer');
    expect(stderr).toContain('hostwright apply --limit web1');
  });

  it('comes with one run, and has nothing to do in the next one', async () => {
    const apply = await hosts.hostwright('apply', '--yes', '--json', '--no-diff', ...inventory);
    expect(apply.code, apply.stdout).toBe(0);
    const plan = await hosts.hostwright('plan', '--json', ...inventory);
    expect(jsonLines(plan).filter(({ type }) => type === 'change')).toEqual([]);
    expect(plan.code, plan.stdout).toBe(0);
  });

  it('leaves nginx of the package stopped, and listens on 127.0.0.1 alone, in a sandbox', async () => {
    const { stdout } = await hosts.ssh(
      'web1',
      'systemctl is-active nginx; systemctl is-enabled nginx; ss -Hltn | grep -E ":(80|8090) "; systemctl show -p User hostwright-dashboard; systemd-analyze security --no-pager hostwright-dashboard | tail -n 1',
    );
    expect(stdout).toMatch(/^inactive\ndisabled\n/);
    expect(stdout).toContain('127.0.0.1:8090');
    expect(stdout).not.toMatch(/(?:0\.0\.0\.0|\[::\]|\*):(?:80|8090)\b/);
    expect(stdout).toContain('User=hostwright-dashboard');
    const exposure = Number(/UNSAFE|level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    expect(exposure, stdout).toBeLessThan(3);
  });

  it('is shown through the ssh connection, and reads what it needs and nothing else', async () => {
    const dashboard = await open();
    const { url } = dashboard;
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await page.text()).toContain('<main');
    const query = `${url}prometheus/api/v1/query?query=up`;
    await expect
      .poll(async () => JSON.stringify(await (await fetch(query)).json()), { timeout: 60_000 })
      .toContain('"job":"node"');
    expect(await statusOf(query, { method: 'POST' })).toBe(405);
    expect(await statusOf(`${url}prometheus/-/reload`)).toBe(404);
    expect(await statusOf(`${url}prometheus/api/v1/admin/tsdb/snapshot`)).toBe(404);
    expect(await statusOf(`${url}alertmanager/api/v2/alerts`)).toBe(200);
    expect(await statusOf(`${url}alertmanager/api/v2/silences`)).toBe(404);
    // A page of somebody else, whose name was made to lead here.
    const foreign = await hosts.ssh(
      'web1',
      `bash -c 'exec 3<>/dev/tcp/127.0.0.1/8090; printf "GET / HTTP/1.0\\r\\nHost: evil.example\\r\\n\\r\\n" >&3; head -n 1 <&3'`,
    );
    expect(foreign.stdout).toContain(' 421 ');
    expect(await end(dashboard)).toBe(0);
  });

  it('connects again when the connection was lost, and says so', async () => {
    const dashboard = await open();
    const { url, said } = dashboard;
    await hosts.ssh('web1', 'pkill -f "^sshd.*: admin" || true');
    await expect.poll(said, { timeout: 30_000 }).toContain('lost the connection to web1');
    await expect.poll(said, { timeout: 60_000 }).toContain('connected to web1 again');
    expect(await statusOf(url)).toBe(200);
    expect(await end(dashboard)).toBe(0);
  });
});
