import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { oneHostSite, type OneHostSite } from './one-host-site.ts';
import { apply, expectRecovery, linesOf } from './recovery.ts';
import { unhealthyRelease } from './unhealthy-release.ts';
import { watch, type Watch } from './watch.ts';

let site: OneHostSite;
let watched: Watch;

beforeAll(async () => {
  site = await oneHostSite('hostfaults', '10.213.98');
  const first = await apply(site);
  expect(first.code, `${first.stdout}\n${first.stderr}`).toBe(0);
  // The balancer does its first health checks.
  await vi.waitFor(() => site.visit(), { timeout: 30_000 });
});

afterAll(async () => {
  await site.down();
});

beforeEach(() => {
  watched = watch(() => site.visit());
});

/** One apply of the mended site brings everything back, and no visitor has noticed anything. */
async function expectMended(): Promise<void> {
  await site.mend();
  await expectRecovery(site);
  await site.visit();
}

afterEach(async () => {
  await watched.stop();
  await site.mend();
});

const services = [
  ...['haproxy', 'nginx', 'mysql', 'visits', 'ssh', 'prometheus', 'prometheus-alertmanager'],
  'prometheus-blackbox-exporter',
];

/** The bytes of all configurations, and since when which process runs. */
async function live(): Promise<string> {
  const trees = '/etc/haproxy /etc/nginx /etc/ssh /etc/sudoers /etc/sudoers.d /etc/mysql /etc/prometheus';
  return await site.shell(`
    find ${trees} /etc/alertmanager /etc/blackbox -type f | sort | xargs sha256sum
    systemctl show -p Id,ActiveState,MainPID,ExecMainStartTimestamp ${services.join(' ')}`);
}

function reasonsOf(finished: Parameters<typeof linesOf>[0]): readonly string[] {
  return [
    ...new Set(
      linesOf(finished, 'result')
        .filter((line) => line['outcome'] === 'failed')
        .map((line) => String(line['reason'])),
    ),
  ];
}

/** What is written wrong, in which template, after which line, and how the service's own check puts it. */
const wrong = [
  {
    service: 'haproxy, a keyword',
    template: 'haproxy/haproxy.cfg.hbs',
    line: '    timeout conect 3s',
    after: '    mode http',
    said: "'timeout' supports 'client', 'server', 'connect'",
  },
  {
    service: 'haproxy, inside a loop',
    template: 'haproxy/haproxy.cfg.hbs',
    line: '    bindd :9',
    after: '    bind {{address}}:80{{options}}',
    said: "unknown keyword 'bindd'",
  },
  {
    service: 'nginx, a directive of the site',
    template: 'nginx/app.conf.hbs',
    line: 'rooot /srv;',
    after: undefined,
    said: 'unknown directive "rooot"',
  },
  {
    service: 'nginx, a directive of the main file',
    template: 'nginx/nginx.conf.hbs',
    line: 'worker_prioritty 1;',
    after: undefined,
    said: 'unknown directive "worker_prioritty"',
  },
  {
    service: 'sshd',
    template: 'base/sshd.conf.hbs',
    line: 'X11Forwording no',
    after: 'LoginGraceTime 30',
    said: 'Bad configuration option: X11Forwording',
  },
  {
    service: 'sudoers',
    template: 'base/sudoers.hbs',
    line: 'root ALL=(ALL',
    after: undefined,
    said: 'syntax error',
  },
  {
    service: 'prometheus',
    template: 'monitoring_server/prometheus.yml.hbs',
    line: '  scrape_intervall: 3s',
    after: 'global:',
    said: 'field scrape_intervall not found',
  },
  {
    service: 'a rule of prometheus',
    template: 'monitoring_server/alerts.yml.hbs',
    line: '      - { alert: Broken, expr: "sum(" }',
    after: '    rules:',
    said: 'could not parse expression',
  },
  {
    service: 'alertmanager',
    template: 'monitoring_server/alertmanager.yml.hbs',
    line: '  group_wayt: 30s',
    after: '  group_wait: 30s',
    said: 'field group_wayt not found',
  },
  {
    service: 'blackbox exporter',
    template: 'monitoring_server/blackbox.yml.hbs',
    line: '    probber: http',
    after: /^ {2}\w+:$/,
    said: 'field probber not found',
  },
  {
    service: 'mysql',
    template: 'mysql/mysql.cnf.hbs',
    line: 'local_infill = OFF',
    after: 'local_infile = OFF',
    said: "unknown variable 'local_infill=OFF'",
  },
] as const;

