import { defineRole, hostGroup } from 'hostwright';
import { promote } from './actions-promote.ts';
import { status } from './actions-status.ts';
import { galera } from './galera.ts';
import { groupReplication } from './group-replication.ts';
import { primaryReplica } from './primary-replica.ts';
import { server } from './server.ts';
import type { Topology } from './topology.ts';
import { variables, type Variables } from './variables.ts';
import { writerCheck, writerListens } from './writer-check.ts';

function topologyOf({ mysql_topology: name, mysql_flavor: flavor }: Variables): Topology {
  if (name === 'primary_replica') return primaryReplica;
  return flavor === 'mariadb' ? galera : groupReplication;
}

export default defineRole({
  name: 'mysql',
  variables,
  actions: { promote, status },
  listens: (context) => {
    const { vars, site } = context;
    const groups = new Set(['app', 'db', ...vars.mysql_users.flatMap(({ from }) => from ?? [])]);
    const clients = [...groups].map((name) => ({
      port: vars.mysql_port,
      from: hostGroup(name),
      why: name === 'db' ? 'replication' : `database for ${name}`,
    }));
    return [...clients, ...writerListens(vars, site), ...(topologyOf(vars).listens?.(context) ?? [])];
  },
  declares: (context) => [
    { kind: 'certificate', name: 'mysql', group: 'mysql' },
    ...topologyOf(context.vars).declares(context),
    {
      kind: 'metrics',
      of: 'mysql',
      ...(topologyOf(context.vars) === groupReplication ? { isGroup: true } : {}),
    },
  ],
  observes: (context) => topologyOf(context.vars).observes?.(context) ?? [],
  rank: (context) => topologyOf(context.vars).rank?.(context) ?? 0,
  resources: (context) => {
    const topology = topologyOf(context.vars);
    return [
      ...server(context, topology.settings(context), topology.starting?.(context), topology.guard?.(context)),
      ...topology.resources(context),
      ...writerCheck(context),
    ];
  },
});
