import {
  defineRole,
  directory,
  file,
  hostGroup,
  permissions,
  pkg,
  z,
  type ScrapeDeclaration,
} from 'hostwright';
import { webServer } from '../web_servers/contract.ts';
import { bytesOf } from '../web_servers/variables.ts';
import { caddy as server } from '../web_servers/caddy.ts';

const caddy = webServer(server);

const configuration = '/etc/caddy/Caddyfile';
/** Of its own count of requests, for the monitoring server. */
const metricsPort = 9118;

/** As the user that runs it: as root it would leave a log that Caddy cannot write to, and read keys that it cannot. */
const validate: [string, ...string[]] = [
  ...(['setpriv', '--reuid=caddy', '--regid=caddy', '--init-groups', '--no-new-privs'] as const),
  ...['env', 'HOME=/var/lib/caddy', 'caddy', 'validate', '--adapter', 'caddyfile', '--config', configuration],
];

export default defineRole({
  name: 'caddy',
  variables: z.object({
    ...caddy.variables,
    caddy_keep: z
      .array(z.string())
      .default([])
      .describe('names in /etc/caddy/conf.d that stay although no role writes them, with * and ?'),
  }),
  listens: (context) =>
    caddy.listens(context, [
      { port: metricsPort, from: hostGroup('monitoring'), why: 'caddy metrics for monitoring' },
    ]),
  declares: (context) =>
    caddy.declares(context, [
      { kind: 'scrape', job: 'caddy', port: metricsPort } satisfies ScrapeDeclaration,
    ]),
  resources: (context) =>
    caddy.resources(context, (data) => {
      const { vars, facts, template } = context;
      const content = template('caddy/Caddyfile.hbs', {
        ...data,
        bodyBytes: bytesOf(data.settings.body_size),
        healthPath: vars.app_health_path,
        metricsPort,
        metricsClient: 'prometheus',
        // Names of settings that have changed since 2.6, which Debian 12 and 13 have.
        isOld: ['bookworm', 'trixie'].includes(facts.codename),
      });
      const brought = { needs: ['package:caddy'] as const };
      return {
        package: 'caddy',
        resources: [
          pkg('caddy'),
          permissions('/etc/caddy', { mode: '0755' }, brought),
          permissions('/var/log/caddy', { owner: 'caddy', group: 'caddy', mode: '0755' }, brought),
          directory('/etc/caddy/conf.d', { exclusive: true, keep: vars.caddy_keep }, brought),
          file(configuration, { content }),
        ],
        service: { reloadOn: ['/etc/caddy'], validate },
      };
    }),
  actions: caddy.actions,
});
