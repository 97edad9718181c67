import { connect as connectHttp2 } from 'node:http2';
import { Agent, get } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import haproxy from '../../roles/haproxy/role.ts';
import { balancerSite, domain, hastyAuthority, type BalancerSite } from './balancer-site.ts';
import { ofType, resourcesOf } from '../../src/testing/index.ts';
import { bridgeName, hostAddresses, labSettings } from '../../src/lab/settings.ts';
import { run } from './hosts.ts';
import { visitDoor, type Response } from './visit.ts';

const name = 'balancer';
const subnet = '10.213.103';

const settings = labSettings({ HOSTWRIGHT_LAB: name, HOSTWRIGHT_LAB_SUBNET: subnet });

let site: BalancerSite;

const visit = (path: string): Promise<Response> =>
  visitDoor({ domain, address: site.hosts.address('web1'), root: site.root }, { path });

/** Script of a user without any right; gives its status and what it said. */
async function asNobody(script: string): Promise<string> {
  const quoted = script.replaceAll("'", `'\\''`);
  return await site.shell(
    `cd /var/tmp && setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/var/tmp/nobody sh -c '${quoted}' 2>&1; echo "status $?"`,
  );
}

const serial = async (): Promise<string> =>
  await site.shell('openssl x509 -in /etc/haproxy/certs/site.pem -noout -serial');

beforeAll(async () => {
  site = await balancerSite(name, subnet);
  const apply = await site.apply();
  expect(apply.code, `${apply.stdout}${apply.stderr}`).toBe(0);
});

afterAll(async () => {
  await site.down();
});

describe('the certificate of the site', () => {
  it('is issued, and nothing is left to do', async () => {
    expect((await visit('/')).status).toBe(200);
    const plan = await site.plan();
    expect(plan.code, plan.stdout).toBe(0);
  });

  it('is for the account of the site alone, whichever ports others take', async () => {
    const asking = `mkdir -p nobody && lego --accept-tos --email nobody@foobar.com --server ${site.directory} --path nobody/lego \\
      --domains ${domain} --http --http.port 127.0.0.1:8402 run`;
    await site.shell('install -d -o nobody /var/tmp/nobody');
    const answer = await asNobody(asking);
    expect(answer).toContain('urn:ietf:params:acme:error:unauthorized');
    expect(answer).not.toContain('status 0');
    expect(await site.shell('find /var/tmp/nobody -name "*.crt"')).toBe('');
  });

  it('is renewed while somebody holds every port that was ever used for it', async () => {
    const before = await serial();
    await site.shell(
      `systemd-run --quiet --unit=holder --uid=nobody socat TCP-LISTEN:8402,bind=127.0.0.1,fork SYSTEM:'echo HTTP/1.0 200'`,
    );
    await site.shell('/usr/local/sbin/hostwright-certificate --force 2>&1; systemctl stop holder');
    expect(await serial()).not.toBe(before);
  });

  it('takes up the key of the site where a host had an account of its own, and asks for no certificate', async () => {
    const before = await serial();
    const account = '/var/lib/hostwright/certificate/lego/accounts/*/*';
    await site.shell(
      `openssl ecparam -name prime256v1 -genkey -noout -out $(ls ${account}/keys/*.key); rm /etc/hostwright/acme-account.key`,
    );
    const apply = await site.apply();
    expect(apply.code, apply.stdout).toBe(0);
    expect(await serial()).toBe(before);
    await site.shell('/usr/local/sbin/hostwright-certificate --force 2>&1');
    expect(await serial()).not.toBe(before);
    await site.shell(`cmp ${account}/keys/*.key /etc/hostwright/acme-account.key`);
  });

  it('of a CA that gives nothing of use changes nothing, and is no certificate of that CA', async () => {
    const before = await serial();
    const hasty = await hastyAuthority(name, subnet);
    try {
      await expect.poll(hasty.answers, { timeout: 10_000 }).toBe(true);
      const apply = await site.apply({ acme_directory: hasty.directory });
      expect(apply.code).toBe(1);
      expect(apply.stdout).toMatch(/the CA issued a certificate that (has run out|runs out soon)/);
      expect(await serial()).toBe(before);
      const plan = await site.plan({ acme_directory: hasty.directory });
      expect(plan.code, plan.stdout).toBe(2);
      expect(plan.stdout).toContain(`"name":"directory","from":"${site.directory}"`);
    } finally {
      await hasty.end();
    }
    expect((await site.apply()).code).toBe(0);
    expect(await serial()).toBe(before);
  });
});

describe('the application', () => {
  it('can take no port but its own', async () => {
    for (const port of [8402, 9090, 33_060]) {
      expect((await visit(`/bind?${port}`)).body).toContain('Operation not permitted');
    }
    // One that the kernel chooses, as clients do.
    expect((await visit('/bind?0')).body).toBe('taken');
  });
});

