import type { X509Certificate } from 'node:crypto';
import { namesText, parseAlternativeNames } from '../../pki/names.ts';
import type { Section } from '../../transport/sections.ts';
import { spanText } from '../duration.ts';
import { entries, type Stat } from '../shell/stat.ts';
import { Unreadable, type Actual } from '../state.ts';
import { parsePem, readPem, type Pem, type PemFiles } from './pem.ts';

/** What the parts of a certificate are compared with. */
interface Expected {
  /** The path of its files without the ending. */
  readonly stem: string;
  /** The CA that it should be of. */
  readonly authority: X509Certificate;
  /** Of the CA. */
  readonly fingerprint: string;
  /** Seconds since 1970. */
  readonly authorityEnd: number;
  /** Seconds. */
  readonly validFor: number;
}

type Held = { readonly entries?: string };

/** What the probe reads of a certificate; where a folder stands in its place, what that holds alone. */
export type CertificateState =
  | Held
  | (Held & {
      readonly subject: string;
      readonly names: string;
      readonly usage: string;
      readonly authority: string;
      readonly validFor: string;
      readonly renewal: string;
      readonly key: string;
      readonly bundle: string;
      readonly access: string;
    });

const parts = ['crt', 'key', 'pem'] as const;

function filesOf(stem: string): PemFiles {
  return { certificate: `${stem}.crt`, key: `${stem}.key`, bundle: `${stem}.pem` };
}

/** Reads the host's clock, and of each certificate what `parseCertificates` takes; `stems` are paths without endings. */
export function certificateProbe(stems: readonly string[]): Section {
  const paths = stems.flatMap((stem) => parts.map((part) => `${stem}.${part}`));
  return readPem(paths, stems.map(filesOf));
}

const purposes: readonly (readonly [string, string])[] = [
  ['1.3.6.1.5.5.7.3.2', 'client'],
  ['1.3.6.1.5.5.7.3.1', 'server'],
];

function usage(certificate: X509Certificate | undefined): string {
  const found: readonly string[] = certificate?.keyUsage ?? [];
  return purposes.flatMap(([id, name]) => (found.includes(id) ? [name] : [])).join(' ');
}

const day = 24 * 60 * 60;
const oldAge = 60 * day;

/**
 * Whether a certificate is to be renewed, by the clock of the host: it is 60 days old, or two thirds of its
 * time are over where that comes first. `from`, `to` and `clock` in seconds since 1970.
 */
export function renewal(from: number, to: number, clock: number): string {
  if (!Number.isFinite(from) || !Number.isFinite(to)) return 'due: its time cannot be read';
  if (clock < from) return 'due: not valid yet';
  if (clock >= to) return 'due: expired';
  if (clock - from < Math.min(oldAge, (2 / 3) * (to - from))) return 'not due';
  return `due: ${spanText(clock - from)} old`;
}

/** How long a certificate is valid in all; one that ends with its CA could not be given more. */
function lifetime(from: number, to: number, { validFor, authorityEnd }: Expected): string {
  return to === authorityEnd && to - from < validFor ? spanText(validFor) : spanText(to - from);
}

function seconds(text: string | undefined): number {
  return Date.parse(text ?? '') / 1000;
}

function access(part: string, stat: Stat | undefined): string {
  if (stat === undefined) return `no ${part}`;
  if (stat.kind !== 'file') return `${part} is a ${stat.kind}`;
  return `${part} ${stat.owner}:${stat.group} ${stat.mode}`;
}

/** What folders hold that stand in the places of files. */
function held(stats: readonly (Stat | undefined)[]) {
  const all = stats.flatMap((stat) => stat?.holds ?? []);
  const sum = (name: 'count' | 'bytes'): number => all.reduce((total, holds) => total + holds[name], 0);
  return entries({ holds: { count: sum('count'), bytes: sum('bytes') } });
}

function isBundle({ isWhole }: Pem, [crt, key, pem]: readonly (Stat | undefined)[]): boolean {
  // awk gives the last line an end that it may not have.
  return isWhole && pem?.size === (crt?.size ?? 0) + (key?.size ?? 0);
}

function stateOf(
  pem: Pem,
  clock: number,
  stats: readonly (Stat | undefined)[],
  expected: Expected,
): CertificateState {
  const { certificate } = pem;
  const { authority } = expected;
  const isOwn = certificate?.checkIssued(authority) === true && certificate.verify(authority.publicKey);
  const [from, to] = [seconds(certificate?.validFrom), seconds(certificate?.validTo)];
  return {
    subject: certificate?.subject.split('\n').toReversed().join(',') ?? 'no certificate',
    names: namesText(parseAlternativeNames(certificate?.subjectAltName ?? '')),
    usage: usage(certificate),
    authority: isOwn ? expected.fingerprint : 'another',
    validFor: lifetime(from, to, expected),
    renewal: renewal(from, to, clock),
    key: pem.fits ? 'fits the certificate' : 'missing or another',
    bundle: isBundle(pem, stats) ? 'certificate and key' : 'missing or another',
    access: parts.map((part, index) => access(part, stats[index])).join(', '),
    ...held(stats),
  };
}

/** What `certificateProbe` found, of one certificate for each that is expected. */
export function parseCertificates(
  output: Buffer,
  expected: readonly Expected[],
): readonly Actual<CertificateState>[] {
  const { stats: found, clock, hasOpenssl, pems } = parsePem(output, expected.length);
  return expected.map((one, index) => {
    const stats = parts.map((part) => found.get(`${one.stem}.${part}`));
    const [crt] = stats;
    const [pem] = pems.slice(index);
    const folders = held(stats);
    if (crt === undefined || pem === undefined) return folders.entries === undefined ? null : folders;
    if (!hasOpenssl) return new Unreadable('openssl is not installed');
    return stateOf(pem, clock, stats, one);
  });
}
