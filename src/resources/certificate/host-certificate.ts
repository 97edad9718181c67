import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { authorityEnd, authorityFingerprint, readAuthority } from '../../pki/authority.ts';
import { certificateStem } from '../../pki/folder.ts';
import { namesText } from '../../pki/names.ts';
import type { Secret } from '../../secrets/secret.ts';
import { accountName, secretValue } from '../attribute.ts';
import { duration, secondsOf, spanText } from '../duration.ts';
import { issue, repair } from './issue.ts';
import { certificateProbe, parseCertificates } from './state.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import type { Change } from '../state.ts';

function isAuthority(text: string): boolean {
  try {
    readAuthority(text);
    return true;
  } catch {
    return false;
  }
}

const schema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and "-"')
    .describe('The common name, and the name of the files NAME.crt, NAME.key and NAME.pem'),
  names: z
    .array(z.string().regex(/^[A-Za-z0-9_.:*-]+$/, 'expected a host name or an address'))
    .nonempty()
    .describe('Host names and addresses of the certificate'),
  usage: z
    .array(z.enum(['server', 'client']))
    .nonempty()
    .default(['server', 'client'])
    .describe('The extended key usage'),
  group: accountName.default('root').describe('The group that may read the key'),
  validFor: duration
    .default('5y')
    .describe(
      'The validity, such as `90d`; never longer than that of the CA. The certificate is renewed long before it expires',
    ),
  authority: secretValue('expected the internal CA, as createAuthority() makes it', isAuthority).describe(
    'Key and certificate of the CA; they stay on the controller',
  ),
  absent: z.literal(false).optional(),
});

type HostCertificate = z.output<typeof schema>;

/** The attributes that can be put right without a new certificate. */
const mendable = new Set(['access', 'bundle', 'acl', 'capabilities']);

function needsIssue(change: Change<HostCertificate>): boolean {
  return change.actual === null || change.attributes.some(({ name }) => !mendable.has(name));
}

function expectedOf({ name, authority, validFor }: HostCertificate) {
  const { certificate } = readAuthority(authority.reveal());
  return {
    stem: certificateStem(name),
    authority: new X509Certificate(certificate),
    fingerprint: authorityFingerprint(certificate),
    authorityEnd: authorityEnd(certificate),
    validFor: secondsOf(validFor),
  };
}

export const hostCertificateType = defineResource({
  name: 'host_certificate',
  summary:
    'A certificate of the internal CA; its key is made on the host and never leaves it. Renewed after 60 days, or when a third of its validity is left',
  schema,
  key: (certificate) => certificate.name,
  want: ({ name, names, usage, group, authority, validFor }) => ({
    subject: `CN=${name}`,
    names: namesText(names),
    usage: [...new Set(usage)].toSorted().join(' '),
    authority: authorityFingerprint(readAuthority(authority.reveal()).certificate),
    validFor: spanText(secondsOf(validFor)),
    renewal: 'not due',
    key: 'fits the certificate',
    bundle: 'certificate and key',
    access: `crt root:root 0644, key root:${group} 0640, pem root:${group} 0640`,
  }),
  probe: (batch) => ({
    ...certificateProbe(batch.map(({ name }) => certificateStem(name))),
    parse: (output) => parseCertificates(output, batch.map(expectedOf)),
  }),
  apply: (changes) => {
    const issued = changes.filter(needsIssue);
    const repaired = changes.filter((change) => !needsIssue(change));
    return [...(issued.length === 0 ? [] : [issue(issued)]), ...repaired.map(repair)];
  },
  comparison: { computed: ['entries'], implied: ['renewal'] },
  order: { after: ({ group }) => ['package:openssl', `group:${group}`] },
  files: {
    path: ({ name }) => `${certificateStem(name)}.crt`,
    alsoOwns: ({ name }) => ['key', 'pem'].map((ending) => `${certificateStem(name)}.${ending}`),
    modeIsAll: ({ name }) => ['crt', 'key', 'pem'].map((ending) => `${certificateStem(name)}.${ending}`),
  },
});

/** A certificate of the internal CA: `hostCertificate('nginx', { names: ['web1', '10.0.0.1'], authority: vars.pki_ca })`. */
export function hostCertificate(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'> & { readonly authority: Secret },
  options?: ResourceOptions,
): Resource {
  return declare(hostCertificateType, { name, ...attributes }, options);
}
