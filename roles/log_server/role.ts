import {
  defineRole,
  directory,
  file,
  hostGroup,
  HostwrightError,
  link,
  pkg,
  service,
  unit,
  z,
  type CertificateDeclaration,
  type Declared,
  type Resource,
  type RoleContext,
} from 'hostwright';
import {
  digestOf,
  journalRemote,
  store,
  storeAccount,
  type LogSenderDeclaration,
  type LogServerDeclaration,
} from '../logs/journal-remote.ts';
import { listensOn, sandbox } from '../monitoring/service.ts';

const front = 'haproxy-logs';
const frontFolder = `/etc/${front}`;
const frontConfig = `${frontFolder}/haproxy.cfg`;
const certificate = 'log-server';
const configFolder = '/etc/systemd/journal-remote.conf.d';

const variables = z.object({
  log_server_port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .default(19532)
    .describe('TLS, for the hosts of the site'),
  log_server_size: z
    .string()
    .regex(/^[1-9]\d{0,5}[MG]$/, 'expected a size such as "500M"')
    .default('500M')
    .describe('the most that the logs of one host take; the oldest of that host go first'),
  log_server_days: z
    .number()
    .int()
    .positive()
    .default(30)
    .describe('days that logs are kept; they may hold what is personal, such as addresses of visitors'),
});

type Context = RoleContext<z.output<typeof variables>>;

/** It ends when the new process works; where that does not start, the previous one goes on, and the status says so. */
const reload = `systemctl reload ${front}
status=$(systemctl show -P StatusText ${front})
case $status in *ailed*) echo "${front}: $status"; exit 1 ;; esac`;

/**
 * A receiver, a folder and a bound of its own for each host: one that floods takes nobody else's lines. The name of a
 * folder is like the id of a machine: others are not read.
 */
function receiver({ host, peer }: Declared<LogSenderDeclaration>): readonly Resource[] {
  const folder = `${store}/${digestOf(host)}`;
  return [
    directory(
      folder,
      { owner: storeAccount, group: storeAccount, mode: '2750' },
      { needs: ['package:systemd-journal-remote'] },
    ),
    link(`${store}/${peer}`, { to: digestOf(host) }),
    service(`journal-in@${peer}.socket`, {}, { needs: ['unit:journal-in@.socket', 'package:haproxy'] }),
    service(
      `journal-in@${peer}.service`,
      { enabled: false, restartOn: [configFolder] },
      { needs: [`service:journal-in@${peer}.socket`, 'unit:journal-in@.service'] },
    ),
  ];
}

function receivers({ vars, template }: Context, senders: readonly Declared<LogSenderDeclaration>[]) {
  const confined = sandbox(template, { families: ['AF_UNIX'], writes: [store] });
  const data = { store, account: storeAccount, sandbox: confined };
  const megabytes =
    Number.parseInt(vars.log_server_size, 10) * (vars.log_server_size.endsWith('G') ? 1024 : 1);
  return [
    directory(configFolder, { exclusive: true }),
    file(`${configFolder}/hostwright.conf`, {
      content: template('log_server/journal-remote.conf.hbs', {
        size: `${megabytes}M`,
        // Whole files go: an eighth of what a host has at a time.
        fileSize: `${Math.max(8, Math.floor(megabytes / 8))}M`,
      }),
    }),
    directory(store),
    file('/etc/tmpfiles.d/hostwright-logs.conf', {
      content: template('log_server/tmpfiles.conf.hbs', {
        days: vars.log_server_days,
        folders: senders.map(({ host }) => `${store}/${digestOf(host)}`),
      }),
    }),
    unit('journal-in@.socket', { content: String(template('log_server/journal-in.socket.hbs', data)) }),
    unit('journal-in@.service', { content: String(template('log_server/journal-in.service.hbs', data)) }),
    ...senders.flatMap(receiver),
  ];
}

/** journal-remote is built without a check of certificates in Debian: HAProxy does it, and knows each host by name. */
function checkingFront(
  { vars, host, site, facts, template }: Context,
  senders: readonly Declared<LogSenderDeclaration>[],
) {
  const isBalancer = site.listens(host.name).some(({ role }) => role === 'haproxy');
  return [
    pkg('haproxy'),
    // The package starts one with its own configuration, which serves nobody.
    ...(isBalancer ? [] : [service('haproxy', { running: false, enabled: false })]),
    directory(frontFolder, { exclusive: true }),
    file(frontConfig, {
      content: template('log_server/haproxy.cfg.hbs', {
        port: vars.log_server_port,
        hasIPv6: facts.ipv6 !== 'none',
        certificate,
        peers: senders.map(({ peer }) => peer),
      }),
    }),
    unit(
      `${front}.service`,
      { content: String(template('log_server/haproxy-logs.service.hbs', { config: frontConfig })) },
      { needs: ['package:haproxy'] },
    ),
    service(
      front,
      {
        reloadOn: [frontConfig, `/etc/hostwright/pki/${certificate}.crt`, '/etc/hostwright/pki/ca.crt'],
        validate: ['haproxy', '-c', '-dW', '-f', frontConfig],
        healthy: [...listensOn(vars.log_server_port)],
        reload: ['sh', '-euc', reload],
      },
      { needs: [`host_certificate:${certificate}`] },
    ),
  ];
}

export default defineRole({
  name: 'log_server',
  variables,
  declares: ({ vars }): readonly (CertificateDeclaration | LogServerDeclaration)[] => [
    { kind: 'certificate', name: certificate, group: 'haproxy', usage: ['server'] },
    { kind: 'log_server', port: vars.log_server_port },
  ],
  listens: ({ vars }) => [
    { port: vars.log_server_port, from: hostGroup('all'), why: 'the journals of all hosts' },
  ],
  resources: (context) => {
    const { facts, host, site } = context;
    if (facts.codename === 'bookworm') {
      throw new HostwrightError('E_ROLE', 'a log server needs Debian 13 or later', {
        place: { host: host.name },
        found: 'the systemd of Debian 12, which keeps logs without a bound',
        hint: 'give the group logs another host; Debian 12 can send its logs',
      });
    }
    const servers = site.declared<LogServerDeclaration>('log_server').map((one) => one.host.name);
    if (servers.length > 1) {
      throw new HostwrightError('E_ROLE', 'the site has several log servers', {
        found: servers.join(', '),
        expected: 'one: a sender knows one server',
      });
    }
    const senders = site.declared<LogSenderDeclaration>('log_sender');
    return [...journalRemote(), ...receivers(context, senders), ...checkingFront(context, senders)];
  },
});
