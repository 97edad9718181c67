import { X509Certificate } from 'node:crypto';
import type { Section } from '../../transport/sections.ts';
import { lines, sh } from '../../transport/shell.ts';
import { parseStat, statSection, type Stat } from '../shell/stat.ts';

/** Files of a certificate. One that holds both is named twice. */
export interface PemFiles {
  readonly certificate: string;
  readonly key: string;
  /** What should hold both, one behind the other. */
  readonly bundle?: string;
}

export interface Pem {
  /** There is a regular file for the certificate, whatever is in it. */
  readonly isThere: boolean;
  readonly certificate: X509Certificate | undefined;
  /** The key is that of the certificate. */
  readonly fits: boolean;
  /** The bundle holds the lines of both. */
  readonly isWhole: boolean;
}

/**
 * Prints the first certificate of each file and the public half of each key, with one process for all of them. The
 * private half stays on the host. In the form in which openssl writes a key of P-256 (RFC 5208, RFC 5915), 138 bytes
 * in base64, the public half stands behind the private one at the end; openssl itself does not compute it anew. Of
 * a key in any other form a "-" is printed.
 */
const program = String.raw`function content(file,   all, text) {
  all = ""
  while ((getline text < file) > 0) all = all text "\n"
  close(file)
  return all
}
function certificate(all,   from, to) {
  from = index(all, "-----BEGIN CERTIFICATE-----\n")
  if (!from) return ""
  all = substr(all, from)
  to = index(all, "-----END CERTIFICATE-----\n")
  return to ? substr(all, 1, to + 25) : ""
}
function point(all,   from) {
  from = index(all, "-----BEGIN PRIVATE KEY-----\n")
  if (!from) return "-"
  all = substr(all, from + 28)
  gsub(/\n/, "", all)
  if (substr(all, 1, 48) != "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg") return "-"
  if (substr(all, 93, 4) != "RANC" || substr(all, 185, 25) != "-----END PRIVATE KEY-----") return "-"
  if (substr(all, 1, 184) ~ /[^A-Za-z0-9+\/]/) return "-"
  return substr(all, 97, 88)
}
BEGIN {
  for (i = 1; i < ARGC; i += 3) {
    own = content(ARGV[i])
    key = content(ARGV[i + 1])
    print "pem", ARGV[i] != "/dev/null", key != "" && own key == content(ARGV[i + 2]), point(key)
    printf "%s", certificate(own)
  }
}`;

/** Reads the host's clock, what `stats` are, and certificates with their keys; `parsePem` has the answer. */
export function readPem(stats: readonly string[], files: readonly PemFiles[]): Required<Section> {
  const words = files.flatMap(({ certificate, key, bundle = '/dev/null' }) => [certificate, key, bundle]);
  const { script, stdin } = statSection({ paths: stats, hash: false, weigh: true });
  // Of keys in another form openssl tells the public half.
  const read = sh`date '+%nclock %s'
command -v openssl >/dev/null || echo missing
set --
for file in ${words}; do
  if [ -f "$file" ]; then set -- "$@" "$file"; else set -- "$@" /dev/null; fi
done
LC_ALL=C awk ${program} "$@" >"$HW/pem"
while IFS= read -r text; do
  printf '%s\n' "$text"
  case $text in 'pem '*) key=$2; shift 3 ;; esac
  case $text in 'pem '*' -')
    if [ "$key" != /dev/null ]; then openssl pkey -in "$key" -passin pass: -pubout </dev/null 2>/dev/null || :; fi ;;
  esac
done <"$HW/pem"
echo end`;
  return { script: lines([script, read]), stdin };
}

/** A certificate in PEM or DER; undefined for anything else. */
export function certificateIn(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

/** The first block of PEM with this label; empty where there is none. */
export function block(text: string, label: string): string {
  return new RegExp(`-----BEGIN ${label}-----\n[^-]*-----END ${label}-----\n`).exec(text)?.[0] ?? '';
}

function fits(certificate: X509Certificate, point: string, publicKey: string): boolean {
  const own = certificate.publicKey.export({ type: 'spki', format: 'der' });
  if (point === '-') return publicKey === certificate.publicKey.export({ type: 'spki', format: 'pem' });
  return (
    certificate.publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
    own.subarray(-66).toString('base64') === point
  );
}

/** What `readPem` found. */
export interface FoundPem {
  readonly stats: ReadonlyMap<string, Stat>;
  /** Seconds since 1970. */
  readonly clock: number;
  readonly hasOpenssl: boolean;
  /** In the order of the files. */
  readonly pems: readonly Pem[];
  /** What the rest of the script has printed. */
  readonly rest: string;
}

/** Of `count` files. RangeError on output that is not of `readPem`. */
export function parsePem(output: Buffer, count: number): FoundPem {
  const at = output.indexOf('\nclock ');
  const text = output.subarray(Math.max(at, 0)).toString('utf8');
  const [, clock, missing, body, rest = ''] =
    /^\nclock (\d+)\n(missing\n)?(.*?)^end\n(.*)$/ms.exec(text) ?? [];
  const [first, ...blocks] = (body ?? '').split(/^pem /m);
  if (at < 0 || body === undefined || first !== '' || blocks.length !== count)
    throw new RangeError('the answer about certificates is cut off');
  return {
    stats: parseStat(output.subarray(0, at)),
    clock: Number(clock),
    hasOpenssl: missing === undefined,
    pems: blocks.map(parseOne),
    rest,
  };
}

function parseOne(text: string): Pem {
  const [, there, whole, point] = /^([01]) ([01]) (-|[\w+/]{88})\n/.exec(text) ?? [];
  if (point === undefined) throw new RangeError(`unexpected key "${text.slice(0, 20)}"`);
  const certificate = certificateIn(block(text, 'CERTIFICATE'));
  return {
    isThere: there === '1',
    certificate,
    fits: certificate !== undefined && fits(certificate, point, block(text, 'PUBLIC KEY')),
    isWhole: whole === '1',
  };
}
