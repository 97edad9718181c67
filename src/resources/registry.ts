import { acmeCertificateType } from './certificate/acme-certificate.ts';
import { appReleaseType } from './app-release.ts';
import { aptRepositoryType } from './apt/repository.ts';
import { authorizedKeyType } from './authorized-key.ts';
import { commandType } from './command.ts';
import { directoryType } from './directory.ts';
import { dpkgType } from './apt/dpkg.ts';
import { fileType } from './file.ts';
import { groupType } from './group.ts';
import { hostCertificateType } from './certificate/host-certificate.ts';
import { hostnameType } from './hostname.ts';
import { lineType } from './line.ts';
import { linkType } from './link.ts';
import { mysqlDatabaseType } from './mysql/database.ts';
import { mysqlPrimaryType } from './mysql/primary.ts';
import { mysqlReplicaType } from './mysql/replica.ts';
import { mysqlUserType } from './mysql/user.ts';
import { packageType } from './apt/package.ts';
import type { ResourceType } from './resource.ts';
import { serviceType } from './service/service.ts';
import { sysctlType } from './sysctl.ts';
import { tlsBundleType } from './certificate/tls-bundle.ts';
import { ufwType } from './ufw/ufw.ts';
import { unitType } from './service/unit.ts';
import { userType } from './user.ts';

/** Every type there is, in the order of the documentation. */
export const resourceTypes: readonly ResourceType[] = [
  fileType,
  directoryType,
  linkType,
  lineType,
  dpkgType,
  aptRepositoryType,
  packageType,
  groupType,
  userType,
  authorizedKeyType,
  unitType,
  serviceType,
  sysctlType,
  hostnameType,
  ufwType,
  appReleaseType,
  commandType,
  mysqlDatabaseType,
  mysqlUserType,
  mysqlPrimaryType,
  mysqlReplicaType,
  hostCertificateType,
  tlsBundleType,
  acmeCertificateType,
];
