import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeDatabaseProxy } from './database-proxy.ts';
import { bareHosts, jsonLines, run, type Finished, type Line, type TestHosts } from './hosts.ts';
import { installedMachine } from './installed-machine.ts';
import { unhealthyRelease } from '../faults/unhealthy-release.ts';
import { watch } from '../faults/watch.ts';
import { describeJudges } from './judges.ts';
import { visitDoor, type Response } from './visit.ts';

const domain = 'www.foobar.com';
const names = ['web1', 'web2', 'web3'] as const;

let hosts: TestHosts;
let root: string;
let first: { readonly plan: Finished; readonly apply: Finished };

function visit(path: string, method: 'GET' | 'POST' = 'GET', agent?: Agent): Promise<Response> {
  const door = { domain, address: hosts.address('web1'), root };
  return visitDoor(door, { path, method, ...(agent === undefined ? {} : { agent }) });
}

/** How often each status was answered, and by whom, over `count` requests, ten at a time. */
async function visits(
  count: number,
): Promise<{ readonly statuses: readonly number[]; readonly hosts: ReadonlySet<string> }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 10 });
  const responses = await Promise.all(
    Array.from({ length: count }, () => visit('/api/visits', 'GET', agent)),
  );
  agent.destroy();
  return {
    statuses: [...new Set(responses.map(({ status }) => status))],
    hosts: new Set(responses.flatMap(({ servedBy }) => servedBy ?? [])),
  };
}

/** What HAProxy says of its web servers: `UP`, `DOWN`, by host. */
async function backends(): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await hosts.ssh('web1', 'echo "show stat" | socat - /run/haproxy/admin.sock');
  const [header = '', ...rows] = stdout
    .replace('# ', '')
    .split('\n')
    .map((line) => line.split(','));
  const status = header.indexOf('status');
  return Object.fromEntries(
    rows
      .filter((row) => names.some((name) => row[1] === name))
      .map((row) => [row[1] ?? '', row[status] ?? '']),
  );
}

async function becomes(host: string, status: string): Promise<void> {
  await expect
    .poll(async () => (await backends())[host], { timeout: 30_000, interval: 300 })
    .toContain(status);
}

async function sql(host: string, statement: string): Promise<string> {
  const answer = await hosts.ssh(host, `mysql --batch --skip-column-names -e "${statement}"`);
  return answer.code === 0 ? answer.stdout.trim() : answer.stderr;
}

async function promql(
  query: string,
): Promise<readonly { readonly labels: string; readonly value: number }[]> {
  const { stdout } = await hosts.ssh('web1', `promtool query instant http://127.0.0.1:9090 '${query}'`);
  return stdout.split('\n').flatMap((line) => {
    const found = /^(.*) => (\S+) @/.exec(line);
    return found === null ? [] : [{ labels: found[1] ?? '', value: Number(found[2]) }];
  });
}

function named(finished: Finished, type: string): readonly string[] {
  return jsonLines(finished)
    .filter((line: Line) => line.type === type)
    .map((line) => `${String(line['host'])} ${String(line['resource'])} ${String(line['action'])}`)
    .toSorted();
}

/** The TCP ports that answer at each address, as `nmap` sees them from outside the hosts. */
async function openPorts(
  family: '-4' | '-6',
  addresses: readonly string[],
): Promise<readonly (readonly number[])[]> {
  // As fast as a bridge of this machine allows: a firewall that drops costs a timeout for every port.
  const pace = ['-T5', '--max-retries', '1', '--min-rate', '20000', '--min-hostgroup', '3'];
  const { stdout } = await run('nmap', ['-Pn', '-n', '-p-', ...pace, family, '-oG', '-', ...addresses]);
  return addresses.map((address) => {
    const line =
      stdout.split('\n').find((one) => one.startsWith(`Host: ${address} `) && one.includes('Ports:')) ?? '';
    return [...line.matchAll(/(\d+)\/open\/tcp/g)].map(([, port]) => Number(port));
  });
}

async function canConnect(from: string, to: string, port: number): Promise<boolean> {
  const address = hosts.address(to);
  const { code } = await hosts.ssh(from, `timeout 2 bash -c "exec 3<>/dev/tcp/${address}/${port}"`);
  return code === 0;
}

const pki = '/etc/hostwright/pki';

/** Where the certificates of the internal CA are shown to others. */
const doors = names.flatMap((host) => [
  { host, port: 8443, certificate: 'nginx' },
  { host, port: 9100, certificate: 'node-exporter' },
  { host, port: 9113, certificate: 'nginx-exporter' },
  ...(host === 'web1'
    ? [{ host, port: 8404, certificate: 'haproxy' }]
    : [
        { host, port: 3306, certificate: 'mysql' },
        { host, port: 9104, certificate: 'mysqld-exporter' },
      ]),
]);