/** The text with a line more: after the first one that is `after`, else at the end. */
function withLine(text: string, line: string, after: string | RegExp | undefined): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const at = lines.findIndex((one) => (typeof after === 'string' ? one === after : after?.test(one)));
  return [...(at === -1 ? lines : lines.slice(0, at + 1)), line, ...(at === -1 ? [] : lines.slice(at + 1))]
    .map((one) => `${one}\n`)
    .join('');
}

describe('a configuration that is wrong never goes live', () => {
  it.each(wrong)('$service', async ({ template, line, after, said }) => {
    const before = await live();
    const own = await site.template(template, (text) => withLine(text, line, after));
    const number = (await readFile(own, 'utf8')).split('\n').indexOf(line) + 1;
    const failed = await apply(site);
    expect(failed.code).toBe(1);
    const [reason, ...others] = reasonsOf(failed);
    expect(others).toEqual([]);
    expect(reason, `${failed.stdout}\n${failed.stderr}`).toBeDefined();
    expect(reason).toContain(said);
    expect(reason).toContain(`comes from ${own}:${number}`);
    expect(await live()).toBe(before);
    await expectMended();
    expect((await watched.stop()).failures).toEqual([]);
    expect(await live()).toBe(before);
  });
});

/** Keeps a port from whoever wants it next. */
async function takePort(port: number): Promise<void> {
  await site.shell(`systemd-run --quiet --unit=taker --socket-property=ListenStream=${port} true`);
}

async function files(): Promise<string> {
  return await site.shell(
    'cd /etc && find haproxy nginx mysql ssh -type f | sort | xargs sha256sum; readlink /srv/visits/current',
  );
}

describe('a configuration that is valid but does not work is taken back', () => {
  afterEach(async () => {
    await site.shell('systemctl stop taker.socket 2>/dev/null; systemctl reset-failed');
  });

  /** It fails, says why and that it was taken back, and everything is there and runs as before. */
  async function expectTakenBack(...said: readonly string[]): Promise<void> {
    const before = await files();
    const failed = await apply(site);
    expect(failed.code, failed.stdout).toBe(1);
    const [reason, ...others] = reasonsOf(failed);
    expect(others).toEqual([]);
    expect(reason, `${failed.stdout}\n${failed.stderr}`).toBeDefined();
    for (const words of said) expect(reason).toContain(words);
    expect(await files()).toBe(before);
    expect(await site.shell(`systemctl is-active ${services.join(' ')}`)).toBe(
      'active\n'.repeat(services.length),
    );
    await site.visit();
    await site.shell('systemctl stop taker.socket 2>/dev/null; true');
    await expectMended();
  }

  const back = 'the previous configuration is restored';

  it('haproxy cannot bind a port', async () => {
    await takePort(8999);
    await site.template('haproxy/haproxy.cfg.hbs', (text) =>
      text.replace(/^frontend https .*\n/m, '$&    bind 127.0.0.1:8999\n'),
    );
    await expectTakenBack('cannot bind socket', back);
  });

  it('nginx cannot bind a port', async () => {
    await takePort(8999);
    await site.template('nginx/app.conf.hbs', (text) => `server { listen 127.0.0.1:8999; }\n${text}`);
    await expectTakenBack('bind() to 127.0.0.1:8999 failed', back);
    expect((await watched.stop()).failures).toEqual([]);
  });

  it('nginx does not answer its health check', async () => {
    await site.template('nginx/app.conf.hbs', (text) => text.replace('stub_status;', 'return 404;'));
    await expectTakenBack('nginx.service is not healthy after 30 s', '404', back);
    expect((await watched.stop()).failures).toEqual([]);
  });

  it('mysql cannot bind its address', async () => {
    await site.template('mysql/mysql.cnf.hbs', (text) =>
      text.replace(/^bind_address = .*$/m, 'bind_address = 203.0.113.9'),
    );
    await expectTakenBack('mysql.service failed', "Can't start server: Bind on TCP/IP port", back);
  });

  it('sshd cannot bind its address, so that nobody could log in any more', async () => {
    await site.template('base/sshd.conf.hbs', (text) => `${text}ListenAddress 203.0.113.9\n`);
    await expectTakenBack('Cannot bind any address', back);
    expect((await watched.stop()).failures).toEqual([]);
  });

  it('a release of the application starts and is not healthy', async () => {
    site.set({ app_source: await unhealthyRelease(), app_health_timeout: 3 });
    await expectTakenBack('visits.service is not healthy after 3 s', '404', back);
    // Nothing else serves the application here, so the balancer says that it will be back.
    const { failures } = await watched.stop();
    expect(failures.filter((failure) => !failure.includes('status 503'))).toEqual([]);
  });
});
