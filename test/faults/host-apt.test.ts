import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { apply, expectRecovery, linesOf } from './recovery.ts';
import { smallSite, type SmallSite } from './small-site.ts';
import { killDpkg } from './strikes.ts';
import { watch, type Watch } from './watch.ts';

let site: SmallSite;
let watched: Watch;

beforeAll(async () => {
  site = await smallSite('hostfaults', '10.213.98');
  site.want();
  const first = await apply(site);
  expect(first.code, `${first.stdout}\n${first.stderr}`).toBe(0);
});

afterAll(async () => {
  await site.down();
});

beforeEach(async () => {
  await site.shell('dpkg --purge tree >/dev/null 2>&1; apt-get clean');
  watched = watch(async () => {
    await site.served();
  });
});

/** The web server has not stopped answering, whatever happened to apt. */
afterEach(async () => {
  const { asked, failures } = await watched.stop();
  expect(failures).toEqual([]);
  expect(asked).toBeGreaterThan(0);
});

function failuresOf(finished: Parameters<typeof linesOf>[0]): readonly string[] {
  return linesOf(finished, 'result')
    .filter((line) => line['outcome'] === 'failed')
    .map((line) => `${String(line['resource'])}: ${String(line['reason'])}`);
}

async function configureApt(text: string): Promise<void> {
  await site.shell('cat >/etc/apt/apt.conf.d/zz-fault', text);
  onTestFinished(async () => {
    await site.shell('rm -f /etc/apt/apt.conf.d/zz-fault');
  });
}

/** An apt-get of somebody else that holds the locks until it is told to go on; gives its process. */
async function holdLocks(): Promise<{ readonly pid: string; readonly letGo: () => Promise<void> }> {
  await site.shell(`touch /run/hold-apt
    printf '#!/bin/sh\nwhile [ -e /run/hold-apt ]; do sleep 0.1; done\n' >/usr/local/sbin/hold-apt
    chmod 0755 /usr/local/sbin/hold-apt
    systemctl reset-failed
    systemd-run --quiet --unit=holder apt-get -y -o DPkg::Pre-Invoke::=/usr/local/sbin/hold-apt install --reinstall ncurses-term hostname`);
  const letGo = async (): Promise<void> => {
    await site.shell(
      'rm -f /run/hold-apt; timeout 60 sh -c "while systemctl is-active --quiet holder; do sleep 0.2; done"',
    );
  };
  onTestFinished(letGo);
  await site.shell('timeout 60 sh -c "until pgrep -f sbin/hold-apt; do sleep 0.1; done"');
  return { pid: (await site.shell('systemctl show -p MainPID --value holder')).trim(), letGo };
}

describe('the lock of apt', () => {
  it('is given up after the set time, with who holds it; the next run finds it free', async () => {
    await configureApt('DPkg::Lock::Timeout "15";\n');
    const { pid, letGo } = await holdLocks();
    site.want({ small_packages: ['tree'] });
    const failed = await apply(site);
    expect(failed.code, failed.stdout).toBe(1);
    const [failure, ...others] = failuresOf(failed);
    expect(others).toEqual([]);
    expect(failure).toContain('package:tree: Could not get lock');
    expect(failure).toContain(`held by process ${pid} (apt-get)`);
    await letGo();
    await expectRecovery(site);
  });

  it('is waited for, saying for whom, and taken when it is free', async () => {
    const { pid, letGo } = await holdLocks();
    site.want({ small_packages: ['tree'] });
    const applying = site.hosts.hostwright('apply', '--yes', '--no-diff', ...site.words());
    // Longer than the host waits by itself, and than a step may be silent where nobody looks on.
    await new Promise((done) => setTimeout(done, 55_000));
    await letGo();
    const applied = await applying;
    expect(applied.code, applied.stdout).toBe(0);
    expect(applied.stdout).toMatch(
      new RegExp(`web1 .*waiting: Could not get lock .*held by process ${pid} \\(apt-get\\)`),
    );
    await expectRecovery(site);
  });
});

describe('a dpkg that was killed', () => {
  it('is finished before anything else, as the plan and the report say', async () => {
    await site.shell(killDpkg.script, killDpkg.postinst);
    onTestFinished(async () => {
      await site.shell(killDpkg.cleanUp);
    });
    site.want({ small_packages: ['tree'] });
    const plan = await site.hosts.hostwright('plan', '--json', ...site.words());
    expect(linesOf(plan, 'change')).toContainEqual(
      expect.objectContaining({
        resource: 'dpkg:system',
        action: 'update',
        attributes: [
          { name: 'interrupted', from: 'true', to: 'false' },
          { name: 'unfinished', from: 'slow', to: 'none' },
        ],
      }),
    );
    const applied = await apply(site);
    expect(applied.code, applied.stdout).toBe(0);
    const [first] = linesOf(applied, 'result');
    expect(first).toMatchObject({ resource: 'dpkg:system', outcome: 'changed' });
    expect(await site.shell('dpkg --audit; dpkg-query -W slow tree')).toMatch(/^slow\t1\ntree\t.+\n$/);
    await expectRecovery(site);
  });
});