/** The fingerprint of the certificate that a service shows to the balancer. */
async function servedAt(host: string, port: number): Promise<string> {
  const starttls = port === 3306 ? '-starttls mysql' : '';
  const { stdout } = await hosts.ssh(
    'web1',
    `openssl s_client -connect ${hosts.address(host)}:${port} ${starttls} -cert ${pki}/haproxy.crt -key ${pki}/haproxy.key </dev/null 2>/dev/null | openssl x509 -noout -fingerprint`,
  );
  return stdout;
}

const broken = `import { defineRole, file, z } from 'hostwright';

export default defineRole({
  name: 'broken',
  variables: z.looseObject({}),
  resources: ({ host, facts }) => [
    file('/srv/broken', { content: host.name === 'web2' ? facts.kernal.slice(1) : 'x' }),
  ],
});
`;

beforeAll(async () => {
  hosts = await bareHosts('site', '10.213.92', 3);
  root = await readFile('/var/lib/hostwright-lab/site/acme-root.pem', 'utf8');
  await Promise.all(names.map((host) => hosts.shell(host, installedMachine)));
  await mkdir(join(hosts.inventory, 'host_vars'), { recursive: true });
  await writeFile(join(hosts.inventory, 'host_vars/web3.yml'), 'base_keep: [50-cloud-init.conf]\n');
  const plan = await hosts.hostwright('plan', '--json', '--no-diff');
  const apply = await hosts.hostwright('apply', '--yes', '--json', '--no-diff');
  first = { plan, apply };
});

afterAll(async () => {
  await hosts.down();
});

