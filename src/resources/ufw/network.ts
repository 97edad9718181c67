import { isIP } from 'node:net';

/** An address or network in the one way of writing it: host bits cleared, IPv6 short and in lower case. */
export interface Network {
  readonly family: 4 | 6;
  readonly text: string;
  /** The bits that count, from the left. */
  readonly prefix: number;
}

function split(text: string): readonly string[] {
  return text.split(':').filter(Boolean);
}

/** Eight groups of hexadecimal digits; `address` is a valid IPv6 address. */
function groups(address: string): readonly string[] {
  // The WHATWG parser shortens, lowers, and turns the dotted tail of mapped addresses into groups.
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = short.split('::');
  if (tail === undefined) return split(head);
  const [left, right] = [split(head), split(tail)];
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
}

function toNumber(address: string, family: 4 | 6): bigint {
  const parts =
    family === 4 ? address.split('.').map(BigInt) : groups(address).map((group) => BigInt(`0x${group}`));
  return parts.reduce((sum, part) => (sum << (family === 4 ? 8n : 16n)) + part, 0n);
}

function toText(value: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const digits = value
    .toString(16)
    .padStart(32, '0')
    .replaceAll(/.{4}(?=.)/g, '$&:');
  return new URL(`http://[${digits}]`).hostname.slice(1, -1);
}

function masked(address: string, family: 4 | 6, prefix: number): bigint {
  const rest = BigInt((family === 4 ? 32 : 128) - prefix);
  return (toNumber(address, family) >> rest) << rest;
}

/** `10.0.0.7`, `10.0.0.7/24` (the network 10.0.0.0/24), `2001:DB8::/32`; undefined for anything else. */
export function parseNetwork(text: string): Network | undefined {
  const [, address = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version !== 4 && version !== 6) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) return undefined;
  const shown = toText(masked(address, version, prefix), version);
  return { family: version, text: prefix === bits ? shown : `${shown}/${prefix}`, prefix };
}

/** True when every address of `inner` is one of `outer`. */
export function covers(outer: Network, inner: Network): boolean {
  if (outer.family !== inner.family || outer.prefix > inner.prefix) return false;
  const [of] = inner.text.split('/');
  return of !== undefined && parseNetwork(`${of}/${outer.prefix}`)?.text === outer.text;
}
