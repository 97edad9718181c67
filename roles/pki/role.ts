import {
  authorityCertificates,
  createAuthority,
  defineRole,
  directory,
  duration,
  file,
  hostCertificate,
  pkg,
  secret,
  group,
  z,
  type CertificateDeclaration,
} from 'hostwright';

/** Groups that every Debian has, of base-passwd, under which services run. */
const stockGroups = new Set(['root', 'daemon', 'adm', 'mail', 'proxy', 'www-data', 'backup', 'nogroup']);

export default defineRole({
  name: 'pki',
  variables: z.object({
    pki_ca: secret({ generate: createAuthority }).describe(
      'the internal CA: PEM of its key and certificate, and of older or newer certificates that are trusted as well; made on first use',
    ),
    pki_keep: z
      .array(z.string())
      .default([])
      .describe('names in /etc/hostwright/pki that stay although no role declares them, with * and ?'),
    pki_group_members: z
      .array(z.string())
      .default([])
      .describe(
        'accounts that may be in the groups that read keys although no role declares it; others are taken out',
      ),
    pki_valid_for: duration
      .default('5y')
      .describe(
        'how long certificates are valid: far longer than a site may be left alone, see docs/certificates.md',
      ),
  }),
  resources: ({ vars, host, site }) => {
    const wanted = site
      .declared<CertificateDeclaration>('certificate')
      .filter((declared) => declared.host.name === host.name);
    const groups = new Set(
      wanted.map(({ group = 'root' }) => group).filter((name) => !stockGroups.has(name)),
    );
    return [
      pkg('openssl'),
      directory('/etc/hostwright'),
      directory('/etc/hostwright/pki', { exclusive: true, keep: vars.pki_keep }),
      file('/etc/hostwright/pki/ca.crt', { content: authorityCertificates(vars.pki_ca).join('') }),
      ...[...groups].map((name) =>
        group(name, { system: true, exclusive: true, keep: vars.pki_group_members }),
      ),
      ...wanted.map(({ name, group, names = [], usage }) =>
        hostCertificate(name, {
          names: [host.name, host.address, 'localhost', '127.0.0.1', ...names],
          authority: vars.pki_ca,
          validFor: vars.pki_valid_for,
          ...(group === undefined ? {} : { group }),
          ...(usage === undefined ? {} : { usage: [...usage] }),
        }),
      ),
    ];
  },
});
