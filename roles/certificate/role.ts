import {
  acmeCertificate,
  defineRole,
  file,
  permissions,
  pkg,
  secret,
  service,
  unit,
  z,
  type AcmeAccountDeclaration,
  type FloatingAddressDeclaration,
} from 'hostwright';
import { bundle } from '../acme/shared.ts';
import { createAccountKey, isAccountKey, thumbprint } from './account.ts';

const script = '/usr/local/sbin/hostwright-certificate';
const configuration = '/etc/hostwright/certificate.conf';
const accountKey = '/etc/hostwright/acme-account.key';
const unitName = 'hostwright-certificate';

const hostName = z.string().regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/, 'expected a host name with a dot');

const variables = z.object({
  domain: hostName.describe('the name of the site, such as www.foobar.com'),
  certificate_names: z.array(hostName).default([]).describe('more names of the site, for its certificate'),
  acme_email: z.email().describe('where the CA writes to when something is wrong with the certificate'),
  acme_directory: z
    .url({ protocol: /^https$/, error: 'expected a URL that begins with https://' })
    .regex(/^\S+$/)
    .default('https://acme-v02.api.letsencrypt.org/directory')
    .describe('the directory of the ACME CA'),
  acme_ca_file: z
    .string()
    .regex(/^\/\S+$/, 'expected an absolute path on the balancer')
    .optional()
    .describe(
      'a PEM file on the balancer with the roots that the ACME server itself is verified with; the trust store of the host unless set',
    ),
  certificate_addresses: z
    .array(z.union([z.ipv4(), z.ipv6()], { error: 'expected an IP address' }))
    .default([])
    .describe(
      'addresses at which the balancer is reached from outside, where they are not its own (behind NAT)',
    ),
  acme_account_key: secret({ generate: createAccountKey })
    .refine(isAccountKey, 'expected a private key in PEM, "EC PRIVATE KEY" or "RSA PRIVATE KEY"')
    .describe('the key of the account at the CA, the same on all balancers; made on first use'),
});

type Variables = z.output<typeof variables>;

/** One `name=value` a line, read as it is: nothing of it is ever code. */
function settings(vars: Variables, names: readonly string[], balancers: readonly string[]): string {
  const values = {
    names: names.join(' '),
    email: vars.acme_email,
    directory: vars.acme_directory,
    ca_file: vars.acme_ca_file ?? '',
    addresses: vars.certificate_addresses.join(' '),
    balancers: balancers.join(' '),
    account_key: accountKey,
    bundle,
    socket: '/run/haproxy/admin.sock',
  };
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  return `# Written by Hostwright (role certificate), read by ${script}.\n${lines.join('')}`;
}

const serviceUnit = `[Unit]
Description=Certificate of the site from its ACME CA
Wants=network-online.target
After=network-online.target haproxy.service

[Service]
Type=oneshot
ExecStart=${script}
TimeoutStartSec=20min
StateDirectory=hostwright/certificate
StateDirectoryMode=0700
ReadWritePaths=/etc/haproxy
CapabilityBoundingSet=CAP_DAC_OVERRIDE
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0077
`;

const timerUnit = `[Unit]
Description=Renews the certificate of the site when a third of its time is left

[Timer]
OnCalendar=*-*-* 00/6:00:00
# Spread over all hosts, but always the same on one: CAs ask not to be called on the hour by everybody.
RandomizedDelaySec=6h
FixedRandomDelay=yes
Persistent=yes

[Install]
WantedBy=timers.target
`;

export default defineRole({
  name: 'certificate',
  variables,
  declares: ({ vars }) => [
    {
      kind: 'acme_account',
      thumbprint: thumbprint(vars.acme_account_key),
    } satisfies AcmeAccountDeclaration,
  ],
  resources: ({ vars, host, site, asset }) => {
    const names: [string, ...string[]] = [
      vars.domain.toLowerCase(),
      ...vars.certificate_names.map((name) => name.toLowerCase()),
    ];
    const others = site
      .declared<AcmeAccountDeclaration>('acme_account')
      .filter((account) => account.host.name !== host.name)
      .map((account) => account.host.address);
    const floating = site
      .declared<FloatingAddressDeclaration>('floating_address')
      .flatMap(({ addresses }) => addresses);
    const balancers = [...new Set([...others, ...floating])];
    return [
      pkg('lego'),
      pkg('socat'),
      pkg('openssl'),
      file(script, { content: asset('hostwright-certificate.sh').toString('utf8'), mode: '0755' }),
      file(configuration, { content: settings(vars, names, balancers) }),
      permissions('/var/lib/hostwright/certificate', { mode: '0700' }),
      file(accountKey, { content: vars.acme_account_key, mode: '0600' }),
      unit(`${unitName}.service`, { content: serviceUnit }, { needs: [`file:${script}`] }),
      unit(`${unitName}.timer`, { content: timerUnit }, { needs: [`file:${script}`] }),
      acmeCertificate(
        {
          names,
          directory: vars.acme_directory,
          bundle,
          issued: '/var/lib/hostwright/certificate/site.pem',
          issuedBy: '/var/lib/hostwright/certificate/directory',
          unit: `${unitName}.service`,
          check: [script, 'check'],
        },
        {
          needs: [
            'service:haproxy.service',
            'package:lego',
            ...[script, configuration, accountKey].map((path): `file:${string}` => `file:${path}`),
          ],
        },
      ),
      service(`${unitName}.timer`),
    ];
  },
});
