import { directory, file, service, unit, type Resource, type RoleContext } from 'hostwright';
import { sandbox } from '../monitoring/service.ts';

const name = 'hostwright-certificate-metrics';
const program = `/usr/local/lib/hostwright/certificate-metrics`;

/** Where Debian's node exporter looks for metrics of others. */
export const textfileFolder = '/var/lib/prometheus/node-exporter';

/**
 * How long the certificates of the internal CA are still good, as metrics: they are renewed by a run of
 * Hostwright, so that somebody must know when there was none for a long time.
 */
export function certificateMetrics(template: RoleContext<object>['template']): readonly Resource[] {
  const confined = sandbox(template, { families: ['none'], writes: [textfileFolder] });
  return [
    directory('/usr/local/lib/hostwright'),
    file(program, {
      mode: '0755',
      content: template('monitoring_agent/certificate-metrics.sh.hbs', { textfileFolder }),
    }),
    unit(
      `${name}.service`,
      {
        content: String(
          template('monitoring_agent/certificate-metrics.service.hbs', { program, sandbox: confined }),
        ),
      },
      { needs: [`file:${program}`] },
    ),
    unit(`${name}.timer`, {
      content: String(template('monitoring_agent/certificate-metrics.timer.hbs', {})),
    }),
    service(`${name}.timer`, {}, { needs: ['package:prometheus-node-exporter'] }),
  ];
}
