import {
  directory,
  file,
  pkg,
  service,
  unit,
  type Resource,
  type RoleContext,
  type Secret,
} from 'hostwright';

/** A HAProxy on 127.0.0.1 of a host, for the programs there: a process of its own beside that of a balancer. */
export interface LocalHaproxy {
  /** Of the unit, and of the folder in `/etc`: `haproxy-mysql`. */
  readonly name: string;
  readonly role: string;
  readonly description: string;
  readonly configuration: string | Secret;
  /** On 127.0.0.1; it works while it accepts connections at all of them. */
  readonly ports: readonly number[];
  /** Open files of all connections, and what they are, for the comment. */
  readonly files: { readonly count: number; readonly of: string };
  /** The name of the certificate of the internal CA that it shows; default: none. */
  readonly certificate?: string;
}

type Context = Pick<RoleContext<unknown>, 'host' | 'site' | 'template'>;

const accepts = `for port; do exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1; done`;

/** It ends when the new process works; where that does not start, the previous one goes on, and the status says so. */
const reload = (name: string): string => `systemctl reload ${name}
status=$(systemctl show -P StatusText ${name})
case $status in *ailed*) echo "${name}: $status"; exit 1 ;; esac`;

const pki = '/etc/hostwright/pki';

export function localHaproxy(
  { host, site, template }: Context,
  { name, role, description, configuration, ports, files, certificate }: LocalHaproxy,
): readonly Resource[] {
  const folder = `/etc/${name}`;
  const config = `${folder}/haproxy.cfg`;
  const isBalancer = site.listens(host.name).some((listens) => listens.role === 'haproxy');
  const text = template('local_haproxy/haproxy.service.hbs', {
    ...{ role, description, config },
    filesOf: files.of,
    files: files.count + 200,
  });
  return [
    pkg('haproxy'),
    // The package starts one with its own configuration, which serves nobody.
    ...(isBalancer ? [] : [service('haproxy', { running: false, enabled: false })]),
    directory(folder, { exclusive: true }),
    file(config, { content: configuration }),
    unit(`${name}.service`, { content: String(text) }, { needs: ['package:haproxy'] }),
    service(
      name,
      {
        reloadOn: [
          config,
          ...(certificate === undefined ? [] : [`${pki}/${certificate}.crt`, `${pki}/ca.crt`]),
        ],
        validate: ['haproxy', '-c', '-dW', '-f', config],
        healthy: ['bash', '-c', accepts, 'accepts', ...ports.map(String)],
        reload: ['sh', '-euc', reload(name)],
      },
      certificate === undefined ? {} : { needs: [`host_certificate:${certificate}`] },
    ),
  ];
}
