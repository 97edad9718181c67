import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { names, visitors, webServersSite, type Answer, type WebServersSite } from './web-servers-site.ts';

/** What is particular to each web server; all the rest is the same for all. */
const servers = {
  nginx: {
    unit: 'nginx',
    log: '/var/log/nginx/access.log',
    port: 9113,
    requests: /^nginx_http_requests_total (\d+)/,
  },
  apache: {
    unit: 'apache2',
    log: '/var/log/apache2/access.log',
    port: 9117,
    requests: /^apache_accesses_total (\d+)/,
  },
  caddy: {
    unit: 'caddy',
    log: '/var/log/caddy/access.log',
    port: 9118,
    requests: /^caddy_http_requests_total\{handler="reverse_proxy",.*\} (\d+)/,
  },
} as const;

type Name = keyof typeof servers;
const kinds = Object.keys(servers) as Name[];

let site: WebServersSite;

/** In each round each host has another web server than in the one before. */
const rounds = kinds.map((_, round) => ({
  round,
  parts: names.map((host, index) => {
    const name = kinds[(index + round) % kinds.length] ?? 'nginx';
    return { host, name, ...servers[name] };
  }),
}));

/** As the balancer sees it: `UP`, `NOLB`, `DOWN`. */
const seen = async (host: string): Promise<string> =>
  (
    await site.hosts.shell(
      'web1',
      `echo 'show stat' | socat - UNIX-CONNECT:/run/haproxy/admin.sock | awk -F, '$1 == "web" && $2 == "${host}" { print $18 }'`,
    )
  ).trim();

/** What the application was asked. */
function asked({ body }: Answer) {
  const { headers, ...rest } = JSON.parse(body) as {
    readonly path: string;
    readonly method: string;
    readonly bytes: number;
    readonly headers: Readonly<Record<string, string>>;
  };
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { ...rest, headers: Object.fromEntries(named) };
}

/** The attributes of an object and of those in it, by their own names; a list of one is what it holds. */
function flat(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, found]: [string, unknown]): [string, unknown][] => {
      const one: unknown = Array.isArray(found) && found.length === 1 ? found[0] : found;
      return typeof one === 'object' && one !== null ? Object.entries(flat(one)) : [[name, one]];
    }),
  );
}

beforeAll(async () => {
  site = await webServersSite('webservers', '10.213.152', 'bookworm,trixie,forky');
});

afterAll(async () => {
  await site.down();
});

