import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import agent from '../../roles/monitoring_agent/role.ts';
import type { Declared } from '../../src/roles/role.ts';
import { contextOf, hosts, ofType, resourcesOf, type RoleCase } from '../../src/testing/index.ts';

const [web1, web2] = hosts;
if (web1 === undefined || web2 === undefined) throw new Error('no hosts');

const ofNginx: Declared = { kind: 'metrics', of: 'nginx', host: web1, role: 'nginx' };
const ofMysql: Declared = { kind: 'metrics', of: 'mysql', host: web2, role: 'mysql' };

function content(path: string, given: RoleCase = {}): string {
  const found = ofType(resourcesOf(agent, given), 'file').find(
    (attributes) => 'path' in attributes && attributes.path === path,
  );
  if (found === undefined || !('content' in found)) throw new Error(`there is no file ${path}`);
  return String(found.content);
}

const packages = (given: RoleCase): readonly unknown[] =>
  ofType(resourcesOf(agent, given), 'package').map((attributes) =>
    'name' in attributes ? attributes.name : undefined,
  );

describe('the role monitoring_agent', () => {
  test('measures what the roles of the own host ask for, and nothing of another host', () => {
    const declared = [ofNginx, ofMysql];
    expect(packages({ declared })).toEqual(['dbus', 'prometheus-node-exporter', 'prometheus-nginx-exporter']);
    expect(packages({ declared, host: 'web2' })).toEqual([
      'dbus',
      'prometheus-node-exporter',
      'prometheus-mysqld-exporter',
    ]);
    expect(packages({ declared, host: 'web3' })).toEqual(['dbus', 'prometheus-node-exporter']);
  });

  test('declares a certificate and a target for each exporter, and listens for monitoring alone', () => {
    const context = contextOf(agent.variables.parse({}), { declared: [ofNginx, ofMysql] });
    expect(agent.derives?.(context)).toEqual([
      { kind: 'certificate', name: 'node-exporter', group: 'prometheus', usage: ['server'] },
      { kind: 'scrape', job: 'node', port: 9100 },
      { kind: 'certificate', name: 'nginx-exporter', group: 'prometheus', usage: ['server'] },
      { kind: 'scrape', job: 'nginx', port: 9113 },
    ]);
    expect(agent.listens?.(context)).toEqual([
      { port: 9100, from: { group: 'monitoring' }, why: 'node metrics for monitoring' },
      { port: 9113, from: { group: 'monitoring' }, why: 'nginx metrics for monitoring' },
    ]);
  });

  test.each([
    ['node-exporter', 'web1'],
    ['nginx-exporter', 'web1'],
    ['mysqld-exporter', 'web2'],
  ])('%s answers over TLS, and the monitoring server alone', (name, host) => {
    const given = { declared: [ofNginx, ofMysql], host };
    const webConfig = `/etc/prometheus-exporters/${name}.web.yml`;
    expect(content(`/etc/default/prometheus-${name}`, given)).toContain(`--web.config.file=${webConfig}`);
    expect(parse(content(webConfig, given))).toEqual({
      tls_server_config: {
        cert_file: `/etc/hostwright/pki/${name}.crt`,
        key_file: `/etc/hostwright/pki/${name}.key`,
        min_version: 'TLS13',
        client_auth_type: 'RequireAndVerifyClientCert',
        client_ca_file: '/etc/hostwright/pki/ca.crt',
        client_allowed_sans: ['prometheus'],
      },
    });
  });

  test('puts away an exporter that nothing on the host needs any more, if it was set up by Hostwright', () => {
    const given: RoleCase = {
      declared: [
        { kind: 'metrics', of: 'apache', url: 'http://127.0.0.1:8081/x', host: web1, role: 'apache' },
      ],
      applied: ['unit:prometheus-nginx-exporter.service.d/hostwright.conf'],
    };
    expect(packages(given)).not.toContain('prometheus-nginx-exporter');
    expect(ofType(resourcesOf(agent, given), 'service')).toContainEqual({
      ...{ name: 'prometheus-nginx-exporter.service', running: false, enabled: false },
    });
    const options = (codename: string) =>
      content('/etc/default/prometheus-apache-exporter', { ...given, facts: { codename } });
    expect(options('trixie')).toContain(
      '--web.config.file=/etc/prometheus-exporters/apache-exporter.web.yml',
    );
    expect(options('bookworm')).toContain('--telemetry.address=10.0.0.1:9117 --web.config=/etc/');
  });

  test('leaves the options to whom the package gives them at each upgrade', () => {
    const owner = (name: string) =>
      ofType(resourcesOf(agent, { declared: [ofNginx, ofMysql], host: 'web2' }), 'file').find(
        (attributes) => 'path' in attributes && attributes.path === `/etc/default/prometheus-${name}`,
      );
    expect(owner('mysqld-exporter')).toMatchObject({ owner: 'prometheus', mode: '0640' });
    expect(owner('node-exporter')).not.toHaveProperty('owner');
  });

  test('listens on the address that others use, and on all where the host does not have it itself', () => {
    const file = '/etc/default/prometheus-node-exporter';
    expect(content(file)).toContain('--web.listen-address=10.0.0.1:9100 ');
    expect(content(file, { facts: { addresses: ['192.168.0.4'] } })).toContain('--web.listen-address=:9100 ');
    const ipv6 = { ...web1, address: 'fd00::1' };
    expect(content(file, { hosts: [ipv6], facts: { addresses: ['fd00::1'] } })).toContain(
      '--web.listen-address=[fd00::1]:9100 ',
    );
  });

  test('reads nginx and MySQL where their roles say, MySQL without a password', () => {
    const nginx = { ...ofNginx, url: 'http://127.0.0.1:9/status' };
    expect(content('/etc/default/prometheus-nginx-exporter', { declared: [nginx] })).toContain(
      '--nginx.scrape-uri=http://127.0.0.1:9/status',
    );
    const mysql = { ...ofMysql, socket: '/run/db.sock', user: 'metrics' };
    const login = content('/etc/prometheus-exporters/mysqld.cnf', { declared: [mysql], host: 'web2' });
    expect(login).toContain('socket = /run/db.sock');
    expect(login).toContain('user = metrics');
    expect(login).not.toMatch(/^password/m);
  });

  test('gives the nginx exporter of Debian 12 a certificate its own way, never plain text', () => {
    const given: RoleCase = { declared: [ofNginx], facts: { codename: 'bookworm' } };
    const options = content('/etc/default/prometheus-nginx-exporter', given);
    expect(options).toContain('--web.secured-metrics --web.ssl-server-cert=');
    expect(options).not.toContain('--web.config.file');
  });

  test('tells the addresses of a host where balancers share one', () => {
    const options = (declared: readonly Declared[]): string =>
      content('/etc/default/prometheus-node-exporter', { declared, host: 'web2' });
    const floating = { kind: 'floating_address', addresses: ['10.0.0.100'], host: web1, role: 'haproxy' };
    expect(options([floating])).toContain('--collector.netdev.address-info');
    expect(options([])).not.toContain('address-info');
  });

  test('takes the systemd collector always, others by the variable, and refuses what is no name', () => {
    const variables = { monitoring_node_collectors: ['processes', 'systemd'] };
    expect(content('/etc/default/prometheus-node-exporter', { variables })).toContain(
      '--collector.systemd --collector.processes --',
    );
    expect(agent.variables.safeParse({ monitoring_node_collectors: ['--no-x'] }).success).toBe(false);
  });
});
