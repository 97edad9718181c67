import { X509Certificate } from 'node:crypto';
import { contentOf, element, partsOf } from './der.ts';
import { pem } from './x509.ts';

const tag = {
  sequence: 0x30,
  octets: 0x04,
  dns: 0x82,
  ip: 0x87,
  permitted: 0xa0,
  excluded: 0xa1,
  extensions: 0xa3,
};
const names = Buffer.from('0603551d11', 'hex');
const constraints = Buffer.from('0603551d1e', 'hex');
const critical = Buffer.from('0101ff', 'hex');

const certificates = /-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----/g;

/** The extensions of what a certificate signs, each an element; RangeError where it has none. */
function extensionsOf(signed: readonly Buffer[]): readonly Buffer[] {
  const [list] = signed.filter((part) => part[0] === tag.extensions).flatMap(partsOf);
  if (list === undefined) throw new RangeError('a certificate has no extensions');
  return partsOf(list);
}

function isExtension(extension: Buffer, id: Buffer): boolean {
  return partsOf(extension)[0]?.equals(id) === true;
}

function signedPart(der: Buffer): readonly Buffer[] {
  const [signed] = partsOf(der);
  return signed === undefined ? [] : partsOf(signed);
}

function subtree(name: Uint8Array): Buffer {
  return element(tag.sequence, name);
}

/** An address and a mask that leaves nothing open. */
function exactly(ip: Buffer): Buffer {
  const address = contentOf(ip);
  return element(tag.ip, address, Buffer.alloc(address.length, 0xff));
}

const every = {
  dns: [element(tag.dns)],
  ip: [element(tag.ip, Buffer.alloc(8)), element(tag.ip, Buffer.alloc(32))],
};

/** Name constraints (RFC 5280, 4.2.1.10) that the names of this certificate pass, and no other ones. */
function constraintsFor(certificate: string): Buffer {
  const own = extensionsOf(signedPart(new X509Certificate(certificate).raw)).find((one) =>
    isExtension(one, names),
  );
  const list = own === undefined ? [] : partsOf(contentOf(partsOf(own).at(-1) ?? Buffer.alloc(0)));
  const dns = list.filter((name) => name[0] === tag.dns);
  const ip = list.filter((name) => name[0] === tag.ip).map(exactly);
  const permitted = [...dns, ...ip];
  if (permitted.length === 0) throw new RangeError('a certificate has neither a host name nor an address');
  const excluded = [...(dns.length === 0 ? every.dns : []), ...(ip.length === 0 ? every.ip : [])];
  const value = element(
    tag.sequence,
    element(tag.permitted, ...permitted.map(subtree)),
    ...(excluded.length === 0 ? [] : [element(tag.excluded, ...excluded.map(subtree))]),
  );
  return element(tag.sequence, constraints, critical, element(tag.octets, value));
}

function restrict(authority: string, constraint: Buffer): string {
  const { raw } = new X509Certificate(authority);
  const signed = signedPart(raw);
  const extensions = extensionsOf(signed).filter((one) => !isExtension(one, constraints));
  const others = signed.filter((part) => part[0] !== tag.extensions);
  const list = element(tag.extensions, element(tag.sequence, ...extensions, constraint));
  return pem(
    'CERTIFICATE',
    element(tag.sequence, element(tag.sequence, ...others, list), ...partsOf(raw).slice(1)),
  );
}

/**
 * Copies of the CA certificates (PEM) that trust nothing but certificates for the very names of one of theirs:
 * for programs that verify the CA of a server and not its name. Nobody has signed these copies, and nobody
 * needs to: as trust anchors they are believed because they are in the file (RFC 5280, 6.1), and OpenSSL does
 * not verify the signature of an anchor, but its name constraints. RangeError where one of them has no extensions.
 */
export function restrictedTo(certificate: string, authorities: string): string {
  const constraint = constraintsFor(certificate);
  return [...authorities.matchAll(certificates)].map(([one]) => restrict(one, constraint)).join('');
}
