import {
  defineRole,
  file,
  hostGroup,
  HostwrightError,
  pkg,
  service,
  type Declaration,
  type Resource,
  type RoleContext,
  type SiteHost,
} from 'hostwright';
import { runner } from './runner.ts';
import { variables, type Variables } from './variables.ts';

/** A node tells all others how many jobs it takes. */
interface NodeDeclaration extends Declaration {
  readonly kind: 'slurm_node';
  readonly processors: number;
}

type Context = RoleContext<Variables>;

function controllerOf(site: Pick<Context['site'], 'hosts'>): SiteHost {
  const [controller, ...others] = site.hosts('slurm_controller');
  if (controller !== undefined && others.length === 0) return controller;
  throw new HostwrightError('E_VARIABLE', 'a Slurm cluster has one controller', {
    found: `${site.hosts('slurm_controller').length} hosts in the group slurm_controller`,
  });
}

/** The nodes know each other by one key. */
function munge({ vars }: Context): readonly Resource[] {
  return [
    pkg('munge'),
    file('/etc/munge/munge.key', {
      content: vars.slurm_munge_key,
      owner: 'munge',
      group: 'munge',
      mode: '0400',
    }),
    service('munge', { restartOn: ['/etc/munge'], healthy: ['sh', '-c', 'munge -n | unmunge >/dev/null'] }),
  ];
}

function slurm({ vars, host, site, template }: Context): readonly Resource[] {
  const controller = controllerOf(site);
  const needs = ['service:munge.service'] as const;
  return [
    pkg('slurmd'),
    file('/etc/slurm/slurm.conf', {
      content: template('slurm/slurm.conf.hbs', {
        controller,
        nodes: site.declared<NodeDeclaration>('slurm_node'),
        nodeSeconds: vars.slurm_node_seconds,
        requeueSeconds: vars.slurm_requeue_seconds,
      }),
    }),
    file('/etc/slurm/cgroup.conf', { content: 'CgroupPlugin=disabled\n' }),
    // A restart leaves the jobs of the node alone. -G reads the whole configuration and looks for this node in it.
    service('slurmd', { restartOn: ['/etc/slurm'], validate: ['slurmd', '-G'] }, { needs }),
    ...(host.name === controller.name
      ? [
          pkg('slurmctld'),
          pkg('slurm-client'),
          service('slurmctld', { restartOn: ['/etc/slurm'], healthy: ['scontrol', 'ping'] }, { needs }),
        ]
      : []),
  ];
}

export default defineRole({
  name: 'slurm',
  variables,
  declares: ({ vars }) => [
    { kind: 'slurm_node', processors: vars.slurm_processors } satisfies NodeDeclaration,
  ],
  listens: ({ host, site }) => [
    { port: 6818, from: hostGroup('slurm'), why: 'slurmd' },
    host.name === controllerOf(site).name && { port: 6817, from: hostGroup('slurm'), why: 'slurmctld' },
  ],
  resources: (context) => [munge(context), slurm(context), runner(context)],
});
