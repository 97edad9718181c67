import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { application } from '../lab/balancer-site.ts';
import { bareHosts, jsonLines, type Finished, type TestHosts } from '../lab/hosts.ts';

const names = ['web1', 'web2', 'web3'] as const;
const store = '/var/log/hosts';
const port = 19_532;

/** A role that has another certificate of the internal CA, as every host of a site does. */
const other = `import { defineRole, z } from 'hostwright';
export default defineRole({
  name: 'other',
  variables: z.object({}),
  declares: () => [{ kind: 'certificate', name: 'other', usage: ['client'] }],
  resources: () => [],
});
`;

let hosts: TestHosts;
let project: string;

const hostwright = (verb: string, ...words: readonly string[]): Promise<Finished> =>
  hosts.hostwright(verb, '-i', join(project, 'inventory'), ...words);

beforeAll(async () => {
  hosts = await bareHosts('nightlogs', '10.213.158', names.length);
  project = await mkdtemp(join(tmpdir(), 'hostwright-logs-'));
  await mkdir(join(project, 'inventory/group_vars/all'), { recursive: true });
  await mkdir(join(project, 'roles/other'), { recursive: true });
  const inventory = await readFile(join(hosts.inventory, 'hosts.yml'), 'utf8');
  const groups =
    '  children:\n    logs: { hosts: { web1: } }\n    monitoring: { hosts: { web1: } }\n    lb: { hosts: { web1: } }\n    web: { hosts: { web2: } }\n';
  await writeFile(
    join(project, 'inventory/hosts.yml'),
    inventory.slice(0, inventory.indexOf('  children:')) + groups,
  );
  const variables = {
    log_server_size: '64M',
    app_source: 'app',
    app_packages: ['python3'],
    app_command: ['/usr/bin/python3', 'main.py'],
    nginx_clients: ['other'],
  };
  await writeFile(join(project, 'inventory/group_vars/all/main.yml'), JSON.stringify(variables));
  await mkdir(join(project, 'app'));
  await writeFile(join(project, 'app/main.py'), application);
  await writeFile(join(project, 'roles/other/role.ts'), other);
  await writeFile(
    join(project, 'site.yml'),
    `- { hosts: all, roles: [pki, firewall, other] }
- { hosts: web, roles: [app, nginx] }
- { hosts: logs, roles: [log_server] }
- { hosts: all, roles: [monitoring_agent, log_sender] }
`,
  );
  const first = await hostwright('apply', '--yes', '--no-diff');
  if (first.code !== 0) throw new Error(`the site is not provisioned:\n${first.stdout}${first.stderr}`);
}, 900_000);
afterAll(async () => {
  await hosts.down();
  await rm(project, { recursive: true, force: true });
});

/** The numbers that the log server has of what a host has counted; doubles too. */
async function counted(host: string, word: string): Promise<readonly number[]> {
  const text = await hosts.shell(
    'web1',
    `journalctl -q -D ${store}/log-sender-${host} -t ${word} -o cat | grep -o '[0-9]*$' || :`,
  );
  return text.split('\n').filter(Boolean).map(Number);
}

/** Writes lines with numbers into the journal of a host, by a unit, so many a second. */
const count = (host: string, word: string, lines: number, aTenth: number): Promise<string> =>
  hosts.shell(
    host,
    `systemd-run --quiet --unit=${word} -p SyslogIdentifier=${word} -p LogRateLimitIntervalSec=1s -p LogRateLimitBurst=1000000 sh -c '
i=0
while [ "$i" -lt ${lines} ]; do
  echo "a line that is as long as those of web servers are, with an address and a path and all the rest of it, number $i"
  i=$((i + 1))
  [ $((i % ${aTenth})) -ne 0 ] || sleep 0.1
done'`,
  );

async function arrived(host: string, word: string, lines: number): Promise<readonly number[]> {
  await expect
    .poll(async () => new Set(await counted(host, word)).size, { timeout: 240_000, interval: 5000 })
    .toBe(lines);
  return counted(host, word);
}

/** What the log server answers to an upload; nothing where it hangs up. */
async function upload(host: string, certificate: string, message: string): Promise<string> {
  const entry = [
    '__REALTIME_TIMESTAMP=1790000000000000',
    '__MONOTONIC_TIMESTAMP=1000000',
    '_BOOT_ID=0123456789abcdef0123456789abcdef',
    '_HOSTNAME=web3',
    `MESSAGE=${message}`,
    '\n',
  ].join('\n');
  const request = `POST /upload HTTP/1.1\r\nHost: logs\r\nContent-Type: application/vnd.fdo.journal\r\nContent-Length: ${entry.length}\r\n\r\n${entry}`;
  const { stdout } = await hosts.ssh(
    host,
    `{ cat; sleep 3; } | timeout 20 openssl s_client -quiet -connect ${hosts.address('web1')}:${port} -CAfile /etc/hostwright/pki/ca.crt ${certificate} 2>/dev/null || :`,
    request,
  );
  return stdout.split('\r\n')[0] ?? '';
}

const own = (name: string): string =>
  `-cert /etc/hostwright/pki/${name}.crt -key /etc/hostwright/pki/${name}.key`;

