// The public API for roles and resource types. They import from 'hostwright' and nothing else of it.
export { z } from 'zod';
export { HostwrightError } from './errors.ts';
export { address, defineRole, hostGroup } from './roles/role.ts';
export type * from './roles/role.ts';
export { beginDrain, drainFile, drainFolder, endDrain, settle, type Drain } from './resources/drain.ts';
export { action } from './roles/action.ts';
export type * from './roles/action.ts';
export type * from './roles/declarations.ts';
export { Secret } from './secrets/secret.ts';
export { secret } from './secrets/schema.ts';
export type { Generate, SecretOptions } from './secrets/schema.ts';
export { randomPassword } from './secrets/password.ts';
export { sh, lines, type Script } from './transport/shell.ts';
export { declare, defineResource } from './resources/resource.ts';
export type * from './resources/resource.ts';
export { Unreadable } from './resources/state.ts';
export type * from './resources/state.ts';
export { each } from './resources/step.ts';
export type * from './resources/step.ts';
export type * from './resources/capabilities/access.ts';
export type * from './resources/capabilities/comparison.ts';
export type * from './resources/capabilities/files.ts';
export type * from './resources/capabilities/interruption.ts';
export type * from './resources/capabilities/order.ts';
export type * from './resources/capabilities/runtime.ts';
// For resource types: schemas of attributes, what comes first, reading and changing paths.
export { accountName, argv, oneLine, ownerName, ownership } from './resources/attribute.ts';
export { folderRequired, mode, ownersAfter, ownersRequired, path } from './resources/path.ts';
export { ownersOf, parseStat, statProbe, statSection, type Look, type Stat } from './resources/shell/stat.ts';
export { enter } from './resources/shell/enter.ts';
export { replaceFunctions } from './resources/shell/replace.ts';
export { restoring } from './resources/capabilities/access.ts';
// The bundled types.
export { file } from './resources/file.ts';
export { directory } from './resources/directory.ts';
export { link } from './resources/link.ts';
export { permissions } from './resources/permissions.ts';
export { pkg } from './resources/apt/package.ts';
export { dpkg } from './resources/apt/dpkg.ts';
export { packageFiles } from './resources/apt/package-files.ts';
export { service } from './resources/service/service.ts';
export { line } from './resources/line.ts';
export { aptRepository } from './resources/apt/repository.ts';
export { group } from './resources/group.ts';
export { user } from './resources/user.ts';
export { authorizedKey } from './resources/authorized-key.ts';
export { authorizedKeys } from './resources/authorized-keys.ts';
export { unit } from './resources/service/unit.ts';
export { sysctl } from './resources/sysctl.ts';
export { ufw } from './resources/ufw/ufw.ts';
export { hostname } from './resources/hostname.ts';
export { command } from './resources/command.ts';
export { appRelease } from './resources/app-release.ts';
export { pageFile } from './pages/built.ts';
export { readRelease } from './release/read.ts';
export { gitRelease } from './release/git.ts';
export type * from './release/release.ts';
export { duration } from './resources/duration.ts';
export { hostCertificate } from './resources/certificate/host-certificate.ts';
export { authorityCertificates, createAuthority } from './pki/authority.ts';
export { tlsBundle } from './resources/certificate/tls-bundle.ts';
export { binlogStateMinus } from './resources/mysql/binlog-state.ts';
export { galeraMember } from './resources/mysql/galera-member.ts';
export {
  arbitratorState,
  galeraFolder,
  galeraState,
  parseGaleraState,
  type GaleraState,
} from './resources/mysql/galera-state.ts';
export { beginGroup, memberPrivileges } from './resources/mysql/group-entry.ts';
export { mysqlGroupMember } from './resources/mysql/group-member.ts';
export type { GroupStart } from './resources/mysql/group-member-state.ts';
export {
  countHeld,
  groupState,
  heldAlone,
  heldBy,
  isInGroup,
  ownState,
  parseGroupState,
  type GroupServer,
  type GroupState,
} from './resources/mysql/group-state.ts';
export { mysqlDatabase } from './resources/mysql/database.ts';
export { followStatements, pointStatements } from './resources/mysql/follow.ts';
export { transactionsIn } from './resources/mysql/own-transactions.ts';
export { mysqlPrimary } from './resources/mysql/primary.ts';
export { mysqlReplica } from './resources/mysql/replica.ts';
export { commitPatience } from './resources/mysql/semi-sync.ts';
export { mysqlSettings } from './resources/mysql/settings.ts';
export { mysqlUser } from './resources/mysql/user.ts';
export { acmeCertificate } from './resources/certificate/acme-certificate.ts';