/** Answers a request for a package in the place of the mirror. */
type Fault = (answer: ServerResponse, original: IncomingMessage) => void;

/** A proxy for the host's apt on the lab's bridge that passes everything on but packages. */
async function brokenMirror(fault: Fault): Promise<Server> {
  const bridge = site.hosts.address('web1').replace(/\.\d+$/, '.1');
  const proxy = new URL((await site.shell('apt-config shell url Acquire::http::Proxy')).split("'")[1] ?? '');
  const server = createServer((incoming, answer) => {
    const outgoing = request(
      {
        host: proxy.hostname,
        port: proxy.port,
        path: incoming.url,
        method: incoming.method,
        headers: incoming.headers,
      },
      (original) => {
        if (incoming.url?.endsWith('.deb') === true) {
          fault(answer, original);
          return;
        }
        answer.writeHead(original.statusCode ?? 502, original.headers);
        original.pipe(answer);
      },
    );
    outgoing.on('error', () => answer.destroy());
    answer.on('close', () => outgoing.destroy());
    outgoing.end();
  });
  await new Promise<void>((done) => server.listen(0, bridge, done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await configureApt(
    `Acquire::http::Proxy "http://${bridge}:${port}";\nAcquire::http::Timeout "3";\nAcquire::Retries "1";\n`,
  );
  return server;
}

const mirrors: readonly { readonly name: string; readonly fault: Fault; readonly words: RegExp }[] = [
  {
    name: 'answers with an error of its own',
    fault: (answer) => answer.writeHead(500).end(),
    words: /500 {2}Internal Server Error/,
  },
  {
    name: 'does not have the package',
    fault: (answer) => answer.writeHead(404).end(),
    words: /404 {2}Not Found/,
  },
  {
    name: 'gives another package than it should',
    fault: (answer, original) => {
      original.resume();
      const length = Number(original.headers['content-length'] ?? 1000);
      answer.writeHead(200, { 'content-length': length }).end(Buffer.alloc(length, 'x'));
    },
    words: /Hash Sum mismatch/,
  },
  {
    name: 'breaks off in the middle',
    fault: (answer, original) => {
      answer.writeHead(200, original.headers);
      original.once('data', (chunk: Buffer) => {
        answer.write(chunk.subarray(0, 100), () => answer.destroy());
      });
    },
    words: /Connection (failed|reset|closed)|Undetermined Error|unexpected/i,
  },
  {
    name: 'falls silent',
    fault: (answer, original) => {
      original.resume();
      answer.writeHead(200, original.headers);
      answer.flushHeaders();
    },
    words: /timed out/i,
  },
];

describe('a mirror that', () => {
  it.each(mirrors)('$name', async ({ fault, words }) => {
    const server = await brokenMirror(fault);
    site.want({ small_packages: ['tree'] });
    const failed = await apply(site);
    expect(failed.code, failed.stdout).toBe(1);
    const [failure, ...others] = failuresOf(failed);
    expect(others).toEqual([]);
    expect(failure).toMatch(/^package:tree: /);
    expect(failure).toMatch(words);
    expect(await site.shell('dpkg --audit; dpkg-query -W tree 2>&1 || true')).toContain('no packages found');
    server.closeAllConnections();
    server.close();
    await site.shell('rm /etc/apt/apt.conf.d/zz-fault');
    await expectRecovery(site);
    await site.shell('command -v tree');
  });

  it('is slow is waited for', async () => {
    await brokenMirror((answer, original) => {
      answer.writeHead(200, original.headers);
      const chunks: Buffer[] = [];
      original.on('data', (chunk: Buffer) => chunks.push(chunk));
      original.on('end', () => {
        const body = Buffer.concat(chunks);
        const pieces = 6;
        const size = Math.ceil(body.length / pieces);
        const send = (index: number): void => {
          answer.write(body.subarray(index * size, (index + 1) * size));
          if (index + 1 < pieces) setTimeout(() => send(index + 1), 1000);
          else answer.end();
        };
        send(0);
      });
    });
    site.want({ small_packages: ['tree'] });
    const applied = await apply(site);
    expect(applied.code, applied.stdout).toBe(0);
    await expectRecovery(site);
  });
});
