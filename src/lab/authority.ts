import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { withLock } from './lock.ts';
import { machineAddress, sharedFolders } from './settings.ts';
import type { LabSettings } from './settings.ts';

// The CA that vouches for the ACME server's own address, as a public CA does for that of Let's Encrypt. It
// is one for all labs of the machine, because the base trees trust it. What the ACME server issues comes
// from another root, which no host trusts.

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

const files = (folder: string) => ({
  key: join(folder, 'key.pem'),
  certificate: join(folder, 'certificate.pem'),
});

/** The certificate of the CA as PEM, made at the first call on this machine. */
export async function ensureAuthority(settings: LabSettings): Promise<string> {
  const { authority: folder } = sharedFolders(settings);
  return await withLock(settings, 'authority', async () => {
    const { certificate } = files(folder);
    if (!existsSync(certificate)) {
      await rm(folder, { recursive: true, force: true });
      const fresh = `${folder}.new`;
      await rm(fresh, { recursive: true, force: true });
      await mkdir(fresh, { recursive: true, mode: 0o700 });
      const made = files(fresh);
      await runCommand('openssl', [
        'req',
        '-x509',
        ...curve,
        '-days',
        '3650',
        '-subj',
        '/CN=Hostwright lab',
        '-addext',
        'keyUsage=critical,keyCertSign,cRLSign',
        '-keyout',
        made.key,
        '-out',
        made.certificate,
      ]);
      await rename(fresh, folder);
    }
    return await readFile(certificate, 'utf8');
  });
}

/** The certificate of the CA where it was made before. */
export async function readAuthority(settings: LabSettings): Promise<string | undefined> {
  return await readFile(files(sharedFolders(settings).authority).certificate, 'utf8').catch(() => undefined);
}

/** A key and a certificate for the machine's address on the bridge, below `folder`. */
export async function ensureServerCertificate(
  settings: LabSettings,
  folder: string,
): Promise<{ key: string; certificate: string }> {
  const made = files(folder);
  if (existsSync(made.certificate)) return made;
  const authority = files(sharedFolders(settings).authority);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const address = machineAddress(settings);
  const request = join(folder, 'request.pem');
  const extensions = join(folder, 'extensions');
  await writeFile(
    extensions,
    `subjectAltName=IP:${address}\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n`,
  );
  await runCommand('openssl', [
    'req',
    '-new',
    ...curve,
    '-subj',
    `/CN=${address}`,
    '-keyout',
    made.key,
    '-out',
    request,
  ]);
  await runCommand('openssl', [
    'x509',
    '-req',
    '-in',
    request,
    '-CA',
    authority.certificate,
    '-CAkey',
    authority.key,
    '-days',
    '3650',
    '-extfile',
    extensions,
    '-out',
    `${made.certificate}.new`,
  ]);
  await rename(`${made.certificate}.new`, made.certificate);
  return made;
}
