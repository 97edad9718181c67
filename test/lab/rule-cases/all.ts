import { backups } from './backups.ts';
import { balancers } from './balancers.ts';
import { certificates } from './certificates.ts';
import { databaseGroup } from './database-group.ts';
import { databaseWriters } from './database-writers.ts';
import { database } from './database.ts';
import { disks, hosts } from './hosts.ts';
import { logs } from './logs.ts';
import { monitoring } from './monitoring.ts';
import type { RuleCase } from './rule-case.ts';
import { site } from './site.ts';
import { traffic } from './traffic.ts';

export const ruleCases: readonly RuleCase[] = [
  ...traffic,
  ...hosts,
  ...disks,
  ...site,
  ...balancers,
  ...database,
  ...databaseWriters,
  ...databaseGroup,
  ...certificates,
  ...backups,
  ...logs,
  ...monitoring,
];
