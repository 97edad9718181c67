import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { dashboardPage } from '../../roles/monitoring_server/dashboard.ts';
import type { Dashboard } from '../../roles/monitoring_server/panel.ts';
import server from '../../roles/monitoring_server/role.ts';
import type { Declared } from '../../src/roles/role.ts';
import { isSecret } from '../../src/secrets/secret.ts';
import { hosts, ofType, resourcesOf, type RoleCase } from '../../src/testing/index.ts';

const [web1, web2, web3] = hosts;
if (web1 === undefined || web2 === undefined || web3 === undefined) throw new Error('no hosts');

const declared: readonly Declared[] = [
  { kind: 'scrape', job: 'node', port: 9100, host: web1, role: 'monitoring_agent' },
  { kind: 'scrape', job: 'node', port: 9100, host: web2, role: 'monitoring_agent' },
  { kind: 'scrape', job: 'mysql', port: 9104, host: web3, role: 'monitoring_agent' },
  { kind: 'scrape', job: 'own', port: 9999, path: '/status', host: web2, role: 'own' },
  { kind: 'database', role: 'replica', port: 3306, host: web3 },
];

interface File {
  readonly path: string;
  readonly content: unknown;
  readonly group?: string;
  readonly mode?: string;
}

function isFile(attributes: object): attributes is File {
  return 'path' in attributes && 'content' in attributes;
}

function files(given: RoleCase = {}): ReadonlyMap<string, File> {
  const found = ofType(resourcesOf(server, given), 'file').filter(isFile);
  return new Map(found.map((attributes) => [attributes.path, attributes]));
}

function text(path: string, given: RoleCase = {}): string {
  const content = files(given).get(path)?.content;
  if (typeof content !== 'string') throw new Error(`${path} is not a plain text`);
  return content;
}

const prometheusFile = '/etc/prometheus/prometheus.yml';
const alertmanagerFile = '/etc/alertmanager/alertmanager.yml';

describe('what Prometheus reads', () => {
  test('is every endpoint that a role declares, over mutual TLS, with its host as a label', () => {
    const config: unknown = parse(text(prometheusFile, { declared }));
    const tls = {
      ca_file: '/etc/hostwright/pki/ca.crt',
      cert_file: '/etc/hostwright/pki/prometheus.crt',
      key_file: '/etc/hostwright/pki/prometheus.key',
      min_version: 'TLS12',
    };
    expect(config).toMatchObject({
      scrape_configs: [
        { job_name: 'prometheus', static_configs: [{ targets: ['127.0.0.1:9090'] }] },
        { job_name: 'alertmanager', static_configs: [{ targets: ['127.0.0.1:9093'] }] },
        {
          job_name: 'node',
          scheme: 'https',
          tls_config: tls,
          static_configs: [
            { targets: ['10.0.0.1:9100'], labels: { host: 'web1' } },
            { targets: ['10.0.0.2:9100'], labels: { host: 'web2' } },
          ],
        },
        {
          job_name: 'mysql',
          scheme: 'https',
          tls_config: tls,
          static_configs: [{ targets: ['10.0.0.3:9104'], labels: { host: 'web3', replication: 'replica' } }],
        },
        {
          job_name: 'own',
          static_configs: [{ targets: ['10.0.0.2:9999'], labels: { __metrics_path__: '/status' } }],
        },
      ],
    });
  });

  test('is the site at every balancer, where it has a name', () => {
    const variables = { domain: 'www.foobar.com' };
    expect(parse(text(prometheusFile, { variables }))).toMatchObject({
      scrape_configs: expect.arrayContaining([
        expect.objectContaining({
          job_name: 'site',
          static_configs: [{ targets: ['https://10.0.0.1:443/'], labels: { host: 'web1' } }],
        }),
      ]) as unknown,
    });
    expect(text('/etc/blackbox/blackbox.yml', { variables })).toContain('server_name: "www.foobar.com"');
    expect(files().has('/etc/blackbox/blackbox.yml')).toBe(false);
    expect(text(prometheusFile)).not.toContain('job_name: site');
  });

  test('is measured over six readings at least', () => {
    const recording = (seconds: number): string =>
      text('/etc/prometheus/rules/recording.yml', { variables: { monitoring_scrape_seconds: seconds } });
    expect(recording(5)).toContain('[30s]');
    expect(recording(15)).toContain('[90s]');
  });
});

describe('the monitoring server', () => {
  test('listens on 127.0.0.1 alone', () => {
    const given = { variables: { domain: 'www.foobar.com' } };
    const listening = [...files(given).values()].flatMap(({ content }) =>
      typeof content === 'string' ? (content.match(/--\S*listen-address=\S*/g) ?? []) : [],
    );
    expect(listening.toSorted()).toEqual([
      '--cluster.listen-address="',
      '--web.listen-address=127.0.0.1:9090',
      '--web.listen-address=127.0.0.1:9093',
      '--web.listen-address=127.0.0.1:9115"',
    ]);
    expect(server.listens).toBeUndefined();
  });

  test('checks every configuration before it goes live', () => {
    const services = ofType(
      resourcesOf(server, { variables: { domain: 'www.foobar.com' } }),
      'service',
    ) as readonly { validate?: readonly string[] }[];
    expect(
      services.flatMap(({ validate = [] }) => (validate.length > 0 ? validate.slice(0, 2).join(' ') : [])),
    ).toEqual([
      'promtool check',
      'amtool check-config',
      'prometheus-blackbox-exporter --config.file=/etc/blackbox/blackbox.yml',
      'setpriv --reuid=hostwright-dashboard',
    ]);
  });
});

