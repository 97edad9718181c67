import { listed } from '../../src/roles/list.ts';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import app from '../../roles/app/role.ts';
import { ageRecipient, createAgeKey } from '../../roles/backup/keys.ts';
import backup from '../../roles/backup/role.ts';
import base from '../../roles/base/role.ts';
import { createAccountKey } from '../../roles/certificate/account.ts';
import certificate from '../../roles/certificate/role.ts';
import appProxy from '../../roles/app_proxy/role.ts';
import appTls from '../../roles/app_tls/role.ts';
import databaseProxy from '../../roles/database_proxy/role.ts';
import firewall from '../../roles/firewall/role.ts';
import floatingAddress from '../../roles/floating_address/role.ts';
import arbitrator from '../../roles/galera_arbitrator/role.ts';
import haproxy from '../../roles/haproxy/role.ts';
import apache from '../../roles/apache/role.ts';
import caddy from '../../roles/caddy/role.ts';
import logSender from '../../roles/log_sender/role.ts';
import logServer from '../../roles/log_server/role.ts';
import agent from '../../roles/monitoring_agent/role.ts';
import server from '../../roles/monitoring_server/role.ts';
import mysql from '../../roles/mysql/role.ts';
import nginx from '../../roles/nginx/role.ts';
import pki from '../../roles/pki/role.ts';
import { HostwrightError, HostwrightErrors } from '../../src/errors.ts';
import type { Declared } from '../../src/index.ts';
import { createAuthority } from '../../src/pki/authority.ts';
import type { Resource } from '../../src/resources/resource.ts';
import type { Role } from '../../src/roles/role.ts';
import { isSecret, Secret } from '../../src/secrets/secret.ts';
import { withOneHostile } from '../resources/hostile.ts';
import { contextOf, hosts } from '../../src/testing/index.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5m1T6VxkKc0rj1VZk6n0kqWmS3aB anna';
const source = mkdtempSync(join(tmpdir(), 'hostwright-app-'));
writeFileSync(join(source, 'main.py'), '');
afterAll(() => rmSync(source, { recursive: true }));

/** Variables of every kind that a role takes; where one line is to be, a line break in one must not make two. */
const roles: readonly (readonly [Role, string, Readonly<Record<string, unknown>>])[] = [
  [
    app,
    'web1',
    {
      ...{
        app_name: 'shop',
        app_source: source,
        app_command: ['/usr/bin/python3', 'main.py'],
        app_check: ['true'],
      },
      ...{
        app_packages: ['python3'],
        app_environment: { NAME: 'value' },
        app_database_password: 'p',
        app_database: 'd',
      },
      ...{ app_health_path: '/healthz', app_group: 'app' },
    },
  ],
  [
    base,
    'web1',
    {
      ...{
        base_hostname: 'web1',
        base_hosts: { '10.0.0.99': ['registry'] },
        base_ntp_servers: ['ntp.example'],
      },
      ...{
        base_admins: [{ name: 'anna', keys: [key], comment: 'Anna', shell: '/bin/sh' }],
        base_ssh_users: ['anna'],
      },
      ...{
        base_former_admins: ['bob'],
        base_sysctl: { 'vm.swappiness': '1' },
        base_journal_size: '1G',
        base_reboot: '04:30',
      },
    },
  ],
  [
    haproxy,
    'web1',
    { domain: 'www.foobar.com', certificate_names: ['foobar.com'], haproxy_balance: 'random' },
  ],
  [nginx, 'web1', { nginx_clients: ['haproxy'], nginx_journal: 'all' }],
  [logServer, 'web1', { log_server_port: 19_532, log_server_size: '500M', log_server_days: 30 }],
  [logSender, 'web2', {}],
  [apache, 'web1', { web_server: 'apache', apache_clients: ['haproxy'], apache_keep: ['own.conf'] }],
  [caddy, 'web1', { web_server: 'caddy', caddy_clients: ['haproxy'], app_health_path: '/healthz' }],
  [pki, 'web1', { pki_ca: await createAuthority(), pki_valid_for: '5y' }],
  [appProxy, 'web3', { app_proxy_port: 3100 }],
  [appTls, 'web2', { app_tls_group: 'web', app_health_path: '/healthz' }],
  [databaseProxy, 'web1', { database_proxy_group: 'app' }],
  [firewall, 'web1', {}],
  [arbitrator, 'web1', {}],
  [floatingAddress, 'web1', { balancer_address: ['10.0.0.100', 'fd00::100'], balancer_interface: 'eth0' }],
  [
    mysql,
    'web2',
    {
      ...{
        mysql_replication_password: 'Repl1',
        mysql_seed_password: 'Seed1',
        mysql_observer_password: 'Obs1',
        mysql_databases: ['shop', { name: 'x', charset: 'utf8mb4' }],
      },
      mysql_users: [{ name: 'u', password: 'p', address: '10.0.0.%', grants: { 'shop.*': ['SELECT'] } }],
      ...{ mysql_settings: { max_allowed_packet: '64M' }, mysql_innodb_buffer_pool_size: '64M' },
    },
  ],
  [agent, 'web1', {}],
  [
    backup,
    'web2',
    {
      ...{ backup_test_key: createAgeKey(), backup_ssh_seed: 'seed', backup_test_host: 'web3' },
      ...{ backup_recipients: [ageRecipient(new Secret(createAgeKey()))], backup_time: '*-*-* 03:00:00' },
      ...{ backup_scratch: '/srv/scratch', mysql_flavor: 'mariadb' },
    },
  ],
  [
    server,
    'web1',
    {
      ...{
        monitoring_email_to: 'anna@foobar.com',
        monitoring_email_from: 'site@foobar.com',
        monitoring_email_smarthost: 'mail:25',
      },
      ...{
        monitoring_email_username: 'u',
        monitoring_email_password: 'p',
        monitoring_slack_webhook: 'https://hooks/x',
      },
      ...{ monitoring_slack_channel: '#c', monitoring_webhook: 'https://hook/y' },
    },
  ],
  [
    certificate,
    'web1',
    {
      ...{ domain: 'www.foobar.com', acme_email: 'admin@foobar.com', certificate_names: ['foobar.com'] },
      ...{
        acme_directory: 'https://10.0.0.9:14000/dir',
        acme_ca_file: '/etc/ssl/acme.pem',
        certificate_addresses: ['192.0.2.1'],
        acme_account_key: await createAccountKey(),
      },
    },
  ],
];

