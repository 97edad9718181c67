import {
  directory,
  file,
  service,
  unit,
  type RequestLogDeclaration,
  type Resource,
  type RoleContext,
} from 'hostwright';
import { sandbox } from '../monitoring/service.ts';
import { textfileFolder } from './certificates.ts';

const name = 'hostwright-request-metrics';
const program = '/usr/local/lib/hostwright/request-metrics';

/** Seconds between two looks at the log: as often as Prometheus reads. */
const interval = 5;

type Context = Pick<RoleContext<object>, 'host' | 'site' | 'template' | 'applied'>;

/**
 * How long requests take, by the access log of the host's web server: no web server of Debian but Caddy counts them by
 * their times. It goes where no web server of the host has such a log any more.
 */
export function requestMetrics({ host, site, template, applied }: Context): readonly Resource[] {
  const log = site
    .declared<RequestLogDeclaration>('request_log')
    .find((declared) => declared.host.name === host.name);
  if (log === undefined) {
    if (!applied(`unit:${name}.service`)) return [];
    return [
      file(
        `${textfileFolder}/hostwright_requests.prom`,
        { absent: true },
        { needs: [`unit:${name}.service`] },
      ),
      unit(`${name}.service`, { absent: true }),
    ];
  }
  return [
    directory('/usr/local/lib/hostwright'),
    file(program, { mode: '0755', content: template('monitoring_agent/request-metrics.sh.hbs', {}) }),
    unit(
      `${name}.service`,
      {
        content: String(
          template('monitoring_agent/request-metrics.service.hbs', {
            command: [program, log.path, textfileFolder, interval],
            sandbox: sandbox(template, {
              families: ['none'],
              writes: [textfileFolder],
              settings: ['SupplementaryGroups=adm'],
            }),
          }),
        ),
      },
      // systemd checks that it can be started.
      { needs: [`file:${program}`] },
    ),
    service(name, { restartOn: [program] }, { needs: ['package:prometheus-node-exporter'] }),
  ];
}
