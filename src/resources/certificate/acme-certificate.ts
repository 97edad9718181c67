import { z } from 'zod';
import { namesText, parseAlternativeNames } from '../../pki/names.ts';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { argv } from '../attribute.ts';
import { path } from '../path.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import { Unreadable, type Change } from '../state.ts';
import { each, type Step } from '../step.ts';

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

function probeOne(certificate: AcmeCertificate): Script {
  const { bundle, issued = bundle, issuedBy, port } = certificate;
  return sh`if [ -f ${bundle} ] && command -v openssl >/dev/null; then
  echo there=yes
  openssl x509 -in ${bundle} -noout -subject_hash -issuer_hash </dev/null 2>/dev/null | uniq | sed -n '2s/.*/issued=yes/p'
  openssl x509 -in ${bundle} -noout -dates -dateopt iso_8601 -ext subjectAltName </dev/null 2>/dev/null || :
  if [ -f ${issued} ] && ! cmp -s ${issued} ${bundle}; then echo foreign=yes; fi
  printf 'directory=%s\n' "$(cat ${issuedBy} 2>/dev/null)"
  disk=$(openssl x509 -in ${bundle} -noout -fingerprint -sha256 </dev/null 2>/dev/null) || disk=''
  served=$(timeout 10 openssl s_client -connect ${`127.0.0.1:${port}`} -servername ${firstOf(certificate)} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 2>/dev/null) || served=''
  if [ -z "$served" ]; then echo served=nothing
  elif [ "$served" = "$disk" ]; then echo served=this; fi
elif [ -e ${bundle} ] && ! command -v openssl >/dev/null; then echo openssl=missing
fi
echo end=end`;
}

function value(block: string, name: string): string {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? '';
}

/** A certificate that runs out soon is the timer's business; one that has run out is everybody's. */
function validity(block: string, clock: number): string {
  const end = value(block, 'notAfter');
  const time = Date.parse(end) / 1000;
  if (!Number.isFinite(time)) return 'cannot be read';
  return clock < time ? 'valid' : `ended ${end}`;
}

function issuerOf(block: string): string {
  if (value(block, 'issued') !== 'yes') return 'none';
  return value(block, 'foreign') === 'yes' ? 'not the CA that was asked' : 'a CA';
}

function parseOne(block: string, clock: number) {
  if (value(block, 'openssl') === 'missing') return new Unreadable('openssl is not installed');
  if (value(block, 'there') === '') return null;
  const alternatives = /^X509v3 Subject Alternative Name:.*\n\s+(.*)$/m.exec(block)?.[1] ?? '';
  const served = value(block, 'served');
  return {
    issuer: issuerOf(block),
    names: namesText(parseAlternativeNames(alternatives)),
    directory: value(block, 'directory'),
    validity: validity(block, clock),
    served: served === 'this' ? 'this certificate' : served === 'nothing' ? 'nothing' : 'another',
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
  probe: (batch) => ({
    script: lines([sh`date +clock=%s`, ...batch.map(probeOne)]),
    parse: (output) => {
      const blocks = output.toString('utf8').split(/^end=end$/m);
      const clock = Number(value(blocks[0] ?? '', 'clock'));
      if (blocks.length !== batch.length + 1)
        throw new RangeError('the answer about certificates is cut off');
      return batch.map((_, index) => parseOne(blocks[index] ?? '', clock));
    },
  }),
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
