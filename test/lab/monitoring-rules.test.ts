import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { dashboard } from '../../roles/monitoring_server/panels.ts';
import server from '../../roles/monitoring_server/role.ts';
import { hosts, ofType, resourcesOf } from '../../src/testing/index.ts';
import { everything } from '../dashboards/grafana.ts';
import { ruleCases } from './rule-cases/all.ts';
import type { RuleCase } from './rule-cases/rule-case.ts';

// promtool and amtool are in Debian's packages prometheus and prometheus-alertmanager.
const run = promisify(execFile);

/** Of web3. */
const backups = hosts
  .slice(2)
  .map((host) => ({ kind: 'backup', sends: true, tests: true, host, role: 'backup' }));

/** Two balancers that share addresses. */
const balancers = ['lb1', 'lb2'].map((name) => ({
  ...{ kind: 'floating_address', addresses: ['203.0.113.10', '2001:DB8:0::10'] },
  ...{ host: { name, address: name, groups: ['lb'] }, role: 'floating_address' },
}));

/** A web server of each kind. */
const webServers = ['nginx', 'apache', 'caddy'].flatMap((job, index) =>
  hosts.slice(index, index + 1).map((host) => ({ kind: 'scrape', job, port: 9000, host, role: job })),
);

const declaredFiles = (variables: object = {}): ReadonlyMap<string, string> =>
  new Map(
    ofType(
      resourcesOf(server, {
        variables: { ...variables },
        declared: [...backups, ...balancers, ...webServers],
      }),
      'file',
    ).map((attributes) => [
      'path' in attributes ? String(attributes.path) : '',
      'content' in attributes && typeof attributes.content === 'string' ? attributes.content : '',
    ]),
  );

let folder: string;

async function writeFrom(files: ReadonlyMap<string, string>, path: string): Promise<string> {
  const at = join(folder, path.replaceAll('/', '_'));
  await writeFile(at, files.get(path) ?? '');
  return at;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hostwright-rules-'));
  const files = declaredFiles();
  for (const name of ['recording', 'alerts']) await writeFrom(files, `/etc/prometheus/rules/${name}.yml`);
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

function rulesFile(name: string): string {
  return join(folder, `_etc_prometheus_rules_${name}.yml`);
}

/** Runs `promtool test rules`: exactly these alerts fire at this time, and no other one. */
async function check({ interval = '30s', series, at, fires }: RuleCase): Promise<void> {
  const file = join(folder, 'case.yml');
  const labels = [...new Set(['alertname', ...fires.flatMap((alert) => Object.keys(alert))])];
  const samples = fires.map((alert) => ({
    labels: `{${Object.entries(alert)
      .map(([label, value]) => `${label}="${value}"`)
      .join(', ')}}`,
    value: 1,
  }));
  const document = {
    rule_files: [rulesFile('recording'), rulesFile('alerts')],
    evaluation_interval: '15s',
    tests: [
      {
        interval,
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: `count by (${labels.join(', ')}) (ALERTS{alertstate="firing"})`,
            eval_time: at,
            exp_samples: samples,
          },
        ],
      },
    ],
  };
  await writeFile(file, JSON.stringify(document));
  await run('promtool', ['test', 'rules', file]);
}

const words = z.record(z.string(), z.string());
const rules = z.object({
  groups: z.array(
    z.object({ rules: z.array(z.object({ alert: z.string(), labels: words, annotations: words })) }),
  ),
});

function alerts(): z.output<typeof rules>['groups'][number]['rules'] {
  const content: unknown = parse(declaredFiles().get('/etc/prometheus/rules/alerts.yml') ?? '');
  return rules.parse(content).groups.flatMap((group) => group.rules);
}

describe('the rules of the monitoring server', () => {
  test('pass promtool', async () => {
    await run('promtool', ['check', 'rules', rulesFile('recording'), rulesFile('alerts')]);
  });

  test.each(ruleCases)('$what', check);

  test('every alert has a case in which it fires, with its severity, and tells what to do', () => {
    for (const { alert, labels, annotations } of alerts()) {
      const fired = ruleCases
        .flatMap(({ fires }) => fires)
        .some((one) => one['alertname'] === alert && one['severity'] === labels['severity']);
      expect({ alert, fired }).toEqual({ alert, fired: true });
      expect(Object.keys(annotations).toSorted()).toEqual(['description', 'runbook', 'summary']);
    }
  });
});

describe('the dashboard', () => {
  test.each([true, false])('has queries that Prometheus reads, with balancers: %s', async (balancers) => {
    const { figures, sections } = dashboard({ ...everything, has: { ...everything.has, balancers } });
    const graphs = sections.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries));
    const all = [
      ...figures.flatMap(({ expr, of }) => (of === undefined ? [expr] : [expr, of])),
      ...graphs.map(({ expr }) => expr.replaceAll('$window', '30s')),
    ];
    expect(all.length).toBeGreaterThan(20);
    const file = join(folder, 'queries.yml');
    const rules = all.map((expr, index) => ({ record: `query:${index}`, expr }));
    await writeFile(file, JSON.stringify({ groups: [{ name: 'queries', rules }] }));
    await run('promtool', ['check', 'rules', file]);
  });
});

describe('the notifications', () => {
  const everyWay = {
    monitoring_email_to: 'ops@example.com',
    monitoring_email_from: 'hostwright@example.com',
    monitoring_email_smarthost: 'mail.example.com:587',
    monitoring_email_username: 'hostwright',
    monitoring_email_password: 'x',
    monitoring_slack_webhook: 'https://chat.example.com/hooks/1',
    monitoring_slack_channel: '#ops',
  };

  async function receivers(variables: object, severity: string): Promise<string> {
    const at = await writeFrom(declaredFiles(variables), '/etc/alertmanager/alertmanager.yml');
    await run('amtool', ['check-config', at]);
    const { stdout } = await run('amtool', [
      'config',
      'routes',
      'test',
      `--config.file=${at}`,
      `severity=${severity}`,
    ]);
    return stdout.trim();
  }

  test('go nowhere unless a way is set', async () => {
    expect(await receivers({}, 'critical')).toBe('nobody');
    expect(await receivers({}, 'warning')).toBe('nobody');
  });

  test('go every way that is set, by severity', async () => {
    expect(await receivers(everyWay, 'critical')).toBe('critical');
    expect(await receivers(everyWay, 'warning')).toBe('warning');
  });

  test('leave warnings out where only what is critical is asked for', async () => {
    const quiet = {
      ...everyWay,
      monitoring_email_from_severity: 'critical',
      monitoring_slack_from_severity: 'critical',
    };
    expect(await receivers(quiet, 'critical')).toBe('critical');
    expect(await receivers(quiet, 'warning')).toBe('nobody');
  });
});
