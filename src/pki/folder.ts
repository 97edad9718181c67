import { join } from 'node:path/posix';

/** Where every certificate of the internal CA lies on a host. */
const pkiFolder = '/etc/hostwright/pki';

/** The paths of a certificate without their endings `.crt`, `.key` and `.pem`. */
export function certificateStem(name: string): string {
  return join(pkiFolder, name);
}
