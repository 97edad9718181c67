import {
  defineRole,
  directory,
  file,
  hostGroup,
  HostwrightError,
  link,
  permissions,
  pkg,
  service,
  unit,
  z,
  type ApplicationDeclaration,
  type BackendDeclaration,
  type CertificateDeclaration,
  type NginxMetricsDeclaration,
} from 'hostwright';
import { drain, drainFile, drainFolder, statusPort, undrain } from './drain.ts';

const certificate = '/etc/hostwright/pki/nginx.crt';
const authority = '/etc/hostwright/pki/ca.crt';

const size = z.string().regex(/^[1-9]\d*[kmg]?$/, 'expected a size such as "8m"');

/** Succeeds when workers answer and the port of the balancer is open. */
const answers = `exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET /stub_status HTTP/1.0\\r\\n\\r\\n' >&3
IFS= read -r status <&3
echo "stub_status: \${status:-no answer}"
[[ $status == 'HTTP/1.'?' 200'* ]] && exec 4<>"/dev/tcp/127.0.0.1/$2"`;

/**
 * The master says nothing of how a reload went: where it cannot bind a port it keeps the old workers, and only
 * its next start fails. So the new workers are waited for; it tries to bind for two and a half seconds. The old
 * ones answer beside them for another moment, as if nothing had changed, until they shut down.
 */
const reload = `master=$(systemctl show -p MainPID --value nginx)
workers() { cat "/proc/$master/task/$master/children"; }
before=" $(workers) "
logged=$(stat -c %s /var/log/nginx/error.log 2>/dev/null || echo 0)
taken_up() {
  new=no
  for worker in $(workers); do
    case $before in
    *" $worker "*) grep -aq 'shutting down' "/proc/$worker/cmdline" || [ ! -e "/proc/$worker" ] || return 1 ;;
    *) new=yes ;;
    esac
  done 2>/dev/null
  [ "$new" = yes ]
}
systemctl reload nginx
tries=0
until taken_up; do
  tries=$((tries + 1))
  if [ "$tries" -eq 50 ]; then
    echo 'nginx keeps working with the configuration of before:'
    tail -c "+$((logged + 1))" /var/log/nginx/error.log | grep -F '[emerg]' | sort -u -k 5
    exit 1
  fi
  sleep 0.2
done`;

export default defineRole({
  name: 'nginx',
  variables: z.object({
    nginx_port: z.number().int().min(1).max(65535).default(8443).describe('TLS, for the balancers'),
    nginx_clients: z
      .array(z.string().regex(/^[\w.-]+$/, 'expected the common name of a certificate'))
      .nonempty()
      .default(['haproxy'])
      .describe('common names of the certificates of the internal CA that are let in'),
    nginx_worker_connections: z
      .number()
      .int()
      .min(64)
      .default(4096)
      .describe('connections that one worker may hold open, to clients and to the application'),
    nginx_body_size: size.default('8m').describe('largest body of a request'),
    nginx_client_timeout: z
      .number()
      .int()
      .positive()
      .default(15)
      .describe('seconds between two reads of a request, or two writes of an answer'),
    nginx_app_timeout: z
      .number()
      .int()
      .positive()
      .default(60)
      .describe('seconds that the application may take to answer'),
    nginx_requests_per_client: z
      .number()
      .int()
      .min(0)
      .default(200)
      .describe('requests of one address at the same time, more get 429; 0 for any number'),
    nginx_compress_pages: z
      .boolean()
      .default(false)
      .describe('compress every text, not only files such as .css; see BREACH in the README'),
    nginx_keep: z
      .array(z.string())
      .default(['*-mod-*.conf'])
      .describe(
        'names in conf.d, sites-enabled and modules-enabled that stay although no role writes them, with * and ?; modules of packages',
      ),
    app_health_path: z
      .string()
      .regex(/^\/[\w./~-]*$/, 'expected a path such as /healthz')
      .default('/healthz')
      .describe('of the application: answers 200 while it can serve'),
  }),
  listens: ({ vars }) => [
    { port: vars.nginx_port, from: hostGroup('lb'), why: 'requests from the balancer' },
  ],
  declares: ({ vars }) => [
    { kind: 'certificate', name: 'nginx' } satisfies CertificateDeclaration,
    { kind: 'backend', port: vars.nginx_port, healthPath: vars.app_health_path } satisfies BackendDeclaration,
    {
      kind: 'metrics',
      of: 'nginx',
      url: `http://127.0.0.1:${statusPort}/stub_status`,
    } satisfies NginxMetricsDeclaration,
  ],
  resources: ({ vars, host, site, facts, template }) => {
    const application = site
      .declared<ApplicationDeclaration>('application')
      .find((declared) => declared.host.name === host.name);
    if (application === undefined) {
      throw new HostwrightError('E_ROLE', `nginx has no application on ${host.name} to pass requests to`, {
        place: { host: host.name },
        expected: 'a role on the same host that declares an application',
        hint: 'give the host the role app as well, in site.yml',
      });
    }
    const data = {
      vars,
      certificate,
      statusPort,
      drainFile,
      application: application.port,
      balancers: site.hosts('lb').map((balancer) => balancer.address),
      // Without IPv6 in the kernel nginx does not start with an IPv6 socket.
      hasIPv6: facts.ipv6 !== 'none',
    };
    const brought = { needs: ['package:nginx-light'] as const };
    return [
      pkg('nginx-light'),
      ...drainFolder(),
      // Its logs would fill the disk; nginx only recommends it.
      pkg('logrotate'),
      // Where nginx is configured, keeps the bodies of requests, and logs.
      ...['/etc/nginx', '/etc/nginx/sites-available', '/var/lib/nginx', '/var/log/nginx'].map((path) =>
        permissions(path, { mode: '0755' }, brought),
      ),
      // All that nginx.conf includes.
      ...['conf.d', 'modules-enabled', 'sites-enabled'].map((name) =>
        directory(`/etc/nginx/${name}`, { exclusive: true, keep: vars.nginx_keep }, brought),
      ),
      file('/etc/nginx/nginx.conf', { content: template('nginx/nginx.conf.hbs', data) }),
      file('/etc/nginx/sites-available/app', { content: template('nginx/app.conf.hbs', data) }),
      link('/etc/nginx/sites-enabled/app', { to: '../sites-available/app' }),
      unit(
        'nginx.service',
        { dropIn: 'hostwright', content: String(template('nginx/nginx.service.hbs', {})) },
        brought,
      ),
      service(
        'nginx',
        {
          reloadOn: ['/etc/nginx', certificate, authority],
          validate: ['nginx', '-t', '-q'],
          reload: ['sh', '-euc', reload],
          healthy: ['bash', '-c', answers, 'healthy', String(statusPort), String(vars.nginx_port)],
        },
        { needs: ['host_certificate:nginx', 'unit:nginx.service.d/hostwright.conf'] },
      ),
    ];
  },
  actions: { drain, undrain },
});
