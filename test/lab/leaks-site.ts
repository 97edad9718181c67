import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hostileMarker, marker, type Marker } from './leaks-marker.ts';

/** The variables of the site that are secret; `old` and `new` values for each. */
export function secretsOfTheSite(age: 'old' | 'new'): readonly Marker[] {
  const named = (name: string) => `${name} (${age})`;
  return [
    ...[
      ...['leaks_file', 'leaks_template', 'leaks_line', 'leaks_stdin', 'leaks_mysql', 'leaks_environment'],
      ...['leaks_reporter', 'monitoring_email_password'],
    ].map((name) => hostileMarker(named(name))),
    ...['monitoring_slack_webhook', 'monitoring_webhook'].map((name) =>
      marker(named(name), (core) => `http://127.0.0.1:9/${core}`),
    ),
    // What the server itself stores, and hands to the other.
    marker(named('mysql_replication_password')),
    marker(named('mysql_seed_password')),
    marker(named('mysql_observer_password')),
    hostileMarker(named('ansible_become_password')),
    marker(named('app_database_password'), (core) => `${core}'"\\ $(x);%41&#ü`),
    marker(named('leaks_hash'), (core) => `$6$salt$${core}`),
    marker(
      named('leaks_key'),
      (core) => `-----BEGIN PRIVATE KEY-----\n${core}\n${core}2\n-----END PRIVATE KEY-----\n`,
    ),
  ];
}

export function variableOf({ name }: Marker): string {
  return name.split(' ')[0] ?? name;
}

const role = `import { command, defineRole, file, line, mysqlUser, secret, user, z } from 'hostwright';

const fault = z.enum(['none', 'template', 'stderr', 'validator', 'sql', 'line', 'hash', 'base64']).default('none');

export default defineRole({
  name: 'leaks',
  variables: z.object({
    leaks_file: secret(), leaks_template: secret(), leaks_line: secret(), leaks_stdin: secret(),
    leaks_mysql: secret(), leaks_environment: secret(), leaks_hash: secret(), leaks_key: secret(), leaks_reporter: secret(),
    leaks_fault: fault, leaks_number: z.number().optional(),
  }),
  resources: ({ vars, template }) => {
    const own = vars.leaks_file;
    return [
      file('/etc/leaks/file', { content: own, mode: '0600' }, { needs: ['command:make /etc/leaks'] }),
      file('/etc/leaks/template', { content: template('leaks/config.hbs', { password: vars.leaks_template }), mode: '0600' }, { needs: ['command:make /etc/leaks'] }),
      file('/etc/leaks/key', { content: vars.leaks_key, mode: '0600' }, { needs: ['command:make /etc/leaks'] }),
      file('/etc/leaks/lines', { owner: 'root', mode: '0600' }, { needs: ['command:make /etc/leaks'] }),
      line('/etc/leaks/lines', { line: vars.leaks_line, match: '.' }),
      command('make /etc/leaks', { run: ['mkdir', '-p', '/etc/leaks'], creates: '/etc/leaks' }),
      command('read a secret', { run: ['sh', '-c', 'cat >/etc/leaks/read; chmod 0600 /etc/leaks/read'], creates: '/etc/leaks/read', stdin: vars.leaks_stdin }, { needs: ['command:make /etc/leaks'] }),
      user('leaky', { passwordHash: vars.leaks_hash }),
      mysqlUser('leaky', 'localhost', { flavor: 'mysql', password: vars.leaks_mysql }, { needs: ['service:mysql.service'] }),
      ...({
        none: () => [],
        template: () => [file('/etc/leaks/fault', { content: template('leaks/fault.hbs', { password: vars.leaks_template }) })],
        stderr: () => [command('fail', { run: ['sh', '-c', 'cat >&2; exit 3'], unless: ['false'], stdin: vars.leaks_stdin })],
        validator: () => [file('/etc/leaks/fault', { content: template('leaks/config.hbs', { password: vars.leaks_template }), validate: ['sh', '-c', 'echo "$0: bad line:"; cat "$0"; exit 1'] })],
        sql: () => [command('bad sql', { run: ['mysql'], unless: ['false'], stdin: own })],
        line: () => [line('/etc/leaks/fault', { line: vars.leaks_key, match: '.' })],
        hash: () => [user('leakier', { passwordHash: own })],
        base64: () => [command('encode', { run: ['sh', '-c', 'base64 -w0 >&2; exit 1'], unless: ['false'], stdin: vars.leaks_key })],
      })[vars.leaks_fault](),
    ];
  },
});
`;

/** A project of its own: a role with a secret of every kind, and Hostwright's own roles that hold secrets. */
export async function writeProject(folder: string, hosts: string): Promise<void> {
  const files: Readonly<Record<string, string>> = {
    'site.yml': `- hosts: all\n  roles: [pki]\n- hosts: db\n  serial: 1\n  roles: [mysql]\n- hosts: app\n  roles: [app, leaks]\n- hosts: monitoring\n  roles: [monitoring_server]\n`,
    'roles/leaks/role.ts': role,
    'templates/leaks/config.hbs': 'user = leaky\npassword = {{password}}\n',
    'templates/leaks/fault.hbs': 'first\n{{#each password}}{{this.name}}{{/each}}\n',
    'release/healthz': 'ok\n',
    'inventory/hosts.yml': hosts,
    'inventory/group_vars/all/main.yml': [
      'app_source: release',
      'app_packages: [python3]',
      'app_command: [python3, -m, http.server, --bind, 127.0.0.1, "3000"]',
      'app_database: shop',
      'app_environment: {SECRET: "{{leaks_environment}}"}',
      'mysql_users: [{name: reporter, from: app, password: "{{leaks_reporter}}", grants: {"*.*": [PROCESS]}}]',
      'monitoring_email_to: ops@example.org',
      'monitoring_email_from: alerts@example.org',
      'monitoring_email_smarthost: 127.0.0.1:9',
      'monitoring_email_username: alerts',
      'mysql_settings: {general_log: "ON", general_log_file: /var/lib/mysql/general.log, innodb_buffer_pool_size: 64M}',
      '',
    ].join('\n'),
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** Two databases, one of which runs the application; `boss` must give a password to sudo. */
export function hostsFile(lab: string, addresses: readonly [string, string]): string {
  const [first, second] = addresses;
  return `all:
  hosts:
    web1: {ansible_host: ${first}}
    web2: {ansible_host: ${second}}
  vars:
    ansible_user: boss
    ansible_become: true
    ansible_ssh_private_key_file: ${lab}/ssh/id_ed25519
    ansible_ssh_common_args: -o UserKnownHostsFile=${lab}/ssh/known_hosts
  children:
    db: {hosts: {web1: , web2: }}
    app: {hosts: {web1: }}
    monitoring: {hosts: {web2: }}
`;
}

export function hashOf(password: string): string {
  return execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: password }).toString().trim();
}
