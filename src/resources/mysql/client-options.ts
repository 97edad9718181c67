import type { Flavor } from './sql.ts';

interface Login {
  readonly user: string;
  /** In clear. */
  readonly password: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** An option file for a client that logs in to a server elsewhere, over TLS that is verified on both sides. */
export function clientOptions(
  server: Flavor,
  { user, password, ca, certificate, key }: Login,
  more: readonly string[] = [],
): Buffer {
  return Buffer.from(`[client]
${more.map((line) => `${line}\n`).join('')}user=${user}
password="${password}"
ssl-ca=${ca}
ssl-cert=${certificate}
ssl-key=${key}
${server === 'mysql' ? 'ssl-mode=VERIFY_IDENTITY' : 'ssl-verify-server-cert'}
`);
}
