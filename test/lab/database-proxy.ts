import { describe, expect, it } from 'vitest';
import { checksums, countingWriter, doorOfApplication, lost, type Counted } from './counting-writer.ts';
import type { TestHosts } from './hosts.ts';

const [primary, replica] = ['web2', 'web3'] as const;

/** What a server answers a proxy: `200 yes`, or 503 and why not. */
export async function answer(hosts: TestHosts, host: string, path: string): Promise<string> {
  const script = `exec 3<>/dev/tcp/${hosts.address(host)}/9200
printf 'GET ${path} HTTP/1.1\\r\\nHost: any\\r\\n\\r\\n' >&3
cat <&3`;
  const text = await hosts.shell('web1', `timeout 5 bash -c "$(cat)"`, script);
  return `${/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? ''} ${text.trim().split('\n').at(-1) ?? ''}`;
}

/** Which server answers at a port of the proxy, asked over TLS with its certificate and name verified. */
export async function behind(hosts: TestHosts, port: number): Promise<string> {
  const { stdout, stderr } = await hosts.ssh(
    primary,
    `. /srv/visits/environment
MYSQL_PWD=$DATABASE_PASSWORD timeout 5 mysql --no-defaults --host=127.0.0.1 --port=${port} --user="$DATABASE_USER" \\
  --ssl-mode=VERIFY_IDENTITY --ssl-ca="$DATABASE_CA" -BNe 'SELECT @@hostname'`,
  );
  return stdout.trim() || stderr.trim();
}

const eventually = (read: () => Promise<string>) => expect.poll(read, { timeout: 30_000, interval: 200 });

const sql = (hosts: TestHosts, host: string, statement: string): Promise<string> =>
  hosts.shell(host, 'mysql --no-defaults -BN', `${statement};\n`);

async function nothingLost(hosts: TestHosts, counted: Counted): Promise<void> {
  expect(await lost(hosts, primary, counted)).toEqual([]);
  // Visits of the application may go on.
  const both = () => Promise.all([primary, replica].map((host) => checksums(hosts, host)));
  await eventually(async () =>
    new Set(await both()).size === 1 ? 'equal' : (await both()).join(' and '),
  ).toBe('equal');
}

/** How the applications of the whole site reach its databases, which are there when this runs. */
export function describeDatabaseProxy(site: () => TestHosts): void {
  describe('the way to the databases', () => {
    it('leads to the server that says of itself what it may be used for', async () => {
      const hosts = site();
      expect(await answer(hosts, primary, '/writer')).toBe('200 yes');
      expect(await answer(hosts, primary, '/replica')).toBe('503 it takes writes');
      expect(await answer(hosts, replica, '/writer')).toBe('503 it is read-only');
      expect(await answer(hosts, replica, '/replica')).toBe('200 yes');
      expect(await answer(hosts, replica, '/')).toMatch(/^404 /);
      expect(await behind(hosts, 3307)).toBe(primary);
      expect(await behind(hosts, 3308)).toBe(replica);
    });

    it('reads from the server that takes writes while the replica follows no more', async () => {
      const hosts = site();
      await sql(hosts, replica, 'STOP REPLICA');
      await eventually(() => answer(hosts, replica, '/replica')).toMatch(/^503 it /);
      await eventually(() => behind(hosts, 3308)).toBe(primary);
      await sql(hosts, replica, 'START REPLICA');
      await eventually(() => behind(hosts, 3308)).toBe(replica);
    });

    it('is no process of a balancer, and a reload of it ends no connection', async () => {
      const hosts = site();
      const own = 'systemctl show -P MainPID haproxy';
      const balancer = await hosts.shell('web1', own);
      expect(Number(balancer)).toBeGreaterThan(0);
      expect((await hosts.shell(primary, own)).trim()).toBe('0');
      const writer = await countingWriter(hosts, await doorOfApplication(hosts, 'web1'));
      await eventually(async () => String((await writer.count()) > 20)).toBe('true');
      await hosts.shell('web1', 'systemctl reload haproxy-mysql');
      const before = await writer.count();
      await eventually(async () => String((await writer.count()) > before + 20)).toBe('true');
      const counted = await writer.stop();
      expect(counted.errors).toEqual({});
      expect(await hosts.shell('web1', own)).toBe(balancer);
      await nothingLost(hosts, counted);
    });

    it.each([
      ['is killed', 'kill -9 "$(pidof mysqld)"'],
      ['is stopped and started again', 'systemctl restart mysql'],
    ])('loses no acknowledged write when the server %s', async (_what, event) => {
      const hosts = site();
      const writer = await countingWriter(hosts, await doorOfApplication(hosts, 'web1'));
      await eventually(async () => String((await writer.count()) > 20)).toBe('true');
      await hosts.shell(primary, event);
      await eventually(() => answer(hosts, primary, '/writer')).toBe('200 yes');
      const before = await writer.count();
      await eventually(async () => String((await writer.count()) > before + 20)).toBe('true');
      const counted = await writer.stop();
      expect(Object.keys(counted.errors)).not.toEqual([]);
      await nothingLost(hosts, counted);
    });
  });
}
