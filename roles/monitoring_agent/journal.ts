import { file, service, unit, type Resource, type RoleContext } from 'hostwright';
import { serverOf, store, storeAccount, type LogSenderDeclaration } from '../logs/journal-remote.ts';
import { sandbox } from '../monitoring/service.ts';
import { textfileFolder } from './certificates.ts';

const name = 'hostwright-journal-metrics';
const program = '/usr/local/lib/hostwright/journal-metrics';

/**
 * Counts of what the journal of the host says, for alerts: each host counts its own lines, because a copy elsewhere
 * is late or missing exactly when something is wrong.
 */
export function journalMetrics({ host, site, template }: RoleContext<object>): readonly Resource[] {
  const isLogServer = serverOf(site)?.host.name === host.name;
  const senders = isLogServer ? site.declared<LogSenderDeclaration>('log_sender') : [];
  const confined = sandbox(template, {
    families: ['none'],
    writes: [textfileFolder],
    settings: [`StateDirectory=${name}`, ...(isLogServer ? [`SupplementaryGroups=${storeAccount}`] : [])],
  });
  return [
    file(program, {
      mode: '0755',
      content: template('monitoring_agent/journal-metrics.sh.hbs', {
        textfileFolder,
        state: `/var/lib/${name}/state`,
        peers: senders.map(({ peer }) => peer),
        store,
      }),
    }),
    unit(
      `${name}.service`,
      {
        content: String(
          template('monitoring_agent/journal-metrics.service.hbs', { program, sandbox: confined }),
        ),
      },
      { needs: [`file:${program}`] },
    ),
    unit(`${name}.timer`, {
      content: String(template('monitoring_agent/journal-metrics.timer.hbs', {})),
    }),
    service(`${name}.timer`, {}, { needs: ['package:prometheus-node-exporter'] }),
  ];
}