/** The first lines of what is answered on 80 or 443 to a request that is sent as it is. */
function answer(port: 80 | 443, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const host = site.hosts.address('web1');
    const socket: Socket =
      port === 80
        ? connectTcp({ host, port })
        : connectTls({ host, port, servername: domain, ca: site.root, ALPNProtocols: ['http/1.1'] });
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.write(request);
  });
}

const statusOf = (text: string): number => Number(/^HTTP\/1\.[01] (\d{3}) /.exec(text)?.[1]);

/** The statuses of requests for one page each, by HTTP/2 in one connection, all at once. */
async function overHttp2(paths: readonly string[], authority = domain): Promise<readonly number[]> {
  const session = connectHttp2(`https://${site.hosts.address('web1')}`, {
    servername: domain,
    ca: site.root,
  });
  const statuses = await Promise.all(
    paths.map(
      (path) =>
        new Promise<number>((resolve, reject) => {
          const stream = session.request({ ':path': path, ':authority': authority });
          stream.on('response', (headers) => resolve(headers[':status'] ?? 0));
          stream.on('error', reject);
          stream.resume();
          stream.end();
        }),
    ),
  );
  session.close();
  return statuses;
}

const page = Array.from({ length: 200 }, (_, index) => `/resource-${index}`);

/** The same by HTTP/1.1, in six connections as browsers have them. */
async function overHttp1(paths: readonly string[]): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 6 });
  const door = { domain, address: site.hosts.address('web1'), root: site.root };
  const responses = await Promise.all(paths.map((path) => visitDoor(door, { path, agent })));
  agent.destroy();
  return responses.map(({ status }) => status);
}

describe('the names that are asked for', () => {
  const stranger = 421;
  it.each([
    ['the name', domain, 301, 200],
    ['the name in capitals', 'WWW.FooBar.COM', 301, 200],
    ['the name with a port', `${domain}:443`, 301, 200],
    ['the name with the dot of the root', `${domain}.`, 301, 200],
    ['another name', 'www.example.org', stranger, stranger],
    ['a name above', 'foobar.com', stranger, stranger],
    ['a name below', `a.${domain}`, stranger, stranger],
    ['a name that begins so', `${domain}.example.org`, stranger, stranger],
    ['a name that a dot in a pattern would match', 'wwwxfoobar.com', stranger, stranger],
    ['no name', '', stranger, stranger],
    ['an address', '10.213.103.11', stranger, stranger],
    ['an address of IPv6', '[::1]:443', stranger, stranger],
  ])('%s', async (_, host, onHttp, onHttps) => {
    const request = `GET /x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    expect(statusOf(await answer(80, request))).toBe(onHttp);
    const https = await answer(443, request);
    expect(statusOf(https)).toBe(onHttps);
    if (onHttps === 200) expect(https.endsWith(`\r\n\r\n${domain}`)).toBe(true);
    if (host !== '') expect(await overHttp2(['/x'], host)).toEqual([onHttps]);
  });

  it.each([80, 443] as const)('none at all, and two at once, on %i', async (port) => {
    expect(statusOf(await answer(port, 'GET / HTTP/1.0\r\n\r\n'))).toBe(stranger);
    const two = `GET http://www.example.org/ HTTP/1.1\r\nHost: ${domain}\r\nConnection: close\r\n\r\n`;
    expect([400, stranger]).toContain(statusOf(await answer(port, two)));
  });

  it('lead from http to https without the port of http', async () => {
    const request = `GET /x?y=1 HTTP/1.1\r\nHost: ${domain}:80\r\nConnection: close\r\n\r\n`;
    expect(await answer(80, request)).toContain(`location: https://${domain}/x?y=1\r\n`);
  });
});