const declared: readonly Declared[] = hosts.flatMap((host): Declared[] => [
  { kind: 'backend', port: 8443, healthPath: '/healthz', host, role: 'nginx' },
  ...(host.name === 'web3'
    ? []
    : [
        { kind: 'application', port: 3000, host, role: 'app' },
        { kind: 'application_tls', port: 9443, healthPath: '/healthz', host, role: 'app_tls' },
      ]),
  { kind: 'database', flavor: 'mysql', role: 'replica', port: 3306, checkPort: 9200, host },
  ...(host.name === 'web1' ? [{ kind: 'log_server', port: 19_532, host, role: 'log_server' }] : []),
  { kind: 'log_sender', peer: `log-sender-${host.name}`, host, role: 'log_sender' },
  { kind: 'acme_account', thumbprint: 'abc_-123', host, role: 'certificate' },
]);

/**
 * Lines of all files and units, of secret content too; but for those that hold one value as it is, and the
 * environment of the application, where systemd takes line breaks in quotes as a part of the value.
 */
function linesOf(resources: readonly Resource[], value: string): readonly string[] {
  return resources.flatMap(({ type, attributes }) => {
    if (!['file', 'unit'].includes(type.name) || !('content' in attributes)) return [];
    const { content } = attributes;
    const text = isSecret(content) ? content.reveal() : String(content);
    const isEnvironment = 'path' in attributes && String(attributes.path).endsWith('/environment');
    return text === value || isEnvironment ? [] : text.split(/[\n\r]/);
  });
}

function tryRole(role: Role, host: string, variables: unknown): readonly Resource[] | undefined {
  const parsed = role.variables.safeParse(variables);
  if (!parsed.success) return undefined;
  try {
    const context = contextOf(parsed.data, {
      host,
      declared,
      facts: { connection: { user: 'admin', address: '10.0.0.9', port: 22 } },
    });
    const resources = listed(role.resources({ ...context, asset: () => Buffer.from('asset') }));
    for (const { type, attributes } of resources)
      if (!type.schema.safeParse(attributes).success) return undefined;
    return resources;
  } catch (error) {
    if (error instanceof HostwrightError || error instanceof HostwrightErrors) return undefined;
    throw error;
  }
}

test('every bundled role is attacked', () => {
  const folder = new URL('../../roles/', import.meta.url);
  const bundled = readdirSync(folder).filter((name) => existsSync(new URL(`${name}/role.ts`, folder)));
  const attacked = roles.map(([role]) => role.name);
  expect(
    bundled.filter((name) => !attacked.includes(name)),
    'add these roles, with variables of every kind, to the list in this file',
  ).toEqual([]);
});

describe.each(roles.map((one) => [one[0].name, one] as const))(
  'every variable of %s',
  (_, [role, host, variables]) => {
    test('is taken as it is', () => {
      expect(tryRole(role, host, variables)).toBeDefined();
    });

    test('is refused, or makes no line of its own in what others read', () => {
      fc.assert(
        fc.property(withOneHostile(variables), ([hostile, value]) => {
          const resources = tryRole(role, host, hostile);
          if (resources === undefined) return;
          const injected = linesOf(resources, value).filter((line) =>
            /^(touch |ExecStart=\/bin\/touch )\/pwned/.test(line),
          );
          expect(injected).toEqual([]);
        }),
        { numRuns: 150 },
      );
    }, 60_000);
  },
);
