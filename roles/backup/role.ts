import { defineRole, hostGroup } from 'hostwright';
import { list, now, restoreTest } from './actions.ts';
import { restore } from './actions-restore.ts';
import { partOf } from './parts.ts';
import { sender } from './sender.ts';
import { store } from './store.ts';
import { variables } from './variables.ts';

export default defineRole({
  name: 'backup',
  variables,
  actions: { now, list, 'restore-test': restoreTest, restore },
  listens: ({ vars, host }) =>
    host.groups.includes('backup')
      ? [{ port: vars.backup_port, from: hostGroup('db'), why: 'backups of databases' }]
      : [],
  derives: ({ vars, host, site }) => [partOf(vars, host, site)],
  resources: (context) => [
    ...(context.host.groups.includes('backup') ? store(context) : []),
    ...(context.host.groups.includes('db') ? sender(context) : []),
  ],
});