describe('the site on three bare hosts', () => {
  it('is provisioned in one run, which does what the plan named and nothing else', () => {
    expect(first.apply.code, first.apply.stderr).toBe(0);
    expect(first.plan.code).toBe(2);
    expect(named(first.apply, 'result')).toEqual(named(first.plan, 'change'));
  });

  it('names what goes of what a provider has left, and leaves what is to stay', async () => {
    const undeclared = jsonLines(first.plan).flatMap((line) =>
      Array.isArray(line['attributes'])
        ? (line['attributes'] as readonly Readonly<Record<string, unknown>>[])
            .filter(({ name }) => name === 'undeclared')
            .map(({ from }) => `${String(line['host'])} ${String(line['resource'])}: ${String(from)}`)
        : [],
    );
    const sshd = 'directory:/etc/ssh/sshd_config.d: 50-cloud-init.conf';
    expect(undeclared).toEqual(expect.arrayContaining([`web1 ${sshd}`, `web2 ${sshd}`]));
    expect(undeclared).not.toContain(`web3 ${sshd}`);
    for (const name of names)
      expect(undeclared).toContain(`${name} directory:/etc/nginx/conf.d: provider.conf`);
    const left = 'ls /etc/ssh/sshd_config.d /etc/nginx/conf.d; sshd -T | grep -i ^passwordauth';
    expect((await hosts.ssh('web1', left)).stdout).not.toMatch(/cloud-init|provider/);
    expect((await hosts.ssh('web3', left)).stdout).toContain('50-cloud-init.conf');
    for (const name of names)
      expect((await hosts.ssh(name, left)).stdout).toContain('passwordauthentication no');
  });

  it('has nothing to do in a second run, in two round trips a host', async () => {
    const plan = await hosts.hostwright('plan', '--json');
    expect(named(plan, 'change'), plan.stdout).toEqual([]);
    expect(plan.code).toBe(0);
    const summary = jsonLines(plan).at(-1)?.['hosts'] as Record<
      string,
      { resources: number; roundTrips: number }
    >;
    expect(Object.keys(summary)).toEqual([...names]);
    expect(Object.values(summary).map(({ roundTrips }) => roundTrips)).toEqual([2, 2, 2]);
    expect(Object.values(summary).reduce((sum, { resources }) => sum + resources, 0)).toBeGreaterThan(100);
  });

  it('frees the locks of all hosts where a role fails on one, and says where', async () => {
    const project = await mkdtemp(join(tmpdir(), 'hostwright-site-'));
    try {
      await mkdir(join(project, 'roles/broken'), { recursive: true });
      await writeFile(join(project, 'roles/broken/role.ts'), broken);
      await writeFile(join(project, 'site.yml'), '- hosts: web\n  roles: [broken]\n');
      const failed = await hosts.hostwright('apply', '--yes', '--site', join(project, 'site.yml'));
      expect(failed.code, failed.stderr).toBe(4);
      expect(failed.stdout + failed.stderr).toContain(`${join(project, 'roles/broken/role.ts')}:7:`);
      const next = await hosts.hostwright('apply', '--yes', '--json');
      expect(next.code, next.stdout).toBe(0);
    } finally {
      await rm(project, { recursive: true, force: true });
    }
  });

  it('answers 300 requests by all three web servers, and none fails', async () => {
    const seen = await visits(300);
    expect(seen.statuses).toEqual([200]);
    expect([...seen.hosts].toSorted()).toEqual([...names]);
  });

  it('redirects http to https', async () => {
    const { stdout } = await run('curl', [
      ...['-sS', '-o', '/dev/null', '-w', '%{http_code} %{redirect_url}'],
      ...['--resolve', `${domain}:80:${hosts.address('web1')}`, `http://${domain}/x?y=1`],
    ]);
    expect(stdout).toMatch(new RegExp(`^30[18] https://${domain}/x\\?y=1$`));
  });

  it('loses no request to a stopped application once the health check has seen it', async () => {
    await hosts.ssh('web2', 'systemctl stop visits.socket visits.service');
    await becomes('web2', 'DOWN');
    const seen = await visits(100);
    expect(seen.statuses).toEqual([200]);
    expect([...seen.hosts].toSorted()).toEqual(['web1', 'web3']);
    expect((await hosts.hostwright('apply', '--yes')).code).toBe(0);
    await becomes('web2', 'UP');
  });

  it.each(names)('stays up when the nginx of %s is killed', async (host) => {
    await hosts.ssh(host, 'systemctl kill --signal=KILL nginx; systemctl stop nginx');
    await becomes(host, 'DOWN');
    const seen = await visits(60);
    expect(seen.statuses).toEqual([200]);
    expect(seen.hosts.has(host)).toBe(false);
    expect((await hosts.hostwright('apply', '--yes')).code).toBe(0);
    await becomes(host, 'UP');
  });

  it('tries a release that does not work on one host only, which takes it back, and nobody notices', async () => {
    const releases = async (): Promise<readonly string[]> =>
      await Promise.all(
        names.map(async (name) => (await hosts.ssh(name, 'readlink /srv/visits/current')).stdout),
      );
    const before = await releases();
    const watched = watch(async () => {
      expect((await visit('/api/visits')).status).toBe(200);
    });
    const apply = await hosts.hostwright(
      ...['apply', '--yes', '--json', '--no-diff'],
      ...['-e', JSON.stringify({ app_source: await unhealthyRelease(), app_health_timeout: 3 })],
    );
    await becomes('web1', 'UP');
    const { asked, failures } = await watched.stop();
    expect(apply.code, apply.stdout).toBe(1);
    const outcomes = jsonLines(apply).filter(({ type }) => type === 'result');
    const service = outcomes.filter((line) => line['resource'] === 'service:visits.service');
    expect(service.map((line) => `${String(line['host'])} ${String(line['outcome'])}`)).toEqual([
      'web1 failed',
      'web2 skipped',
      'web3 skipped',
    ]);
    expect(service[0]?.['reason']).toContain('visits.service is not healthy after 3 s');
    expect(service[1]?.['reason']).toBe('too many hosts failed');
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(20);
    expect(await releases()).toEqual(before);
    const mended = await hosts.hostwright('apply', '--yes', '--json');
    expect(mended.code, mended.stdout).toBe(0);
  });

  it('shows 22, 80 and 443 of web1 to the outside, 22 of the others, and nothing more', async () => {
    const expected = [[22, 80, 443], [22], [22]];
    expect(await openPorts('-4', names.map(hosts.address))).toEqual(expected);
    const addresses = await Promise.all(
      names.map(async (host) => {
        const { stdout } = await hosts.ssh(host, 'ip -6 -o address show scope global');
        return /inet6 ([0-9a-f:]+)/.exec(stdout)?.[1] ?? '';
      }),
    );
    expect(await openPorts('-6', addresses)).toEqual(expected);
  });

  it.each([
    { port: 3306, to: 'web2', open: ['web1', 'web3'], closed: [] },
    { port: 8443, to: 'web2', open: ['web1'], closed: ['web3'] },
    { port: 9100, to: 'web2', open: ['web1'], closed: ['web3'] },
    { port: 9104, to: 'web3', open: ['web1'], closed: ['web2'] },
    { port: 9113, to: 'web3', open: ['web1'], closed: ['web2'] },
    { port: 8404, to: 'web1', open: [], closed: ['web2', 'web3'] },
    { port: 9090, to: 'web1', open: [], closed: ['web2', 'web3'] },
    { port: 3000, to: 'web2', open: [], closed: ['web1', 'web3'] },
    { port: 3307, to: 'web2', open: [], closed: ['web1', 'web3'] },
    { port: 9200, to: 'web2', open: ['web1', 'web3'], closed: [] },
    { port: 9200, to: 'web1', open: [], closed: ['web2', 'web3'] },
  ])('answers at port $port of $to only whom it is declared for', async ({ port, to, open, closed }) => {
    for (const from of open) expect(await canConnect(from, to, port), `from ${from}`).toBe(true);
    for (const from of closed) expect(await canConnect(from, to, port), `from ${from}`).toBe(false);
  });

  it('has a row written through the site on the replica within a second', async () => {
    const written = await visit('/api/visits', 'POST');
    expect(written.status).toBe(201);
    const { write } = JSON.parse(written.body) as { write: { id: number; database: string; role: string } };
    expect(write).toMatchObject({ database: 'web2', role: 'primary' });
    await expect
      .poll(() => sql('web3', `SELECT COUNT(*) FROM visits.visits WHERE id = ${write.id}`), {
        timeout: 1000,
        interval: 50,
      })
      .toBe('1');
  });

  it('replicates over TLS, and its replica refuses writes', async () => {
    expect(await sql('web3', 'CREATE DATABASE stray')).toContain('read-only');
    expect(
      await sql(
        'web3',
        'SELECT SSL_ALLOWED, SSL_VERIFY_SERVER_CERTIFICATE FROM performance_schema.replication_connection_configuration',
      ),
    ).toBe('YES\tYES');
    const dump = `SELECT DISTINCT t.CONNECTION_TYPE FROM performance_schema.threads t WHERE t.PROCESSLIST_COMMAND LIKE 'Binlog Dump%'`;
    expect(await sql('web2', dump)).toBe('SSL/TLS');
  });

  it('is watched: every target is up', async () => {
    await expect
      .poll(async () => (await promql('up')).filter(({ value }) => value !== 1), {
        timeout: 60_000,
        interval: 2000,
      })
      .toEqual([]);
    const jobs = (await promql('count by (job) (up)')).map(
      ({ labels, value }) => `${/job="(\w+)"/.exec(labels)?.[1] ?? ''} ${value}`,
    );
    expect(jobs).toEqual(expect.arrayContaining(['node 3', 'nginx 3', 'mysql 2', 'haproxy 1']));
  });

  it('replaces certificates of 90 days without losing a visitor, and can then be left alone for years', async () => {
    const older = await hosts.hostwright('apply', '--yes', '--json', '--no-diff', '-e', 'pki_valid_for=90d');
    expect(older.code, older.stdout).toBe(0);
    const watched = watch(async () => {
      expect((await visit('/api/visits')).status).toBe(200);
    });
    const apply = await hosts.hostwright('apply', '--yes', '--json', '--no-diff');
    const { asked, failures } = await watched.stop();
    expect(apply.code, apply.stdout).toBe(0);
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(5);
    const issued = named(apply, 'result').filter((line) => line.includes(' host_certificate:'));
    for (const name of names) {
      const inFourYears = await hosts.shell(
        name,
        `openssl verify -attime $(($(date +%s) + 4 * 365 * 86400)) -CAfile ${pki}/ca.crt ${pki}/*.crt`,
      );
      const verified = inFourYears.match(/(?<=\/)[^/]+(?=\.crt: OK)/g) ?? [];
      expect(verified.filter((file) => file !== 'ca').length).toBeGreaterThan(3);
      for (const certificate of verified) {
        if (certificate !== 'ca') expect(issued).toContain(`${name} host_certificate:${certificate} update`);
      }
      await hosts.shell(name, 'systemctl start hostwright-certificate-metrics');
    }
    for (const { host, port, certificate } of doors) {
      const file = await hosts.shell(host, `openssl x509 -noout -fingerprint -in ${pki}/${certificate}.crt`);
      await expect.poll(() => servedAt(host, port), { timeout: 20_000, interval: 500 }).toBe(file);
    }
    expect(
      await sql('web3', 'SELECT SERVICE_STATE FROM performance_schema.replication_connection_status'),
    ).toBe('ON');
    await expect
      .poll(async () => (await promql('min(certificate:remaining:ratio)'))[0]?.value, {
        timeout: 60_000,
        interval: 2000,
      })
      .toBeGreaterThan(0.99);
  });

  it('measures a load of a known rate to within 5 %', async () => {
    const perSecond = 20;
    const agent = new Agent({ keepAlive: true });
    const pending: Promise<Response>[] = [];
    const load = setInterval(() => pending.push(visit('/', 'GET', agent)), 1000 / perSecond);
    const started = performance.now();
    const rate = (): number => (1000 * pending.length) / (performance.now() - started);
    try {
      await expect
        .poll(
          async () => {
            const [measured] = await promql('site:http_requests:qps');
            return Math.abs((measured?.value ?? 0) / rate() - 1);
          },
          { timeout: 180_000, interval: 5000 },
        )
        .toBeLessThan(0.05);
    } finally {
      clearInterval(load);
      await Promise.all(pending);
      agent.destroy();
    }
  });
});

describeDatabaseProxy(() => hosts);
describeJudges(domain, () => hosts);
