import { defineRole, hostGroup } from 'hostwright';
import { status } from './actions-status.ts';
import { primaryReplica } from './primary-replica.ts';
import { server } from './server.ts';
import { variables } from './variables.ts';
import { writerCheck, writerListens } from './writer-check.ts';

const topology = primaryReplica;

export default defineRole({
  name: 'mysql',
  variables,
  actions: { status },
  listens: ({ vars, site }) => {
    const groups = new Set(['app', 'db', ...vars.mysql_users.flatMap(({ from }) => from ?? [])]);
    return [
      ...[...groups].map((name) => ({
        port: vars.mysql_port,
        from: hostGroup(name),
        why: name === 'db' ? 'replication' : `database for ${name}`,
      })),
      ...writerListens(vars, site),
    ];
  },
  declares: (context) => [
    { kind: 'certificate', name: 'mysql', group: 'mysql' },
    ...topology.declares(context),
    { kind: 'metrics', of: 'mysql' },
  ],
  resources: (context) => [
    ...server(context, topology.settings(context)),
    ...topology.resources(context),
    ...writerCheck(context),
  ],
});
