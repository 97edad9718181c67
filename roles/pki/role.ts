import {
  authorityCertificates,
  createAuthority,
  defineRole,
  directory,
  file,
  hostCertificate,
  pkg,
  secret,
  userGroup,
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
    pki_validity_days: z
      .number()
      .int()
      .min(1)
      .max(825)
      .default(90)
      .describe('days that a new certificate is valid; it is renewed when less than a third of them is left'),
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
      directory('/etc/hostwright/pki'),
      file('/etc/hostwright/pki/ca.crt', { content: authorityCertificates(vars.pki_ca).join('') }),
      ...[...groups].map((name) => userGroup(name, { system: true })),
      ...wanted.map(({ name, group, names = [], usage }) =>
        hostCertificate(name, {
          names: [host.name, host.address, 'localhost', '127.0.0.1', ...names],
          authority: vars.pki_ca,
          validityDays: vars.pki_validity_days,
          ...(group === undefined ? {} : { group }),
          ...(usage === undefined ? {} : { usage: [...usage] }),
        }),
      ),
    ];
  },
});
