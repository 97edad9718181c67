import { isIP } from 'node:net';
import {
  defineRole,
  directory,
  file,
  hostGroup,
  permissions,
  pkg,
  service,
  tlsBundle,
  unit,
  type AcmeAccountDeclaration,
  type BackendDeclaration,
  type CertificateDeclaration,
  type Declared,
  type Facts,
  type ScrapeDeclaration,
  type SiteHost,
} from 'hostwright';
import { bundle } from '../acme/shared.ts';
import { bracketed } from '../balancers/bracketed.ts';
import { join, leave } from './actions.ts';
import { current } from './runtime.ts';
import { variables, type Variables } from './variables.ts';

const metricsPort = 8404;

/** Mozilla's intermediate list of TLS 1.2. */
const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
const ciphersuites = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

interface Listener {
  readonly address: string;
  readonly options: string;
}

/** One for each family that the kernel has: without IPv6 a socket for it cannot be made. */
function listeners({ ipv6 }: Facts): readonly Listener[] {
  return [
    { address: '0.0.0.0', options: '' },
    ...(ipv6 !== 'none' ? [{ address: '[::]', options: ' v6only' }] : []),
  ];
}

/** A pattern for the Host headers that stand for a name: in any case, with the dot of the root, with a port. */
function hostPattern(name: string): string {
  return `^${name.replaceAll('.', String.raw`\.`)}\\.?(:[0-9]+)?$`;
}

/** What one address may do, and which addresses are not asked. */
function limits(vars: Variables, everyHost: readonly SiteHost[]) {
  const { haproxy_max_connections_per_address: connections, haproxy_max_requests_per_address: requests } =
    vars;
  const own = everyHost.map(({ address }) => address).filter((address) => isIP(address) !== 0);
  return {
    any: connections > 0 || requests > 0,
    connections,
    requests,
    unlimited: [...new Set(['127.0.0.1', '::1', ...own, ...vars.haproxy_unlimited_addresses])],
  };
}

interface Site {
  readonly hosts: readonly SiteHost[];
  readonly backends: readonly Declared<BackendDeclaration>[];
  /** What answers challenges of the ACME CA. */
  readonly thumbprint: string | undefined;
}

function configuration(vars: Variables, facts: Facts, { hosts, backends, thumbprint }: Site) {
  return {
    domain: vars.domain,
    hostPatterns: [vars.domain, ...vars.certificate_names].map(hostPattern),
    limits: limits(vars, hosts),
    listeners: listeners(facts),
    bundle,
    balance: vars.haproxy_balance,
    maxConnections: vars.haproxy_max_connections,
    serverTimeout: vars.haproxy_server_timeout,
    hardStopAfter: vars.haproxy_hard_stop_after,
    hsts: vars.haproxy_hsts_seconds,
    errorsOnly: vars.haproxy_log === 'errors',
    thumbprint,
    metricsPort,
    metricsClient: 'prometheus',
    // The hybrid group came with OpenSSL 3.5, which Debian 12 does not have.
    curves: `${facts.codename === 'bookworm' ? '' : 'X25519MLKEM768:'}X25519:prime256v1:secp384r1`,
    ciphers,
    ciphersuites,
    pageStatuses: [502, 503, 504],
    healthPath: backends[0]?.healthPath ?? '/',
    servers: backends.map(({ host, port }) => ({
      name: host.name,
      address: bracketed(host),
      port,
    })),
  };
}

/** The role certificate leaves a copy of what it was issued here. */
const issuedBundle = '/var/lib/hostwright/certificate/site.pem';

/** The master process answers only when the new worker runs, or says why it does not. */
const reloadAndAsk = `answer=$(echo reload | master)
printf '%s\\n' "$answer"
case $answer in *Success=1*) ;; *) exit 1 ;; esac`;

/**
 * The previous worker accepts connections until it has handled the signal that ends it, which may be a moment after
 * the new one works: the reload is done when no previous worker does so any more.
 */
const reload = (
  command: string,
): string => `master() { timeout 60 socat -t60 - UNIX-CONNECT:/run/haproxy-master.sock; }
ended() { [ ! -e "/proc/$1" ] || echo "@!$1 show info" | timeout 1 socat -t1 - UNIX-CONNECT:/run/haproxy-master.sock | grep -qx 'Stopping: 1'; }
previous=$(echo 'show proc' | master | awk '$2 == "worker" { print $1 }')
${command}
for worker in $previous; do
  tries=0
  until ended "$worker"; do
    tries=$((tries + 1))
    if [ "$tries" -eq 50 ]; then
      echo "process $worker still accepts connections with the previous configuration"
      exit 1
    fi
    sleep 0.2
  done
done`;

