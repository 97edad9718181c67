import { execFileSync } from 'node:child_process';
import { signRequest } from '../../src/pki/sign.ts';

export interface Pair {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
}

/** A new key and its certificate of an internal CA, for these names. */
export async function certificateFor(authority: string, ...names: readonly string[]): Promise<Pair> {
  const options = ['-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '-'];
  const text = execFileSync('openssl', ['req', ...options, '-subj', '/CN=mysql'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const at = text.indexOf('-----BEGIN CERTIFICATE REQUEST');
  const certificate = await signRequest(
    authority,
    text.slice(at),
    { commonName: 'mysql', names, usage: ['server', 'client'], validFor: 30 * 86_400 },
    new Date(),
  );
  return { key: text.slice(0, at), certificate };
}
