import {
  defineRole,
  directory,
  file,
  link,
  permissions,
  pkg,
  z,
  type NginxMetricsDeclaration,
} from 'hostwright';
import { webServer } from '../web_servers/contract.ts';
import { statusPort } from '../web_servers/server.ts';
import { nginx as server } from '../web_servers/nginx.ts';

const nginx = webServer(server);

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
    ...nginx.variables,
    nginx_worker_connections: z
      .number()
      .int()
      .min(64)
      .default(4096)
      .describe('connections that one worker may hold open, to clients and to the application'),
    nginx_requests_per_client: z
      .number()
      .int()
      .min(0)
      .default(200)
      .describe('requests of one address at the same time, more get 429; 0 for any number'),
    nginx_journal: z
      .enum(['failed', 'all'])
      .default('failed')
      .describe(
        'requests that are written into the journal too: those that failed or took the application a second, or all',
      ),
    nginx_keep: z
      .array(z.string())
      .default(['*-mod-*.conf'])
      .describe(
        'names in conf.d, sites-enabled and modules-enabled that stay although no role writes them, with * and ?; modules of packages',
      ),
  }),
  listens: (context) => nginx.listens(context),
  declares: (context) =>
    nginx.declares(context, [
      {
        kind: 'metrics',
        of: 'nginx',
        url: `http://127.0.0.1:${statusPort}${server.statusPath}`,
      } satisfies NginxMetricsDeclaration,
    ]),
  resources: (context) =>
    nginx.resources(context, (data) => {
      const { vars, template } = context;
      const brought = { needs: ['package:nginx-light'] as const };
      return {
        package: 'nginx-light',
        resources: [
          pkg('nginx-light'),
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
          file('/etc/nginx/nginx.conf', {
            content: template('nginx/nginx.conf.hbs', {
              ...data,
              journalsAll: vars.nginx_journal === 'all',
            }),
          }),
          file('/etc/nginx/sites-available/app', { content: template('nginx/app.conf.hbs', data) }),
          link('/etc/nginx/sites-enabled/app', { to: '../sites-available/app' }),
        ],
        service: {
          reloadOn: ['/etc/nginx'],
          validate: ['nginx', '-t', '-q'],
          reload: ['sh', '-euc', reload],
        },
      };
    }),
  actions: nginx.actions,
});