/** It sends visitors on to https. */
const answers = `exec 3<>/dev/tcp/127.0.0.1/80 && printf 'GET / HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' "$1" >&3
IFS= read -r status <&3
echo "port 80: \${status:-no answer}"
[[ $status == 'HTTP/1.'* ]]`;

/** Debian's unit takes options from here, which would win over those of the unit and its main file. */
const defaults = '# Written by Hostwright: no options beside those of the unit.\n';

/** HAProxy starts as root for its ports, sockets and keys, and its workers change to a user of their own. */
const sandbox = (maxConnections: number): string => `[Service]
# Two for a connection, and some for listeners, checks and reloads.
LimitNOFILE=${2 * maxConnections + 1000}
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID CAP_SYS_CHROOT CAP_DAC_OVERRIDE CAP_KILL CAP_CHOWN CAP_FOWNER
ProtectSystem=strict
ReadWritePaths=/run /var/lib/haproxy
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service @chown @setuid chroot
SystemCallErrorNumber=EPERM
UMask=0077
`;

export default defineRole({
  name: 'haproxy',
  variables,
  listens: () => [
    { port: 80, from: 'internet', why: 'redirects to https, and challenges of the ACME CA' },
    { port: 443, from: 'internet', why: 'the site' },
    { port: metricsPort, from: hostGroup('monitoring'), why: 'metrics of HAProxy' },
  ],
  declares: (): readonly (CertificateDeclaration | ScrapeDeclaration)[] => [
    { kind: 'certificate', name: 'haproxy' },
    { kind: 'scrape', job: 'haproxy', port: metricsPort },
  ],
  actions: { leave, join },
  resources: ({ vars, host, facts, site, template }) => {
    const backends = site.declared<BackendDeclaration>('backend');
    const accounts = site.declared<AcmeAccountDeclaration>('acme_account');
    const account = accounts.find((declared) => declared.host.name === host.name);
    const data = configuration(vars, facts, {
      hosts: site.hosts('all'),
      backends,
      thumbprint: account?.thumbprint,
    });
    const brought = { needs: ['package:haproxy'] as const };
    const content = template('haproxy/haproxy.cfg.hbs', data);
    return [
      pkg('haproxy'),
      pkg('socat'),
      pkg('openssl'),
      permissions('/etc/haproxy', { mode: '0755' }, brought),
      permissions('/var/lib/haproxy', { mode: '0755' }, brought),
      directory('/etc/haproxy/certs', { mode: '0700', exclusive: true, keep: vars.haproxy_keep }, brought),
      // HAProxy's own pages, which nothing reads.
      directory('/etc/haproxy/errors', { exclusive: true, keep: ['*.http', ...vars.haproxy_keep] }, brought),
      file('/etc/default/haproxy', { content: defaults }, brought),
      tlsBundle(bundle, { names: [vars.domain, ...vars.certificate_names], copy: issuedBundle }),
      file('/etc/haproxy/errors/away.html', {
        content: template('haproxy/away.html.hbs', { domain: vars.domain }),
      }),
      file('/etc/haproxy/haproxy.cfg', { content }),
      unit('haproxy.service', { dropIn: 'hostwright', content: sandbox(vars.haproxy_max_connections) }),
      service(
        'haproxy',
        {
          reloadOn: [
            '/etc/haproxy/haproxy.cfg',
            '/etc/haproxy/errors',
            '/etc/hostwright/pki/haproxy.crt',
            '/etc/hostwright/pki/haproxy.pem',
            '/etc/hostwright/pki/ca.crt',
          ],
          restartOn: ['/etc/systemd/system/haproxy.service.d', '/etc/default/haproxy'],
          validate: ['haproxy', '-c', '-dW', '-f', '/etc/haproxy/haproxy.cfg'],
          healthy: ['bash', '-c', answers, 'healthy', vars.domain],
          ...(typeof content === 'string' ? { current: current(content, bundle) } : {}),
          // The master of Debian 12 (2.6) reloads without saying how it went.
          reload: [
            'sh',
            '-euc',
            reload(facts.codename === 'bookworm' ? 'systemctl reload haproxy' : reloadAndAsk),
          ],
        },
        { needs: ['host_certificate:haproxy', 'file:/etc/hostwright/pki/ca.crt'] },
      ),
    ];
  },
});
