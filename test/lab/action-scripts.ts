import app from '../../roles/app/role.ts';
import backup from '../../roles/backup/role.ts';
import { createAgeKey } from '../../roles/backup/keys.ts';
import base from '../../roles/base/role.ts';
import haproxy from '../../roles/haproxy/role.ts';
import apache from '../../roles/apache/role.ts';
import caddy from '../../roles/caddy/role.ts';
import mysql from '../../roles/mysql/role.ts';
import nginx from '../../roles/nginx/role.ts';
import { drainWith } from '../../roles/web_servers/drain.ts';
import { nginx as server } from '../../roles/web_servers/nginx.ts';
import {
  type ActionHost,
  type ActionPlan,
  type ActionRequest,
  type Role,
  type Script,
} from '../../src/index.ts';

/** Hosts that say what leads to a script: what one says to a script with its standard input. */
interface World {
  readonly role: Role;
  readonly vars: object;
  /** The names of the hosts; an action on a host is on the last one. */
  readonly hosts: readonly string[];
  readonly args?: object;
  readonly says: (host: string, script: string, input: string) => string;
}

const row = (readOnly: number): string =>
  `row ${JSON.stringify({ readOnly, offline: 0, executed: 'u:1-5', semiSync: null })}`;
const follows =
  'status Source_Host: 10.0.0.1\nstatus Replica_IO_Running: Yes\nstatus Replica_SQL_Running: Yes\nstatus Seconds_Behind_Source: 0';

/** `a` takes the writes and `b` follows it; or `a` does not answer. */
function servers(isDead: boolean): World {
  return {
    role: mysql,
    vars: { mysql_replication_password: 'r', mysql_seed_password: 's', mysql_observer_password: 'o' },
    hosts: ['a', 'b'],
    says(host, script, input) {
      if (script.includes('SHOW REPLICA STATUS')) {
        if (host === 'b') return `${row(1)}\n${follows}`;
        return isDead ? 'down no answer' : row(0);
      }
      if (input.includes('super_read_only = ON')) return '{"executed":"u:1-5","semiSync":"10000"}';
      if (input.includes('mysql.user')) return '1';
      if (input.includes('WAIT_FOR_EXECUTED_GTID_SET') && input.startsWith('SELECT')) return '0';
      return '';
    },
  };
}

/** A Galera cluster of which one server is left, without a majority. */
const lastMember: World = {
  role: mysql,
  vars: { ...servers(false).vars, mysql_topology: 'group', mysql_flavor: 'mariadb' },
  hosts: ['a', 'b'],
  says: (host) => (host === 'b' ? 'wsrep_on\tON\nwsrep_cluster_status\tnon-Primary\n' : 'down\n'),
};

const copy = 'b/20260101T000000Z';

const worlds: readonly World[] = [
  servers(false),
  servers(true),
  lastMember,
  {
    role: backup,
    vars: { backup_test_key: createAgeKey(), backup_ssh_seed: 'seed' },
    hosts: ['a', 'b'],
    args: { to: '2026-01-02T00:00:00Z', replaceWriter: true },
    says: (_host, script) =>
      script.includes('look')
        ? `copy=${copy}\nbytes=1\nfree=9\nrunning=yes\nwritable=1`
        : `stored ${copy}\t1\tok\tu:1\n`,
  },
  {
    role: haproxy,
    vars: { domain: 'www.example.org' },
    hosts: ['a', 'b'],
    says: () => 'runs\nanswers',
  },
  {
    role: app,
    vars: { app_source: 'shop', app_command: ['/bin/true'], app_database_password: 'p' },
    hosts: ['a', 'b'],
    says: () => 'c\nc\nb\n',
  },
  {
    role: base,
    vars: {},
    hosts: ['a', 'b'],
    says: (() => {
      let boots = 0;
      return (_host: string, script: string) => (script.includes('boot_id') ? `boot ${(boots += 1)}` : '');
    })(),
  },
  ...[nginx, apache, caddy].map((role): World => ({
    role,
    vars: { web_server: role.name },
    hosts: ['a', 'b'],
    says: (_host, script) => (script.includes('stub_status') ? '0' : 'drained'),
  })),
];

async function carryOut(plan: ActionPlan): Promise<void> {
  const works = plan.steps.flatMap(({ run, undo }) => [run, ...(undo === undefined ? [] : [undo.run])]);
  // What such hosts say may not please a step; its script is known then.
  for (const work of [...works, plan.verify]) await Promise.resolve(work()).catch(() => undefined);
}

async function scriptsOf(world: World, name: string): Promise<readonly string[]> {
  const { role, hosts: names, says } = world;
  const found: string[] = [];
  const vars = role.variables.parse(world.vars);
  const hosts = names.map((host, index): ActionHost => ({
    ...{ name: host, address: `10.0.0.${index + 1}`, groups: ['db', 'web'], vars },
    run: (script: Script, { stdin = '' }: ActionRequest = {}) => {
      found.push(script.text);
      return Promise.resolve(says(host, script.text, String(stdin)));
    },
  }));
  const host = hosts.at(-1);
  const action = role.actions?.[name];
  if (host === undefined || action === undefined) return [];
  const declared = hosts.flatMap((one) => [
    { kind: 'database', flavor: 'mysql', role: one === host ? 'replica' : 'primary', host: one },
    { kind: 'floating_address', addresses: ['10.0.0.9', 'fd00::9'], host: one },
    { kind: 'backend', port: 8443, healthPath: '/', drain: drainWith(server, {}), host: one },
    { kind: 'backup', sends: true, tests: true, record: '/var/lib/x', host: one },
  ]);
  const site = {
    hosts: (group: string) => (group === 'backup' ? [{ name: 's', address: 's', groups: [group] }] : hosts),
    declared: (kind: string) => declared.filter((one) => one.kind === kind) as never,
  };
  const args = Object.fromEntries(
    Object.entries(world.args ?? {}).filter(([key]) => key in action.arguments.shape),
  );
  const context = { args: action.arguments.parse(args) as never, hosts, site, host };
  if (action.read === undefined) await carryOut(await action.plan(context));
  else await action.read(context);
  return found;
}

/** What the actions of the bundled roles hand to the shell of hosts, by role and action. */
export async function actionScripts(): Promise<ReadonlyMap<string, readonly string[]>> {
  const all = new Map<string, readonly string[]>();
  for (const world of worlds) {
    for (const name of Object.keys(world.role.actions ?? {})) {
      const id = `${world.role.name} ${name}`;
      all.set(id, [...new Set([...(all.get(id) ?? []), ...(await scriptsOf(world, name))])]);
    }
  }
  return all;
}
