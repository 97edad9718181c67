import {
  defineRole,
  directory,
  file,
  service,
  unit,
  z,
  type CertificateDeclaration,
  type Resource,
  type RoleContext,
} from 'hostwright';
import {
  journalRemote,
  peerOf,
  senderGroup,
  serverOf,
  type LogSenderDeclaration,
} from '../logs/journal-remote.ts';
import { sandbox } from '../monitoring/service.ts';

const name = 'systemd-journal-upload';
const folder = '/etc/systemd/journal-upload.conf.d';

type Context = RoleContext<object>;

/** A site without a log server any more: what an earlier run has set up is put away. Its package stays. */
function former({ applied }: Context): readonly Resource[] {
  if (!applied(`unit:${name}.service.d/hostwright.conf`)) return [];
  return [
    service(name, { running: false, enabled: false }),
    unit(`${name}.service`, { dropIn: 'hostwright', absent: true }, { needs: [`service:${name}.service`] }),
  ];
}

export default defineRole({
  name: 'log_sender',
  variables: z.object({}),
  derives: ({ host, site }) => {
    if (serverOf(site) === undefined) return [];
    const peer = peerOf(host);
    return [
      {
        kind: 'certificate',
        name: peer,
        group: senderGroup,
        usage: ['client'],
      } satisfies CertificateDeclaration,
      { kind: 'log_sender', peer } satisfies LogSenderDeclaration,
    ];
  },
  resources: (context) => {
    const { host, facts, site, template } = context;
    const server = serverOf(site);
    if (server === undefined) return former(context);
    const certificate = `/etc/hostwright/pki/${peerOf(host)}`;
    const { address } = server.host;
    const confined = sandbox(template, {
      families: ['AF_INET', 'AF_INET6', 'AF_UNIX'],
      settings: String(
        template('log_sender/upload.conf.hbs', {
          group: senderGroup,
          hasSteps: facts.codename !== 'bookworm',
        }),
      )
        .trimEnd()
        .split('\n'),
    });
    return [
      ...journalRemote(),
      directory(folder, { exclusive: true }),
      file(`${folder}/hostwright.conf`, {
        content: template('log_sender/journal-upload.conf.hbs', {
          url: `https://${address.includes(':') ? `[${address}]` : address}:${server.port}`,
          certificate,
        }),
      }),
      unit(
        `${name}.service`,
        { dropIn: 'hostwright', content: `[Unit]\nStartLimitIntervalSec=0\n\n${confined}` },
        { needs: ['package:systemd-journal-remote'] },
      ),
      service(
        name,
        { restartOn: [folder, `${certificate}.crt`, '/etc/hostwright/pki/ca.crt'] },
        { needs: [`host_certificate:${peerOf(host)}`] },
      ),
    ];
  },
});
