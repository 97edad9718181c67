/** A host as an inventory or a pattern names it, with the port behind its last colon. */
export interface Address {
  /** May hold ranges: `web[1:3]`. */
  readonly host: string;
  readonly port: number | null;
}

// The shapes Ansible knows; anything else is taken as it is and never has a port.
const NUMERIC = String.raw`\[[0-9]+:[0-9]+(?::[0-9]+)?\]`;
const HEXADECIMAL = String.raw`\[[0-9a-f]+:[0-9a-f]+(?::[0-9]+)?\]`;
const ALPHANUMERIC = String.raw`\[(?:[a-z]:[a-z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]`;
const V4 = `(?:[01]?[0-9]{1,2}|2[0-4][0-9]|25[0-5]|${NUMERIC})`;
const V6 = `(?:[0-9a-f]{1,4}|${HEXADECIMAL})`;
const LETTER = String.raw`[\p{L}\p{N}_]`;
const LABEL = `(?:${LETTER}|${ALPHANUMERIC})(?:${LETTER}|-|${ALPHANUMERIC})*(?<![_-])`;

const IPV4 = new RegExp(`^(?:${V4}\\.){3}${V4}$`, 'iu');
const IPV6 = new RegExp(
  `^(?:${[
    `(?:${V6}:){7}${V6}`,
    `(?:${V6}:){1,6}:`,
    `(?:${V6}:)(?::${V6}){1,6}`,
    `(?:${V6}:){2}(?::${V6}){1,5}`,
    `(?:${V6}:){3}(?::${V6}){1,4}`,
    `(?:${V6}:){4}(?::${V6}){1,3}`,
    `(?:${V6}:){5}(?::${V6}){1,2}`,
    `(?:${V6}:){6}(?::${V6})`,
    `:(?::${V6}){1,6}`,
    `${V6}?::`,
    `(?:0:){6}(?:${V4}\\.){3}${V4}`,
    `::(?:ffff:)?(?:${V4}\\.){3}${V4}`,
    `(?:0:){5}ffff:(?:${V4}\\.){3}${V4}`,
  ].join('|')})$`,
  'iu',
);
const HOSTNAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'iu');

const BRACKETED_PORT = /^\[(.+)\]:([0-9]+)$/;
const PORT = /^((?:[^:[\]]|\[[^\]]*\])*):([0-9]+)$/;

/** True for an IPv4 or IPv6 address. */
export function isIpAddress(text: string): boolean {
  return IPV4.test(text) || IPV6.test(text);
}

/** Host and port of `web1:2222`, `[::1]:22`, `web[1:3]`; null where the text is no host name or address. */
export function parseAddress(text: string): Address | null {
  let host = text;
  let port: number | null = null;
  for (const shape of [BRACKETED_PORT, PORT]) {
    const match = shape.exec(host);
    if (match === null) continue;
    host = match[1] ?? '';
    port = Number(match[2]);
  }
  return HOSTNAME.test(host) || isIpAddress(host) ? { host, port } : null;
}
