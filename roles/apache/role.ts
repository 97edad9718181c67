import { defineRole, directory, file, permissions, pkg, z, type ApacheMetricsDeclaration } from 'hostwright';
import { webServer } from '../web_servers/contract.ts';
import { statusPort } from '../web_servers/server.ts';
import { bytesOf } from '../web_servers/variables.ts';
import { apache as server } from '../web_servers/apache.ts';

const apache = webServer(server);

const configuration = '/etc/apache2/apache2.conf';
const unhealthy = '/etc/apache2/unhealthy.asis';
/** Apache gives it each line of the access log. */
const accessLog = '/usr/local/lib/hostwright/apache-access-log';

/** Of each process. */
const threads = 25;

/** Those that the configuration uses, and no others: the package's own configuration is not read. */
const modules = [
  ...['mpm_event', 'authz_core', 'authz_host', 'alias', 'asis', 'deflate', 'filter', 'headers', 'proxy'],
  ...['proxy_http', 'proxy_wstunnel', 'remoteip', 'reqtimeout', 'socache_shmcb', 'ssl', 'status'],
];

/** What Apache says of its generation: it ends over a configuration that it cannot take up after it was checked. */
const reload = `generation() {
  exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.0\\r\\n\\r\\n' "$2" >&3 &&
    awk '/^ParentServerConfigGeneration:/ { print $2 }' <&3
}
before=$(generation "$@")
systemctl reload apache2
for _ in {1..50}; do
  if after=$(generation "$@" 2>/dev/null) && [ "\${after:-0}" -gt "\${before:-0}" ]; then exit 0; fi
  sleep 0.2
done
echo 'Apache does not answer with the new configuration:'
tail -n 5 /var/log/apache2/error.log
exit 1`;

export default defineRole({
  name: 'apache',
  variables: z.object({
    ...apache.variables,
    apache_requests: z
      .number()
      .int()
      .min(threads)
      .max(10_000)
      .default(400)
      .describe('requests in hand at the same time, websockets among them; more wait'),
    apache_keep: z
      .array(z.string())
      .default([])
      .describe('names in /etc/apache2/conf.d that stay although no role writes them, with * and ?'),
  }),
  listens: (context) => apache.listens(context),
  declares: (context) =>
    apache.declares(context, [
      {
        kind: 'metrics',
        of: 'apache',
        url: `http://127.0.0.1:${statusPort}${server.statusPath}`,
      } satisfies ApacheMetricsDeclaration,
    ]),
  resources: (context) =>
    apache.resources(context, (data) => {
      const { vars, host, template } = context;
      const processes = Math.ceil(vars.apache_requests / threads);
      const content = template('apache/apache2.conf.hbs', {
        ...data,
        host: host.name,
        modules,
        unhealthy,
        accessLog,
        bodyBytes: bytesOf(data.settings.body_size),
        healthPath: vars.app_health_path,
        threads,
        requests: processes * threads,
        // Those of before a reload end their requests beside the new ones.
        processes: 2 * processes,
      });
      const brought = { needs: ['package:apache2'] as const };
      return {
        package: 'apache2',
        resources: [
          pkg('apache2'),
          // Its logs would fill the disk.
          pkg('logrotate'),
          ...['/etc/apache2', '/var/log/apache2'].map((path) => permissions(path, { mode: '0755' }, brought)),
          directory('/etc/apache2/conf.d', { exclusive: true, keep: vars.apache_keep }, brought),
          directory('/usr/local/lib/hostwright'),
          file(accessLog, { content: template('apache/access-log.sh.hbs', {}), mode: '0755' }),
          file(configuration, { content }),
          file(unhealthy, { content: template('apache/unhealthy.asis.hbs', {}) }),
        ],
        service: {
          reloadOn: [configuration, unhealthy, accessLog, '/etc/apache2/conf.d'],
          validate: ['apache2ctl', 'configtest'],
          reload: ['bash', '-euc', reload, 'reload', String(statusPort), server.statusPath],
        },
      };
    }),
  actions: apache.actions,
});
