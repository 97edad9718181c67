import { directory, file, service, type Resource, type RoleContext } from 'hostwright';
import { otherSettings } from './systemd.ts';
import type { Variables } from './variables.ts';

const folder = '/etc/systemd/journald.conf.d';
const main = '/etc/systemd/journald.conf';

export function journal({ vars, template }: RoleContext<Variables>): readonly Resource[] {
  return [
    directory(folder, { exclusive: true, keep: vars.base_keep }),
    ...otherSettings('journald').map((path) => directory(path, { absent: true })),
    file(main, { content: template('base/systemd.conf.hbs', { section: 'Journal', folder }) }),
    file(`${folder}/hostwright.conf`, {
      content: template('base/journald.conf.hbs', {
        size: vars.base_journal_size,
        days: vars.base_journal_days,
      }),
    }),
    // It hands its open streams over to its successor: nothing is lost.
    service('systemd-journald', { restartOn: [main, folder, ...otherSettings('journald')] }),
  ];
}
