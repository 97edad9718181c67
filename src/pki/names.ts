import { isIP } from 'node:net';

/** A name of a certificate in the one form that compares: addresses compressed, host names in lower case. */
export function canonicalName(name: string): string {
  // The URL parser knows every way of writing an IPv6 address, and one to print it.
  if (isIP(name) === 6) return new URL(`http://[${name}]`).hostname.slice(1, -1);
  return name.toLowerCase();
}

/** The names of a certificate as one text: sorted, without repetition. */
export function namesText(names: readonly string[]): string {
  return [...new Set(names.map(canonicalName))].toSorted().join(' ');
}

/** The names from the text that `openssl x509 -ext subjectAltName` prints. */
export function parseAlternativeNames(text: string): readonly string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? []);
}
