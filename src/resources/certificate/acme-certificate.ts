import type { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { namesText, parseAlternativeNames } from '../../pki/names.ts';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { argv } from '../attribute.ts';
import { path } from '../path.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import { Unreadable, type Change } from '../state.ts';
import { each, type Step } from '../step.ts';
import { block, certificateIn, parsePem, readPem, type FoundPem, type Pem } from './pem.ts';

const schema = z.strictObject({
  names: z
    .array(z.string().regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, 'expected a host name'))
    .nonempty()
    .describe('Host names of the certificate; the first identifies the resource'),
  directory: z.url().describe('The directory URL of the ACME CA'),
  bundle: path.describe('The PEM file of the server, with the certificate and its key'),
  issued: path
    .optional()
    .describe('The bundle of the ACME client: while it exists, `bundle` must be equal to it'),
  issuedBy: path.describe('The file with the directory URL of the issuing CA'),
  port: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(443)
    .describe('The port on 127.0.0.1 that serves the certificate'),
  unit: z
    .string()
    .regex(/^[\w@.-]+\.service$/)
    .describe('The oneshot service that issues, renews and deploys the certificate'),
  check: argv.describe(
    'A command that succeeds when browsers accept the served certificate. Used when the unit fails',
  ),
  absent: z.literal(false).optional(),
});

type AcmeCertificate = z.output<typeof schema>;

function firstOf({ names }: AcmeCertificate): string {
  return names[0] ?? '';
}

/** Bytes of what openssl says of a server: some certificates and a page of text. */
const mostServed = 256 * 1024;

/** What is served, and whether the bundle is the one that the CA has issued, which it says of itself. */
function probeOne(certificate: AcmeCertificate): Script {
  const { bundle, issued = bundle, issuedBy, port } = certificate;
  return sh`if [ -f ${bundle} ] && command -v openssl >/dev/null; then
  if [ -f ${issued} ] && ! cmp -s ${issued} ${bundle}; then echo foreign=yes; fi
  directory=''
  if [ -f ${issuedBy} ]; then IFS= read -r directory <${issuedBy} || :; fi
  printf 'directory=%s\n' "$directory"
  timeout 10 openssl s_client -connect ${`127.0.0.1:${port}`} -servername ${firstOf(certificate)} </dev/null 2>/dev/null | head -c ${mostServed}
fi
echo end=end`;
}

/** A certificate that runs out soon is the timer's business; one that has run out is everybody's. */
function validity(certificate: X509Certificate | undefined, clock: number): string {
  const end = Date.parse(certificate?.validTo ?? '');
  if (!Number.isFinite(end)) return 'cannot be read';
  return clock < end / 1000
    ? 'valid'
    : `ended ${new Date(end).toISOString().replace('T', ' ').replace('.000', '')}`;
}

function issuerOf(certificate: X509Certificate | undefined, text: string): string {
  if (certificate === undefined || certificate.subject === certificate.issuer) return 'none';
  return /^foreign=yes$/m.test(text) ? 'not the CA that was asked' : 'a CA';
}

function servedIn(text: string, own: X509Certificate | undefined): string {
  const served = certificateIn(block(text, 'CERTIFICATE'));
  if (served === undefined) return 'nothing';
  return own?.fingerprint256 === served.fingerprint256 ? 'this certificate' : 'another';
}

function stateOf({ isThere, certificate }: Pem, text: string, { clock, hasOpenssl }: FoundPem) {
  if (!isThere) return null;
  if (!hasOpenssl) return new Unreadable('openssl is not installed');
  return {
    issuer: issuerOf(certificate, text),
    names: namesText(parseAlternativeNames(certificate?.subjectAltName ?? '')),
    directory: /^directory=(.*)$/m.exec(text)?.[1] ?? '',
    validity: validity(certificate, clock),
    served: servedIn(text, certificate),
  };
}

const minute = 60_000;

function step({ id, desired }: Change<AcmeCertificate>): Step {
  const { unit, check } = desired;
  // A CA that is away is no failure as long as browsers are content with the certificate that is there.
  const script = sh`systemctl reset-failed ${unit} 2>/dev/null || :
if ! systemctl start ${unit} 2>/dev/null && ! ${check} >/dev/null 2>&1; then
  journalctl -q --no-pager -o cat -p warning -n 12 _SYSTEMD_INVOCATION_ID="$(systemctl show -p InvocationID --value ${unit})" >&2
  exit 1
fi`;
  return { resources: [id], title: `certificate of ${firstOf(desired)}`, script, timeout: 21 * minute };
}

export const acmeCertificateType = defineResource({
  name: 'acme_certificate',
  summary:
    'A certificate of an ACME CA, issued and deployed: the file has the right names and the right CA, and the server uses it',
  schema,
  key: firstOf,
  want: ({ names, directory }) => ({
    issuer: 'a CA',
    names: namesText(names),
    directory,
    validity: 'valid',
    served: 'this certificate',
  }),
  probe: (batch) => {
    const { script, stdin } = readPem(
      [],
      batch.map(({ bundle }) => ({ certificate: bundle, key: '/dev/null' })),
    );
    return {
      script: lines([script, ...batch.map(probeOne)]),
      stdin,
      parse: (output) => {
        const found = parsePem(output, batch.length);
        const texts = found.rest.split(/^end=end\n/m);
        if (texts.length !== batch.length + 1)
          throw new RangeError('the answer about certificates is cut off');
        return found.pems.map((pem, index) => stateOf(pem, texts[index] ?? '', found));
      },
    };
  },
  apply: each(step),
  order: {
    after: ({ unit, bundle }) => ['package:openssl', `unit:${unit}`, `tls_bundle:${bundle}`],
  },
  files: { readAt: ({ bundle, issued = bundle, issuedBy }) => [bundle, issued, issuedBy] },
});

/** A certificate of an ACME CA; see the role `certificate`. */
export function acmeCertificate(attributes: z.input<typeof schema>, options?: ResourceOptions): Resource {
  return declare(acmeCertificateType, attributes, options);
}
