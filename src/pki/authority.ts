import { X509Certificate, createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { HostwrightError } from '../errors.ts';
import type { Secret } from '../secrets/secret.ts';
import { ecdsa, loadX509, pem } from './x509.ts';

/** Nobody should have to think of the CA again; a lifetime bounds nothing that its key could do before. */
const years = 30;
const blocks = /-----BEGIN ([A-Z ]+)-----\n[A-Za-z0-9+/=\n]+-----END \1-----/g;

/** An internal CA as the controller keeps it. */
export interface Authority {
  /** PKCS#8, PEM. */
  readonly key: string;
  /** The certificate that signs, PEM. */
  readonly certificate: string;
  /** Every certificate that hosts trust, PEM: the one that signs and those that are coming or going. */
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
 * Takes apart what `createAuthority` made: one private key, its certificate, and more certificates to trust
 * where an old CA is still in use. E_SECRET, without any of it, where that is not so.
 */
export function readAuthority(text: string): Authority {
  const found = [...text.matchAll(blocks)].map(([block, label]) => ({ label, pem: `${block}\n` }));
  const keys = found.filter(({ label }) => label === 'PRIVATE KEY');
  const trusted = found.filter(({ label }) => label === 'CERTIFICATE').map((block) => block.pem);
  const [key] = keys;
  const [certificate] = trusted;
  if (key === undefined || keys.length > 1 || certificate === undefined || !belong(key.pem, trusted)) {
    throw new HostwrightError('E_SECRET', 'this is no internal CA', {
      expected:
        'PEM of one PRIVATE KEY (PKCS#8, P-256) and of its CA certificate, then of more to trust, if any',
      hint: 'remove the variable, and one is made',
    });
  }
  return { key: key.pem, certificate, trusted };
}

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

/** When the certificate of a CA runs out, in seconds since 1970. */
export function authorityEnd(certificate: string): number {
  return Date.parse(new X509Certificate(certificate).validTo) / 1000;
}

/** What hosts and people know a CA by: the first digits of the SHA-256 of its certificate. */
export function authorityFingerprint(certificate: string): string {
  const digest = new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
  return `sha256:${digest.slice(0, 16)}`;
}

/** The certificates that hosts trust, PEM, of a CA that is kept in a variable. E_SECRET where it is none. */
export function authorityCertificates(authority: Secret): readonly string[] {
  return readAuthority(authority.reveal()).trusted;
}
