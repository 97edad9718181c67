import { directory, file, service, type Resource, type RoleContext } from 'hostwright';
import { basePackage } from './packages.ts';
import { otherSettings } from './systemd.ts';
import type { Variables } from './variables.ts';

const folder = '/etc/systemd/timesyncd.conf.d';
const main = '/etc/systemd/timesyncd.conf';
const brought = { needs: ['package:systemd-timesyncd'] } as const;

export function time({ vars, facts, template }: RoleContext<Variables>): readonly Resource[] {
  return [
    basePackage('systemd-timesyncd'),
    directory(folder, { exclusive: true, keep: vars.base_keep }, brought),
    ...otherSettings('timesyncd').map((path) => directory(path, { absent: true })),
    file(main, { content: template('base/systemd.conf.hbs', { section: 'Time', folder }) }, brought),
    file(`${folder}/hostwright.conf`, {
      content: template('base/timesyncd.conf.hbs', { servers: vars.base_ntp_servers.join(' ') }),
    }),
    // A container has the clock of the host around it: systemd does not start the service there.
    service('systemd-timesyncd', {
      running: facts.container !== true,
      restartOn: [main, folder, ...otherSettings('timesyncd')],
    }),
  ];
}
