import { basename, dirname } from 'node:path';
import { directory, file, service, unit, user, type Resource, type RoleContext } from 'hostwright';
import { environmentText, unitWord } from '../systemd/text.ts';
import type { Variables } from './variables.ts';

const program = '/usr/local/lib/hostwright/balancer-takeover';
const environment = '/etc/hostwright/balancer-takeover.env';
const name = basename(program);
/** keepalived writes each of its changes into it. */
const fifo = '/run/balancer-takeover';

export function isCloud({ balancer_takeover: command }: Variables): boolean {
  return command.length > 0;
}

export const notifyFifo = (vars: Variables): string => (isCloud(vars) ? fifo : '');
export const takeoverSocket = `service:${name}.socket` as const;

/** Removes what an earlier run has made. The last one is the user: as long as it is there, something may be left. */
const gone: readonly Resource[] = [
  unit(`${name}.service`, { absent: true }),
  unit(`${name}.socket`, { absent: true }),
  ...[program, environment].map((path) => file(path, { absent: true }, { needs: [`unit:${name}.service`] })),
  user(
    name,
    { absent: true },
    { needs: [`unit:${name}.service`, `unit:${name}.socket`, `file:${program}`, `file:${environment}`] },
  ),
];

/** What runs the user's command on the balancer that has the address. */
export function takeover({ vars, template, asset, applied }: RoleContext<Variables>): readonly Resource[] {
  if (!isCloud(vars) || vars.balancer_address.length === 0) return applied(`user:${name}`) ? gone : [];
  const [address = ''] = vars.balancer_address;
  const command = [program, address, ...vars.balancer_takeover].map(unitWord).join(' ');
  const ready = { needs: [`user:${name}`, `file:${program}`, `file:${environment}`] } as const;
  const text = (part: 'socket' | 'service'): string =>
    String(template(`floating_address/${name}.${part}.hbs`, { name, command, environment, fifo }));
  return [
    user(name, { system: true, home: `/var/lib/${name}`, shell: '/usr/sbin/nologin' }),
    directory(dirname(program)),
    file(program, { content: asset('balancer-takeover.sh').toString('utf8'), mode: '0755' }),
    directory(dirname(environment)),
    file(environment, { content: environmentText(vars.balancer_takeover_environment), mode: '0600' }),
    // Verified together, as each names the other.
    unit(`${name}.service`, { content: text('service') }, ready),
    unit(`${name}.socket`, { content: text('socket') }, ready),
    service(`${name}.socket`),
    service(name, { restartOn: [program, environment] }, { needs: [takeoverSocket] }),
  ];
}