describe('the copy of all logs on one host', () => {
  it('is as declared, and what is said on each host is in it', async () => {
    const plan = await hostwright('plan', '--json');
    expect(jsonLines(plan).filter(({ type }) => ['change', 'error'].includes(type))).toEqual([]);
    for (const host of names) {
      await hosts.shell(host, `logger -t greeting 'number 1'`);
      expect(await arrived(host, 'greeting', 1)).toEqual([1]);
    }
    const exposure = await hosts.shell(
      'web1',
      `systemd-analyze security --no-pager journal-in@log-sender-web1.service haproxy-logs.service systemd-journal-upload.service | grep 'Overall exposure'`,
    );
    for (const [, value] of exposure.matchAll(/: ([\d.]+)/g)) expect(Number(value)).toBeLessThan(3);
  });

  it('is counted: what each host says of itself, and how old the copy is', async () => {
    const metrics = async (host: string): Promise<string> =>
      hosts.shell(
        host,
        'systemctl start hostwright-journal-metrics; cat /var/lib/prometheus/node-exporter/hostwright_journal.prom',
      );
    const value = (text: string, name: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`hostwright_${name} `))
          ?.split(' ')
          .at(-1),
      );
    const before = value(await metrics('web2'), 'journal_errors_total');
    await hosts.shell(
      'web2',
      'logger -p user.err bad; ssh -o BatchMode=yes -o StrictHostKeyChecking=no nosuch@localhost || :',
    );
    const after = await metrics('web2');
    expect(value(after, 'journal_errors_total')).toBe(before + 1);
    expect(value(after, 'journal_login_failures_total{program="ssh"}')).toBeGreaterThan(0);
    const copies = await metrics('web1');
    for (const host of names) {
      const newest = value(copies, `log_copy_newest_seconds{sender="${host}"}`);
      expect(Date.now() / 1000 - newest, host).toBeLessThan(300);
    }
  });

  it('has what nginx could not serve', async () => {
    const ask = `printf 'GET /lost HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n' | timeout 10 openssl s_client -quiet -connect localhost:8443 ${own('other')} 2>/dev/null | head -n 1`;
    await hosts.shell('web2', 'systemctl stop app');
    expect(await hosts.shell('web2', ask)).toContain(' 502 ');
    await hosts.shell('web2', 'systemctl start app');
    const found = `journalctl -q -D ${store}/log-sender-web2 -u nginx -o cat --grep '"uri":"/lost".*"status":502' || :`;
    await expect
      .poll(() => hosts.shell('web1', found), { timeout: 30_000, interval: 2000 })
      .toContain('"status":502');
  });

  it('refuses strangers, and knows who sends by the certificate alone', async () => {
    await hosts.shell(
      'web2',
      'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=log-sender-web3 -keyout /root/x.key -out /root/x.crt 2>/dev/null',
    );
    expect(await upload('web2', '', 'refused 1')).toBe('');
    expect(await upload('web2', '-cert /root/x.crt -key /root/x.key', 'refused 2')).toBe('');
    expect(await upload('web2', own('other'), 'refused 3')).toBe('');
    expect(await upload('web2', own('log-sender-web2'), 'forged')).toMatch(/^HTTP\/1.1 20\d/);
    const found = (folder: string, text: string): Promise<string> =>
      hosts.shell('web1', `journalctl -q -D ${store}/${folder} -o cat --grep '^${text}' || :`);
    for (const host of names) expect(await found(`log-sender-${host}`, 'refused')).toBe('');
    expect(await found('log-sender-web2', 'forged')).toBe('forged\n');
    expect(await found('log-sender-web3', 'forged')).toBe('');
    // Nor does another way lead to a receiver.
    const open = await hosts.shell('web1', `ss -Hltn | awk '{ print $4 }' | grep -E ':1953[0-9]$'`);
    expect(open.split('\n').filter((line) => line !== '' && !line.endsWith(`:${port}`))).toEqual([]);
  });

  it('loses no line while the server is away and both ends are killed', async () => {
    const lines = 20_000;
    for (const host of names) await count(host, 'counted', lines, 10);
    const killed = async (): Promise<void> => {
      await hosts.shell('web1', `systemctl kill --signal=KILL 'journal-in@*.service'`);
      for (const host of names)
        await hosts.shell(host, 'systemctl kill --signal=KILL systemd-journal-upload');
    };
    await expect
      .poll(async () => (await counted('web2', 'counted')).length, { timeout: 60_000 })
      .toBeGreaterThan(500);
    await killed();
    await hosts.shell('web1', 'systemctl stop haproxy-logs && sleep 120 && systemctl start haproxy-logs');
    await killed();
    const doubled: string[] = [];
    for (const host of names) {
      const seen = await arrived(host, 'counted', lines);
      doubled.push(`${host}: ${seen.length - lines}`);
    }
    console.log(`0 of ${names.length} × ${lines} lines lost; doubled: ${doubled.join(', ')}`);
    const plan = await hostwright('plan', '--json');
    expect(jsonLines(plan).filter(({ type }) => ['change', 'error'].includes(type))).toEqual([]);
  });

  it('keeps the lines of the others when one host floods', async () => {
    const before = new Set(await counted('web2', 'counted')).size;
    await count('web3', 'flood', 300_000, 3000);
    await expect
      .poll(async () => (await counted('web3', 'flood')).at(-1), { timeout: 300_000, interval: 5000 })
      .toBe(299_999);
    const size = await hosts.shell('web1', `du -sm ${store}/log-sender-web3/ | cut -f1`);
    console.log(`the folder of the flooder: ${size.trim()} MB of 64`);
    expect(Number(size)).toBeLessThan(72);
    expect(new Set(await counted('web2', 'counted')).size).toBe(before);
  });

  it('does not keep an apply from succeeding while the server is away', async () => {
    await hosts.shell('web1', 'systemctl stop haproxy-logs');
    await hosts.shell('web2', 'systemctl kill --signal=KILL systemd-journal-upload && sleep 20');
    const plan = await hostwright('plan', '--json', '--limit', 'web2');
    expect(jsonLines(plan).filter(({ type }) => ['change', 'error'].includes(type))).toEqual([]);
    await hosts.shell('web1', 'systemctl start haproxy-logs');
  });
});
