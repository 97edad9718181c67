import {
  acmeCertificate,
  appRelease,
  aptRepository,
  authorizedKey,
  authorizedKeys,
  command,
  createAuthority,
  directory,
  dpkg,
  packageFiles,
  file,
  gitRelease,
  group,
  hostCertificate,
  hostname,
  line,
  galeraMember,
  mysqlGroupMember,
  link,
  mysqlDatabase,
  mysqlPrimary,
  mysqlReplica,
  mysqlSettings,
  mysqlUser,
  permissions,
  pkg,
  Secret,
  service,
  sysctl,
  tlsBundle,
  ufw,
  unit,
  user,
  type Resource,
} from '../../src/index.ts';

/** Variables of a role, as the examples use them. */
const vars = {
  api_key: new Secret('key'),
  password: new Secret('password'),
  password_hash: new Secret('$6$salt$hash'),
  pki_ca: new Secret(await createAuthority()),
};

/** Resources of each type, by its name. docs/resources.md shows this text, so it reads as in a role. */
export const examples: Readonly<Record<string, readonly Resource[]>> = {
  file: [
    file('/etc/motd', { content: 'Managed by Hostwright.\n' }),
    file('/etc/app.key', { content: vars.api_key, group: 'app', mode: '0640' }),
    file('/etc/sudoers.d/admin', {
      content: 'admin ALL=(ALL) NOPASSWD: ALL\n',
      mode: '0440',
      validate: ['visudo', '-c', '-f'],
    }),
    file('/etc/cron.d/old', { absent: true }),
  ],
  directory: [
    directory('/srv/app', { owner: 'app', group: 'app', mode: '0750' }),
    directory('/srv/old', { absent: true }),
    // Nothing else may be in it; plan names what goes.
    directory('/etc/app.d', { exclusive: true, keep: ['50-provider.conf'] }),
  ],
  link: [
    link('/etc/localtime', { to: '/usr/share/zoneinfo/Europe/Berlin' }),
    link('/etc/nginx/sites-enabled/default', { absent: true }, { needs: ['package:nginx-light'] }),
  ],
  line: [
    line('/etc/hosts', { line: '10.0.0.2 db.internal' }),
    line('/etc/login.defs', { line: 'UMASK 027', match: '^UMASK[[:space:]]' }),
    line('/etc/fstab', { match: '[[:space:]]swap[[:space:]]', absent: true }),
  ],
  dpkg: [dpkg()],
  package_files: [packageFiles()],
  apt_repository: [
    aptRepository('sid', {
      uris: ['http://deb.debian.org/debian'],
      suites: ['sid'],
      pin: { release: 'o=Debian,n=sid', priority: 50 },
    }),
  ],
  package: [
    pkg('nginx-light'),
    pkg('mysql-server', { release: 'sid', held: true }),
    pkg('telnetd', { absent: true }),
  ],
  group: [
    group('app', { system: true }),
    // Nobody else may be in it; plan names who is taken out.
    group('secrets', { exclusive: true, keep: ['backup'] }),
  ],
  user: [
    user('app', { system: true, group: 'app' }),
    user('anna', { groups: ['sudo'], shell: '/bin/bash', passwordHash: vars.password_hash }),
  ],
  permissions: [
    permissions('/var/lib/mysql', { owner: 'mysql', group: 'mysql', mode: '0750' }),
    permissions('/etc/ssh/ssh_host_ed25519_key', { mode: '0600' }),
  ],
  authorized_keys: [authorizedKeys('anna')],
  authorized_key: [
    authorizedKey(
      'anna',
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5m1T6VxkKc0rj1VZk6n0kqWmS3aB anna',
      {
        options: 'restrict,pty,from="10.0.0.0/8"',
      },
    ),
  ],
  unit: [
    unit('app.service', { content: '[Service]\nExecStart=/srv/app/current/bin/app\nUser=app\n' }),
    unit('nginx.service', { dropIn: 'limits', content: '[Service]\nLimitNOFILE=65536\n' }),
  ],
  service: [
    service('nginx', {
      reloadOn: ['/etc/nginx'],
      validate: ['nginx', '-t', '-q'],
      healthy: ['curl', '-fsS', 'http://127.0.0.1/healthz'],
    }),
    service('app', { restartOn: ['/etc/app.key'] }),
    service('avahi-daemon', { running: false, enabled: false }),
  ],
  sysctl: [sysctl('net.ipv4.ip_forward', { value: 1 })],
  hostname: [hostname('web1')],
  ufw: [
    ufw({
      rules: [
        { action: 'limit', port: 22, why: 'ssh' },
        { port: 443, why: 'the site' },
        { port: 3306, from: '10.0.0.0/24', why: 'MySQL for the application' },
      ],
    }),
  ],
  app_release: [
    appRelease(
      '/srv/app',
      gitRelease('https://git.example.org/app.git', '6c1e0f3c5d0b7a1d4f1e2a9b8c7d6e5f4a3b2c1d'),
      { keep: 5 },
    ),
  ],
  command: [
    command('create the search index', {
      run: ['/srv/app/current/bin/index', '--all'],
      creates: '/var/lib/app/index',
      timeout: 600,
    }),
    command('migrate the database', { run: ['app', 'migrate'], unless: ['app', 'is-migrated'] }),
  ],
  mysql_database: [mysqlDatabase('shop', { flavor: 'mysql', charset: 'utf8mb4' })],
  mysql_user: [
    mysqlUser('shop', '10.0.0.%', {
      flavor: 'mysql',
      password: vars.password,
      grants: { 'shop.*': ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
    }),
    mysqlUser('prometheus', 'localhost', { flavor: 'mysql', socket: true, grants: { '*.*': ['PROCESS'] } }),
    mysqlUser('', 'localhost', { flavor: 'mysql', absent: true }),
  ],
  mysql_settings: [
    mysqlSettings('mysql', {
      flavor: 'mysql',
      unit: 'mysql.service',
      settings: { max_connections: '200', require_secure_transport: 'ON' },
    }),
  ],
  galera_member: [
    galeraMember('web2', {
      options: ['evs.suspect_timeout=PT2S'],
      restart: ['systemctl', 'restart', 'mariadb'],
    }),
  ],
  mysql_group_member: [
    mysqlGroupMember('web2', {
      user: 'replication',
      password: vars.password,
      from: ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
      ca: '/etc/hostwright/pki/ca.crt',
      certificate: '/etc/hostwright/pki/mysql.crt',
      key: '/etc/hostwright/pki/mysql.key',
      join: ['/usr/local/lib/hostwright/mysql-join'],
      start: { kind: 'join' },
    }),
  ],
  mysql_primary: [mysqlPrimary('web2', { flavor: 'mysql' })],
  mysql_replica: [
    mysqlReplica('web2', {
      flavor: 'mysql',
      address: '10.0.0.2',
      user: 'replication',
      password: vars.password,
      seedUser: 'seed',
      seedPassword: vars.password,
      ca: '/etc/hostwright/pki/ca.crt',
      certificate: '/etc/hostwright/pki/mysql.crt',
      key: '/etc/hostwright/pki/mysql.key',
    }),
  ],
  host_certificate: [
    hostCertificate('nginx', { names: ['web1', '10.0.0.1'], group: 'www-data', authority: vars.pki_ca }),
  ],
  tls_bundle: [
    tlsBundle('/etc/haproxy/certs/site.pem', {
      names: ['www.example.org', 'example.org'],
      copy: '/var/lib/issued.pem',
    }),
  ],
  acme_certificate: [
    acmeCertificate({
      names: ['www.example.org', 'example.org'],
      directory: 'https://acme-v02.api.letsencrypt.org/directory',
      bundle: '/etc/haproxy/certs/site.pem',
      issued: '/var/lib/issued.pem',
      issuedBy: '/var/lib/issued-by',
      unit: 'issue.service',
      check: ['issue', 'check'],
    }),
  ],
};
