import { directory, file, service, type Resource, type RoleContext } from 'hostwright';
import { basePackage } from './packages.ts';
import type { Variables } from './variables.ts';

const folder = '/etc/systemd/timesyncd.conf.d';

export function time({ vars, facts, template }: RoleContext<Variables>): readonly Resource[] {
  return [
    basePackage('systemd-timesyncd'),
    directory(folder),
    file(`${folder}/hostwright.conf`, {
      content: template('base/timesyncd.conf.hbs', { servers: vars.base_ntp_servers.join(' ') }),
    }),
    // A container has the clock of the host around it: systemd does not start the service there.
    service('systemd-timesyncd', { running: facts.container !== true, restartOn: [folder] }),
  ];
}
