import { directory, file, service, type Resource, type RoleContext } from 'hostwright';
import type { Variables } from './variables.ts';

const folder = '/etc/systemd/journald.conf.d';

export function journal({ vars, template }: RoleContext<Variables>): readonly Resource[] {
  return [
    directory(folder),
    file(`${folder}/hostwright.conf`, {
      content: template('base/journald.conf.hbs', {
        size: vars.base_journal_size,
        days: vars.base_journal_days,
      }),
    }),
    // It hands its open streams over to its successor: nothing is lost.
    service('systemd-journald', { restartOn: [folder] }),
  ];
}
