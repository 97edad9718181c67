import {
  commitPatience,
  directory,
  file,
  service,
  unit,
  type Resource,
  type ResourceId,
  type RoleContext,
} from 'hostwright';
import { login, opener } from './left-over.ts';
import { authority, certificate, key, unitOf } from './server.ts';
import type { Variables } from './variables.ts';

const program = '/usr/local/lib/hostwright/mysql-open';
const settings = '/etc/hostwright/mysql-open.conf';

/** The unit that opens the primary after a restart, by asking the other servers. It runs behind `needs`. */
export function openAfterRestart(
  { vars, host, site, template, asset }: RoleContext<Variables>,
  needs: readonly ResourceId[],
): readonly Resource[] {
  const server = unitOf(vars.mysql_flavor);
  const others = site.hosts('db').filter(({ name }) => name !== host.name);
  const lines = [
    `flavor=${vars.mysql_flavor}`,
    `self=${host.address}:${vars.mysql_port}`,
    `patience=${commitPatience[vars.mysql_durability]}`,
    ...others.map(({ name, address }) => `server ${name} ${address} ${vars.mysql_port}`),
  ];
  return [
    directory('/usr/local/lib/hostwright'),
    file(program, { content: asset('mysql-open.sh').toString('utf8'), mode: '0755' }),
    file(settings, {
      content: `# Written by Hostwright (role mysql), read by ${program}.\n${lines.join('\n')}\n`,
    }),
    file(login, {
      content: template('mysql/observer.cnf.hbs', {
        password: vars.mysql_observer_password,
        authority,
        certificate,
        key,
        verify: vars.mysql_flavor === 'mysql' ? 'ssl-mode=VERIFY_IDENTITY' : 'ssl-verify-server-cert',
      }),
      mode: '0600',
    }),
    unit(
      opener,
      { content: String(template('mysql/mysql-open.service.hbs', { server, program })) },
      { needs: [`file:${program}`] },
    ),
    service(opener, { restartOn: [program, settings, login] }, { needs }),
  ];
}
