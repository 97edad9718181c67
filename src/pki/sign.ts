import { X509Certificate, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { HostwrightError } from '../errors.ts';
import { backdatedBy, readAuthority, serialNumber } from './authority.ts';
import { ecdsa, loadX509, pem } from './x509.ts';

/** The content of a certificate; only the public key comes from the request. */
export interface Certification {
  readonly commonName: string;
  /** Host names and addresses. */
  readonly names: readonly string[];
  readonly usage: readonly ('server' | 'client')[];
  /** Seconds from the first to the last that the certificate is valid in. */
  readonly validFor: number;
}

const day = 24 * 60 * 60_000;

function refused(message: string, hint: string): HostwrightError {
  return new HostwrightError('E_REMOTE', message, { hint });
}

interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate is backdated within its time; a short one only a little, to have most of it left. */
function validity(seconds: number, now: Date): Validity {
  const notBefore = now.getTime() - Math.min(backdatedBy, seconds * 100);
  return { notBefore: new Date(notBefore), notAfter: new Date(notBefore + seconds * 1000) };
}

function checkIssuer({ notBefore, notAfter }: Validity, now: Date): void {
  if (notAfter.getTime() - now.getTime() < day) {
    throw refused(
      `the internal CA expired: ${notAfter.toISOString()}`,
      'make a new CA: see roles/pki/README.md',
    );
  }
  if (now < notBefore) {
    throw refused(
      `the internal CA is not valid before ${notBefore.toISOString()}`,
      'the clock of this machine is behind: set it. If it was ahead when the CA was made, make a new CA: see roles/pki/README.md',
    );
  }
}

/**
 * Signs the public key of a request (PEM) with the CA (of `createAuthority`). Returns the certificate,
 * PEM. E_REMOTE if the request does not prove possession of its key, or is not for P-256, or the CA
 * is not valid at `now`.
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
    throw refused('the signing request of the host is invalid', 'check openssl on the host');
  }
  checkIssuer(issuer, now);
  const { notBefore, notAfter } = validity(certification.validFor, now);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der(authority.key), ecdsa, false, ['sign']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [certification.commonName] }],
    issuer: issuer.subjectName.toJSON(),
    notBefore,
    // No certificate outlives its CA.
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
  // A second implementation verifies the certificate.
  if (!new X509Certificate(signed).verify(new X509Certificate(authority.certificate).publicKey)) {
    throw new Error('the CA made a certificate that does not verify');
  }
  return signed;
}

function der(text: string): Buffer {
  return Buffer.from(text.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
}