describe.each(rounds)('round $round', ({ round, parts }) => {
  beforeAll(async () => {
    for (const { host, name } of parts) await site.set(host, { web_server: name });
    const load = round === 0 ? undefined : visitors(site);
    const apply = await site.hostwright('apply', '--yes', '--json', '--no-diff');
    const { asked: count, failed } = (await load?.stop()) ?? { asked: 0, failed: [] };
    expect(apply.code, `${apply.stdout}${apply.stderr}`).toBe(0);
    console.log(`round ${round}: ${count} requests, ${failed.length} failed`);
    expect(failed).toEqual([]);
    for (const { host } of parts)
      await vi.waitUntil(async () => (await seen(host)) === 'UP', { timeout: 10_000 });
  });

  it('leaves nothing to do', async () => {
    const plan = await site.hostwright('plan', '--json');
    expect(plan.code, plan.stdout).toBe(0);
  });

  describe.each(parts)('$name on $host', ({ host, name, unit, log, port, requests }) => {
    const ask: (question: Parameters<WebServersSite['ask']>[1]) => Promise<Answer> = (question) =>
      site.ask(host, { as: 'haproxy', ...question });

    it('runs alone, and others do not come back with the next boot', async () => {
      for (const other of Object.values(servers)) {
        const isOwn = other.unit === unit;
        const said = await site.hosts.ssh(
          host,
          `systemctl is-active ${other.unit}; systemctl is-enabled ${other.unit} 2>/dev/null; ls -d /etc/systemd/system/${other.unit}.service.d 2>/dev/null`,
        );
        if (isOwn) expect(said.stdout).toMatch(/^active\nenabled\n\/etc/);
        else expect(said.stdout).toMatch(/^inactive\n(disabled\n|not-found\n)?$/);
      }
      expect(await site.hosts.shell(host, 'systemctl list-units --failed --no-legend --plain')).toBe('');
    });

    it('lets in the balancer alone', async () => {
      expect((await ask({})).status).toBe(200);
      expect((await ask({ as: 'nginx' })).status).toBe(403);
      const without = await site.ask(host, {}).then(
        ({ status }) => status,
        () => 'refused',
      );
      expect([400, 'refused']).toContain(without);
    });

    it('tells the application who asks, and believes nobody but the balancer', async () => {
      const claims = {
        'x-forwarded-for': '203.0.113.7',
        'x-real-ip': '203.0.113.7',
        'x-forwarded-proto': 'https',
      };
      const own = '10.213.152.1';
      const { headers, path } = asked(await ask({ path: '/a%2fb?c=d%20e', headers: claims }));
      expect(path).toBe('/a%2fb?c=d%20e');
      expect(headers).toMatchObject({
        ...{ host: 'www.foobar.com', 'x-forwarded-host': 'www.foobar.com', 'x-forwarded-proto': 'https' },
        ...{ 'x-forwarded-for': own, 'x-real-ip': own },
      });
      const through = asked(await site.visit({ headers: claims }));
      expect(through.headers).toMatchObject({ 'x-forwarded-for': own, 'x-forwarded-proto': 'https' });
    });

    it('adds its headers, and hides what the application runs on', async () => {
      const { headers } = await ask({});
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'referrer-policy': 'strict-origin-when-cross-origin',
      });
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(String(headers['server'])).not.toMatch(/python|\d/i);
    });

    it('compresses files and no pages', async () => {
      const headers = { 'accept-encoding': 'gzip', 'x-long': 'x'.repeat(1000) };
      expect((await ask({ path: '/a.js', headers })).headers['content-encoding']).toBe('gzip');
      expect((await ask({ path: '/a', headers })).headers).not.toHaveProperty('content-encoding');
    });

    it('takes a body of 8 MiB and no larger one', async () => {
      const mebibytes = 8 * 1024 ** 2;
      expect(asked(await ask({ body: Buffer.alloc(mebibytes) })).bytes).toBe(mebibytes);
      const larger = await ask({ body: Buffer.alloc(mebibytes + 1) }).then(({ status }) => status, String);
      // Some say so and close while the body is still being sent.
      expect(String(larger)).toMatch(/^(413|Error: (write EPIPE|(read|write) ECONNRESET))$/);
      expect((await ask({})).status).toBe(200);
    });

    it('says how it is', async () => {
      const health = async (): Promise<number> => (await ask({ path: '/healthz' })).status;
      const at = async (script: string): Promise<number> => {
        await site.hosts.shell(host, script);
        return await health();
      };
      expect(await health()).toBe(200);
      expect(await at('touch /var/lib/app/missing')).toBe(502);
      expect(await at('touch /run/hostwright-drain/web')).toBe(404);
      expect((await ask({})).status).toBe(200);
      expect(await at('rm /run/hostwright-drain/web /var/lib/app/missing')).toBe(200);
      expect([502, 503]).toContain(await at('systemctl stop app'));
      await site.hosts.shell(host, 'systemctl start app');
      await expect.poll(health, { timeout: 10_000 }).toBe(200);
      await expect.poll(() => seen(host), { timeout: 10_000 }).toBe('UP');
    });

    it('is taken out of service by its own name, and ends what it has in hand', async () => {
      const other = kinds.find((one) => one !== name);
      const refused = await site.hostwright('do', other ?? '', 'drain', host, '--yes', '--json');
      expect(refused.stdout).toContain(`hostwright do ${name} drain ${host}`);
      expect(refused.code).toBe(1);
      const before = ask({ path: '/wait?5' });
      const drain = await site.hostwright('do', name, 'drain', host, '--yes', '--json');
      expect(drain.code, drain.stdout).toBe(0);
      expect((await before).status).toBe(200);
      expect(await seen(host)).toBe('NOLB');
      const undrain = await site.hostwright('do', name, 'undrain', host, '--yes', '--json');
      expect(undrain.code, undrain.stdout).toBe(0);
      await expect.poll(() => seen(host), { timeout: 10_000 }).toBe('UP');
    });

    it('writes each request as JSON, and no health checks', async () => {
      const agent = `a "b" \\c \\x41 ${Buffer.from('é').toString('latin1')}`;
      await ask({ path: '/log?x=1', headers: { 'user-agent': agent, referer: 'https://example.org/' } });
      await site.visit({ path: '/through' });
      const lines = async (): Promise<readonly Record<string, unknown>[]> =>
        (await site.hosts.shell(host, `tail -n 400 ${log}`))
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => flat(JSON.parse(line) as object));
      await expect
        .poll(async () => (await lines()).filter(({ uri }) => uri === '/log?x=1').length)
        .toBeGreaterThan(0);
      const all = await lines();
      expect(all.findLast(({ uri }) => uri === '/log?x=1')).toMatchObject({
        ...{
          method: 'GET',
          host: 'www.foobar.com',
          protocol: 'HTTP/1.1',
          status: 200,
          balancer: '10.213.152.1',
        },
        ...{ referer: 'https://example.org/' },
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/) as unknown,
        bytes: expect.any(Number) as unknown,
        request_time: expect.any(Number) as unknown,
        agent: expect.stringMatching(/^a "b" \\c \\x41 ./) as unknown,
      });
      expect(all.filter(({ uri }) => uri === '/healthz')).toEqual([]);
      const own = all.filter(({ balancer }) => balancer === site.hosts.address('web1'));
      expect(own.every(({ client }) => client === '10.213.152.1')).toBe(true);
    });

    it('counts its requests for the monitoring server alone', async () => {
      const count = async (): Promise<number> => {
        const { body } = await site.ask(host, { as: 'prometheus', port, path: '/metrics' });
        const found = body.split('\n').flatMap((line) => requests.exec(line)?.[1] ?? []);
        return found.reduce((sum, one) => sum + Number(one), 0);
      };
      // The exporter of nginx of Debian 12 cannot ask for a certificate.
      if (port !== 9113 || host !== 'web1')
        await expect(site.ask(host, { port, path: '/metrics' })).rejects.toThrow();
      const before = await count();
      for (let one = 0; one < 40; one += 1) await ask({});
      const counted = (await count()) - before;
      expect(counted).toBeGreaterThanOrEqual(40);
      // Health checks, and the questions of the exporter.
      expect(counted).toBeLessThan(60);
    });

    it('is confined', async () => {
      const said = await site.hosts.shell(host, `systemd-analyze security ${unit} | tail -n 1`);
      expect(Number(/: ([\d.]+)/.exec(said)?.[1])).toBeLessThanOrEqual(3);
    });
  });

  it('loses no request to reloads', async () => {
    const load = visitors(site);
    for (let time = 0; time < 5; time += 1)
      await Promise.all(
        parts.map(({ host, unit }) => site.hosts.shell(host, `systemctl reload ${unit}; sleep 1`)),
      );
    const { asked: count, failed } = await load.stop();
    console.log(`reloads of round ${round}: ${count} requests, ${failed.length} failed`);
    expect(failed).toEqual([]);
  });
});