describe('the notifications', () => {
  const variables = {
    monitoring_email_to: 'ops@example.com',
    monitoring_email_from: 'hostwright@example.com',
    monitoring_email_smarthost: 'mail.example.com:587',
    monitoring_email_username: 'hostwright',
    monitoring_email_password: 'secret-1',
    monitoring_slack_webhook: 'https://chat.example.com/secret-2',
    monitoring_slack_from_severity: 'critical',
    monitoring_webhook: 'https://hooks.example.com/secret-3',
  };

  test('keep their secrets in files that Alertmanager alone reads', () => {
    const written = files({ variables });
    for (const name of ['email-password', 'slack-url', 'webhook-url']) {
      const file = written.get(`/etc/alertmanager/${name}`);
      expect(file).toMatchObject({ group: 'alertmanager', mode: '0640' });
      expect(isSecret(file?.content)).toBe(true);
    }
    expect(text(alertmanagerFile, { variables })).not.toContain('secret-');
  });

  test('take the file of a secret away that is not set any more', () => {
    const gone = ofType(resourcesOf(server), 'file').filter((attributes) => 'absent' in attributes);
    expect(gone).toEqual(
      ['email-password', 'slack-url', 'webhook-url'].map((name) => ({
        path: `/etc/alertmanager/${name}`,
        absent: true,
      })),
    );
  });

  test('go each its way, by severity', () => {
    expect(parse(text(alertmanagerFile, { variables }))).toMatchObject({
      global: { smtp_smarthost: 'mail.example.com:587', smtp_require_tls: true },
      route: { receiver: 'warning', routes: [{ receiver: 'critical' }] },
      receivers: [
        { name: 'nobody' },
        { name: 'warning', email_configs: [{ to: 'ops@example.com' }], webhook_configs: [{}] },
        { name: 'critical', email_configs: [{}], slack_configs: [{}], webhook_configs: [{}] },
      ],
    });
    const [, warning]: unknown[] = parse(text(alertmanagerFile, { variables })).receivers;
    expect(warning).not.toHaveProperty('slack_configs');
  });

  test('are refused half set, with the variable that is missing', () => {
    const refused = server.variables.safeParse({ monitoring_email_to: 'ops@example.com' });
    expect(refused.error?.issues.map(({ path, message }) => [path.join('.'), message])).toEqual([
      ['monitoring_email_to', 'expected monitoring_email_from to be set as well'],
      ['monitoring_email_to', 'expected monitoring_email_smarthost to be set as well'],
    ]);
  });
});

describe('the dashboard', () => {
  const page = { ...dashboardPage, host: web1, role: 'monitoring_server' };
  const nginx = { kind: 'metrics', of: 'nginx', host: web1, role: 'nginx' };

  test('passes on four paths for reading, and serves two names of this machine', () => {
    const conf = text('/etc/hostwright-dashboard/nginx.conf', { declared: [page] });
    expect([...conf.matchAll(/^ +location = (\S+)/gm)].map(([, path]) => path)).toEqual([
      '/prometheus/api/v1/query',
      '/prometheus/api/v1/query_range',
      '/prometheus/api/v1/alerts',
      '/alertmanager/api/v2/alerts',
    ]);
    expect(conf.match(/listen \S+/g)).toEqual(['listen 127.0.0.1:8090', 'listen 127.0.0.1:8090;']);
    expect(conf).toContain('server_name 127.0.0.1 localhost;');
  });

  test('leaves nginx to the web server of the host, and stops it where nobody uses it', () => {
    const units = (declared: readonly Declared[]) =>
      ofType(resourcesOf(server, { declared }), 'service').filter(
        (one) => 'name' in one && one.name === 'nginx',
      );
    expect(units([page, nginx])).toEqual([]);
    expect(units([page])).toMatchObject([{ running: false, enabled: false }]);
  });

  test('has panels of what the site has, each with a reason for no data, and figures that lead to one', () => {
    const shown = (declared: readonly Declared[]): Dashboard =>
      JSON.parse(text('/usr/local/share/hostwright-dashboard/panels.json', { declared })) as Dashboard;
    const panels = ({ sections }: Dashboard) => sections.flatMap((section) => section.panels);
    const ids = (of: Dashboard) => panels(of).map(({ id }) => id);
    const database = { kind: 'database', role: 'replica', host: web3 };
    expect(ids(shown([page]))).not.toContain('lag');
    const balancer = { kind: 'scrape', job: 'haproxy', port: 8404, host: web1, role: 'haproxy' };
    expect(ids(shown([page]))).not.toContain('balancer-requests');
    expect(ids(shown([page, balancer]))).toContain('balancer-requests');
    const whole = shown([page, database]);
    expect(ids(whole)).toContain('lag');
    expect(new Set(ids(whole)).size).toBe(ids(whole).length);
    for (const { panel } of whole.figures) expect(ids(whole)).toContain(panel);
    for (const { means, without } of panels(whole))
      expect(Math.min(means.length, without.length)).toBeGreaterThan(10);
  });

  test('is left out with its nginx where it is not wanted', () => {
    const given = { variables: { monitoring_dashboard: false } };
    expect([...files(given).keys()].filter((path) => path.includes('dashboard'))).toEqual([]);
    expect(JSON.stringify(ofType(resourcesOf(server, given), 'package'))).not.toContain('nginx');
  });
});
