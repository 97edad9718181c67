import { access } from './access.ts';
import { application } from './application.ts';
import { balancerRunning } from './balancer-running.ts';
import { certificates } from './certificates.ts';
import { configuration } from './configuration.ts';
import type { Damage } from './damage.ts';
import { databaseRunning } from './database-running.ts';
import { databaseSwitch } from './database-switch.ts';
import { database } from './database.ts';
import { files } from './files.ts';
import { firewall } from './firewall.ts';
import { folders } from './folders.ts';
import { host } from './host.ts';
import { packages } from './packages.ts';
import { permissions } from './permissions.ts';
import { refusals } from './refusals.ts';
import { running } from './running.ts';
import { services } from './services.ts';
import { system } from './system.ts';
import { users } from './users.ts';

/** All damages, by field: the headings of docs/drift.md. */
export const fields: Readonly<Record<string, readonly Damage[]>> = {
  Files: files,
  Configuration: configuration,
  'Files of others': folders,
  Services: services,
  'What runs': running,
  Packages: packages,
  Users: users,
  Firewall: firewall,
  Access: access,
  'Who may use what others make': permissions,
  Database: database,
  'A database that runs': databaseRunning,
  'Who takes writes': databaseSwitch,
  'A balancer that runs': balancerRunning,
  Certificates: certificates,
  Application: application,
  System: system,
  'Between the fields': host,
};

export const damages: readonly Damage[] = Object.values(fields).flat();

/** The numbers of the rounds, in order. */
export const rounds: readonly number[] = [...new Set(damages.map(({ round }) => round))].toSorted(
  (a, b) => a - b,
);

/** The rounds of what is refused; they do not mix with the others. */
export const refusedRounds: readonly number[] = [...new Set(refusals.map(({ round }) => round))].toSorted(
  (a, b) => a - b,
);
