import { X509Certificate, createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { HostwrightError } from '../errors.ts';
import type { Secret } from '../secrets/secret.ts';
import { ecdsa, loadX509, pem } from './x509.ts';

/** Long enough that the CA needs no care; a shorter lifetime would not limit a thief of its key. */
const years = 30;
const blocks = /-----BEGIN ([A-Z ]+)-----\n[A-Za-z0-9+/=\n]+-----END \1-----/g;

/** A site has one CA, which is asked for with each certificate of each host, and takes a while to read. */
function rememberLast<Value>(read: (text: string) => Value): (text: string) => Value {
  let last: { readonly text: string; readonly value: Value } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, value: read(text) };
    return last.value;
  };
}

/** An internal CA as the controller keeps it. */
export interface Authority {
  /** PKCS#8, PEM. */
  readonly key: string;
  /** The certificate that signs, PEM. */
  readonly certificate: string;
  /** All certificates that hosts trust, PEM: the signing one, and those of the next and previous CA. */
  readonly trusted: readonly string[];
}

/** A new CA (ECDSA P-256, thirty years): PEM of its key, then of its certificate. */
export async function createAuthority(): Promise<string> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);
  const now = new Date();
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(now.getUTCFullYear() + years);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    // Two CAs of one site, an old and a new one, must differ by name for OpenSSL to tell them apart.
    name: [{ CN: [`Hostwright internal CA ${randomBytes(4).toString('hex')}`] }],
    notBefore: new Date(now.getTime() - backdatedBy),
    notAfter,
    keys,
    signingAlgorithm: ecdsa,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return pem('PRIVATE KEY', key) + pem('CERTIFICATE', Buffer.from(certificate.rawData));
}

/** Milliseconds: a clock that is behind, before the network has set it for example, finds what is new valid. */
export const backdatedBy = 24 * 60 * 60_000;

/** 16 random bytes, positive, as hexadecimal digits. */
export function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/**
 * Parses the value of `createAuthority`: one private key, its certificate, and further trusted certificates
 * if an old CA is still in use. E_SECRET, without the value, if it is invalid.
 */
export const readAuthority = rememberLast((text: string): Authority => {
  const found = [...text.matchAll(blocks)].map(([block, label]) => ({ label, pem: `${block}\n` }));
  const keys = found.filter(({ label }) => label === 'PRIVATE KEY');
  const trusted = found.filter(({ label }) => label === 'CERTIFICATE').map((block) => block.pem);
  const [key] = keys;
  const [certificate] = trusted;
  if (key === undefined || keys.length > 1 || certificate === undefined || !belong(key.pem, trusted)) {
    throw new HostwrightError('E_SECRET', 'the value is not an internal CA', {
      expected:
        'PEM of one PRIVATE KEY (PKCS#8, P-256), of its CA certificate, and of further trusted certificates',
      hint: 'remove the variable: Hostwright then generates a CA',
    });
  }
  return { key: key.pem, certificate, trusted };
});

function belong(key: string, trusted: readonly string[]): boolean {
  try {
    const [own, ...others] = trusted.map((certificate) => new X509Certificate(certificate));
    const privateKey = createPrivateKey(key);
    return (
      privateKey.asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
      own?.ca === true &&
      own.checkPrivateKey(privateKey) &&
      others.every((other) => other.ca)
    );
  } catch {
    return false;
  }
}

const readCertificate = rememberLast((certificate: string) => new X509Certificate(certificate));

/** The expiry of a CA certificate, in seconds since 1970. */
export function authorityEnd(certificate: string): number {
  return Date.parse(readCertificate(certificate).validTo) / 1000;
}

/** The identifier of a CA for hosts and people: the first digits of the SHA-256 of its certificate. */
export function authorityFingerprint(certificate: string): string {
  const digest = readCertificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
  return `sha256:${digest.slice(0, 16)}`;
}

/** The trusted certificates (PEM) of a CA in a variable. E_SECRET if the value is not a CA. */
export function authorityCertificates(authority: Secret): readonly string[] {
  return readAuthority(authority.reveal()).trusted;
}