/** The command by which the role reloads HAProxy. */
function reloading(): string {
  const [service] = ofType(resourcesOf(haproxy, { variables: { domain } }), 'service');
  const { reload } = z.object({ reload: z.array(z.string()) }).parse(service);
  return reload.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

describe('a reload', () => {
  it('is done when no previous worker accepts connections any more', async () => {
    await site.shell(`worker() {
  echo 'show proc' | socat - UNIX-CONNECT:/run/haproxy-master.sock | awk '/^# old/ { exit } $2 == "worker" { print $1 }'
}
previous=$(worker)
kill -STOP "$previous"
{
  until new=$(worker) && [ -n "$new" ] && [ "$new" != "$previous" ]; do sleep 0.1; done
  sleep 3
  touch /run/previous-worker.goes-on
  kill -CONT "$previous"
} >/dev/null 2>&1 &
${reloading()}
test -e /run/previous-worker.goes-on`);
  });
});

describe('a web server that is taken out of service', () => {
  /** `UP`, `NOLB`, `DOWN`, as HAProxy sees the server web1. */
  const seen = async (): Promise<string> =>
    (
      await site.shell(
        `echo 'show stat' | socat - UNIX-CONNECT:/run/haproxy/admin.sock | awk -F, '$1 == "web" && $2 == "web1" { print $18 }'`,
      )
    ).trim();

  it('is not the last one, unless somebody says so', async () => {
    const drain = await site.act('drain');
    expect(drain.code, drain.stdout).toBe(4);
    expect(drain.stdout).toContain('--last');
    expect(await seen()).toBe('UP');
  });

  it('ends what it has in hand, gets nothing new, and serves again', async () => {
    const before = visit('/wait?4');
    const drain = await site.act('drain', '--last');
    expect(drain.code, drain.stdout).toBe(0);
    expect((await before).status).toBe(200);
    expect(await seen()).toBe('NOLB');
    expect((await visit('/')).status).toBe(503);
    const undrain = await site.act('undrain');
    expect(undrain.code, undrain.stdout).toBe(0);
    await expect.poll(seen, { timeout: 10_000 }).toBe('UP');
    expect((await visit('/')).status).toBe(200);
    expect(await site.shell('systemctl list-units --all --no-legend "hostwright-drain-*"')).toBe('');
  });

  it('serves again by itself', async () => {
    await site.act('drain', '--last', '--minutes', '1');
    // The timer in the place of the minute.
    await site.shell('systemctl start hostwright-drain-web.service');
    await expect.poll(seen, { timeout: 10_000 }).toBe('UP');
  });
});

describe('what one address may do', () => {
  it('is enough for pages with 200 resources', async () => {
    const all = page.map(() => 200);
    expect(await overHttp2(page)).toEqual(all);
    expect(await overHttp1(page)).toEqual(all);
  });

  it('is limited in requests, but not for hosts of the site, and only for some seconds', async () => {
    const apply = await site.apply({ haproxy_max_requests_per_address: 100 });
    expect(apply.code, apply.stdout).toBe(0);
    const statuses = await overHttp2(page);
    expect(statuses.filter((status) => status === 200)).toHaveLength(100);
    expect(statuses.filter((status) => status === 429)).toHaveLength(100);
    const refused = `GET / HTTP/1.1\r\nHost: ${domain}\r\nConnection: close\r\n\r\n`;
    expect(await answer(443, refused)).toMatch(/^HTTP\/1.1 429 [^]*\r\nretry-after: 10\r\n/);
    const own = await site.shell(
      `printf 'GET / HTTP/1.0\\r\\nHost: ${domain}\\r\\n\\r\\n' | openssl s_client -quiet -connect ${site.hosts.address('web1')}:443 -servername ${domain} 2>/dev/null`,
    );
    expect(statusOf(own)).toBe(200);
    await expect.poll(async () => (await visit('/')).status, { timeout: 30_000, interval: 1000 }).toBe(200);
  });

  it('is limited in connections', async () => {
    const apply = await site.apply({ haproxy_max_connections_per_address: 5 });
    expect(apply.code, apply.stdout).toBe(0);
    // 80 and 443 count together.
    const sockets = Array.from({ length: 8 }, (_, index) =>
      connectTcp({ host: site.hosts.address('web1'), port: index % 2 === 0 ? 80 : 443 }),
    );
    let closed = 0;
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.on('close', () => (closed += 1));
    }
    await expect.poll(() => closed, { timeout: 5000 }).toBe(3);
    await expect(visit('/')).rejects.toThrow();
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => visit('/').then(({ status }) => status, String), { timeout: 10_000 }).toBe(200);
  });

  it('is for a whole network of 64 bits of IPv6', async () => {
    const apply = await site.apply({ haproxy_max_requests_per_address: 100 });
    expect(apply.code, apply.stdout).toBe(0);
    const { address6 } = hostAddresses(settings, 1);
    const own = [1, 2].map((number) => address6.replace(/[^:]+$/, `64:${number}`));
    for (const one of own) {
      await run('ip', ['-6', 'address', 'add', `${one}/64`, 'dev', bridgeName(settings), 'nodad']);
    }
    const from = (localAddress: string | undefined): Promise<number> =>
      new Promise((resolve, reject) => {
        get(
          {
            ...{ host: address6, localAddress, servername: domain, ca: site.root, agent: false },
            headers: { host: domain },
          },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        ).on('error', reject);
      });
    const first = await Promise.all(page.slice(0, 120).map(() => from(own[0])));
    expect(first.filter((status) => status === 429)).toHaveLength(20);
    expect(await from(own[1])).toBe(429);
    expect((await site.apply()).code).toBe(0);
  });
});
