import { X509Certificate, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { HostwrightError } from '../errors.ts';
import { backdatedBy, readAuthority, serialNumber } from './authority.ts';
import { ecdsa, loadX509, pem } from './x509.ts';

/** What the controller puts into a certificate; of the request it takes the public key alone. */
export interface Certification {
  readonly commonName: string;
  /** Host names and addresses. */
  readonly names: readonly string[];
  readonly usage: readonly ('server' | 'client')[];
  readonly validityDays: number;
}

const day = 24 * 60 * 60_000;

function refused(message: string, hint: string): HostwrightError {
  return new HostwrightError('E_REMOTE', message, { hint });
}

/**
 * Signs the public key of a request (PEM) with the CA (as `createAuthority` gives it). Gives the certificate,
 * PEM. E_REMOTE where the request does not prove the possession of its key, or is not for P-256, or the CA
 * has run out at `now`.
 */
export async function signRequest(
  authorityText: string,
  request: string,
  certification: Certification,
  now: Date,
): Promise<string> {
  const x509 = await loadX509();
  const authority = readAuthority(authorityText);
  const issuer = new x509.X509Certificate(authority.certificate);
  const csr = new x509.Pkcs10CertificateRequest(request);
  const isP256 = 'namedCurve' in csr.publicKey.algorithm && csr.publicKey.algorithm.namedCurve === 'P-256';
  if (!isP256 || !(await csr.verify())) {
    throw refused('the signing request of the host is not good', 'see whether openssl on the host works');
  }
  const notAfter = new Date(now.getTime() + certification.validityDays * day);
  if (issuer.notAfter.getTime() - now.getTime() < day) {
    throw refused(
      `the internal CA has run out: ${issuer.notAfter.toISOString()}`,
      'make a new one as roles/pki/README.md says',
    );
  }
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der(authority.key), ecdsa, false, ['sign']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [certification.commonName] }],
    issuer: issuer.subjectName.toJSON(),
    notBefore: new Date(now.getTime() - backdatedBy),
    notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
    publicKey: csr.publicKey,
    signingKey,
    signingAlgorithm: ecdsa,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(
        certification.usage.map((usage) => x509.ExtendedKeyUsage[`${usage}Auth`]),
      ),
      new x509.SubjectAlternativeNameExtension(
        certification.names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(csr.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  const signed = pem('CERTIFICATE', Buffer.from(certificate.rawData));
  // What goes to a host is checked with another implementation than the one that made it.
  if (!new X509Certificate(signed).verify(new X509Certificate(authority.certificate).publicKey)) {
    throw new Error('the CA made a certificate that does not verify');
  }
  return signed;
}

function der(text: string): Buffer {
  return Buffer.from(text.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
}
