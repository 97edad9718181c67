import { namesText, parseAlternativeNames } from '../../pki/names.ts';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { spanText } from '../duration.ts';
import { weigh } from '../shell/removal.ts';
import { Unreadable } from '../state.ts';
import { entries } from '../shell/stat.ts';

/** A certificate to read: its path without the ending, and the CA that it should be of, PEM. */
interface Place {
  readonly stem: string;
  readonly authority: string;
}

/** What the parts of a certificate are compared with. */
interface Expected {
  /** Of the CA. */
  readonly fingerprint: string;
  /** Seconds since 1970. */
  readonly authorityEnd: number;
  /** Seconds. */
  readonly validFor: number;
}

function probeOne({ stem, authority }: Place): Script {
  const certificate = `${stem}.crt`;
  const key = `${stem}.key`;
  const bundle = `${stem}.pem`;
  return sh`for part in crt key pem; do
  stat -c "$part=%F|%a|%U:%G" ${stem}."$part" 2>/dev/null || printf '%s=\n' "$part"
  if [ -d ${stem}."$part" ] && [ ! -L ${stem}."$part" ]; then echo "holds=$(hw_weigh ${stem}."$part")"; fi
done
if [ -f ${certificate} ] && command -v openssl >/dev/null; then
  text=$(openssl x509 -in ${certificate} -noout -pubkey -subject -dates -dateopt iso_8601 -nameopt RFC2253 -ext subjectAltName,extendedKeyUsage </dev/null 2>/dev/null) || text=''
  printf '%s\n' "$text"
  printf '%s' ${authority} >"$HW/ca.crt"
  if openssl verify -no_check_time -no-CApath -no-CAstore -CAfile "$HW/ca.crt" ${certificate} >/dev/null 2>&1; then echo authority=own; fi
  public=$(openssl pkey -in ${key} -passin pass: -pubout </dev/null 2>/dev/null) || public=''
  case $public in ?*) case $text in *"$public"*) echo keypair=fits ;; esac ;; esac
  if [ -f ${key} ] && cat ${certificate} ${key} | cmp -s - ${bundle}; then echo bundle=whole; fi
elif [ -e ${certificate} ] && ! command -v openssl >/dev/null; then echo openssl=missing
fi
echo end=end`;
}

/** Prints the host's clock, and of each certificate what `parseCertificates` reads. */
export function certificateProbe(places: readonly Place[]): Script {
  return lines([weigh, sh`date +clock=%s`, ...places.map(probeOne)]);
}

function value(block: string, name: string): string {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? '';
}

/** The indented line that openssl prints below the heading of an extension. */
function extension(block: string, heading: string): string {
  return new RegExp(`^X509v3 ${heading}:.*\n\\s+(.*)$`, 'm').exec(block)?.[1] ?? '';
}

function usage(block: string): string {
  const text = extension(block, 'Extended Key Usage');
  const found = [
    ...(text.includes('TLS Web Client Authentication') ? ['client'] : []),
    ...(text.includes('TLS Web Server Authentication') ? ['server'] : []),
  ];
  return found.join(' ');
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
  if (clock >= to) return 'due: it has run out';
  if (clock - from < Math.min(oldAge, (2 / 3) * (to - from))) return 'not due';
  return `due: it is ${spanText(clock - from)} old`;
}

/** How long a certificate is valid in all; one that ends with its CA could not be given more. */
function lifetime(from: number, to: number, { validFor, authorityEnd }: Expected): string {
  return to === authorityEnd && to - from < validFor ? spanText(validFor) : spanText(to - from);
}

function seconds(text: string): number {
  return Date.parse(text) / 1000;
}

function access(block: string, part: 'crt' | 'key' | 'pem'): string {
  const [kind = '', mode = '', owner = ''] = value(block, part).split('|');
  if (kind === '') return `no ${part}`;
  if (!kind.startsWith('regular')) return `${part} is a ${kind}`;
  return `${part} ${owner} ${mode.padStart(4, '0')}`;
}

/** What folders hold that stand in the places of files. */
function held(block: string) {
  const all = [...block.matchAll(/^holds=(\d+) (\d+)$/gm)];
  const sum = (index: 1 | 2): number => all.reduce((total, found) => total + Number(found[index]), 0);
  return entries({ holds: { count: sum(1), bytes: sum(2) } });
}

function parseOne(block: string, clock: number, expected: Expected) {
  const folders = held(block);
  if (value(block, 'crt') === '') return folders.entries === undefined ? null : folders;
  if (value(block, 'openssl') === 'missing') return new Unreadable('openssl is not installed');
  const subject = value(block, 'subject').trim();
  const from = seconds(value(block, 'notBefore'));
  const to = seconds(value(block, 'notAfter'));
  return {
    subject: subject === '' ? 'no certificate' : subject,
    names: namesText(parseAlternativeNames(extension(block, 'Subject Alternative Name'))),
    usage: usage(block),
    authority: value(block, 'authority') === 'own' ? expected.fingerprint : 'another',
    validFor: lifetime(from, to, expected),
    renewal: renewal(from, to, clock),
    key: value(block, 'keypair') === 'fits' ? 'fits the certificate' : 'missing or another',
    bundle: value(block, 'bundle') === 'whole' ? 'certificate and key' : 'missing or another',
    access: [access(block, 'crt'), access(block, 'key'), access(block, 'pem')].join(', '),
    ...folders,
  };
}

/** What `certificateProbe` found, of one certificate for each that is expected. */
export function parseCertificates(output: Buffer, expected: readonly Expected[]) {
  const blocks = output.toString('utf8').split(/^end=end$/m);
  const clock = Number(value(blocks[0] ?? '', 'clock'));
  if (blocks.length !== expected.length + 1 || !Number.isSafeInteger(clock) || clock === 0) {
    throw new RangeError('the answer about certificates is cut off');
  }
  return expected.map((one, index) => parseOne(blocks[index] ?? '', clock, one));
}
