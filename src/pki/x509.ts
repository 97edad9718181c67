import type * as X509 from '@peculiar/x509';

/** Every key of the internal CA and of its certificates. */
export const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** The X.509 library, loaded when something is signed: a run that finds nothing to do has no use for it. */
export async function loadX509(): Promise<typeof X509> {
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}

/** One block of PEM with lines of 64 characters. */
export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
