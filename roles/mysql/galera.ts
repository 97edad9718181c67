import {
  file,
  galeraMember,
  galeraState,
  HostwrightError,
  type DatabaseDeclaration,
  hostGroup,
  pkg,
  unit,
  type Resource,
  type RoleContext,
  type Secret,
  type SiteHost,
} from 'hostwright';
import { arbitrators, clusterName, hostOf, providerOptions, transferPorts } from '../galera/cluster.ts';
import { accounts, type Account } from './accounts.ts';
import { outsideState, type Holder } from './galera-outside.ts';
import { startCommand, startOf, type Start } from './galera-start.ts';
import { withoutOpener } from './left-over.ts';
import { accountsOfServers } from './primary-replica.ts';
import { primaryOf } from './primary.ts';
import { authority, certificate, key, serviceId } from './server.ts';
import type { Place, Topology } from './topology.ts';
import type { Variables } from './variables.ts';

const packages = ['galera-4', 'mariadb-backup', 'socat'];
const fewest = 3;

function ownAddress({ host, facts }: RoleContext<Variables>): string {
  return facts.addresses.includes(host.address) ? host.address : '0.0.0.0';
}

/** With two a cluster cannot tell which half is cut off. */
function members({ site }: Pick<Place, 'site'>): readonly SiteHost[] {
  const all = new Map([...site.hosts('db'), ...arbitrators(site)].map((host) => [host.name, host]));
  if (all.size >= fewest) return [...all.values()];
  throw new HostwrightError('E_VARIABLE', `mysql_topology: group has ${all.size} members`, {
    found: [...all.keys()].join(', '),
    expected: `at least ${fewest} hosts in the groups db and arbitrator`,
    hint: 'put a third host into the group arbitrator: it votes, has no data and needs 15 MB of memory',
  });
}

function optionsOf(context: RoleContext<Variables>): readonly string[] {
  return [
    ...providerOptions({ authority, certificate, key }, ownAddress(context)),
    `ist.recv_addr=${hostOf(context.host.address)}:${transferPorts.missed}`,
    'gcache.size=256M',
  ];
}

function decide(context: RoleContext<Variables>): Start {
  const { host, site, observed } = context;
  const answers = observed('galera');
  const outside = observed('outside');
  const discards = new Map(
    site
      .declared<MemberDeclaration>('database')
      .map((declared) => [declared.host.name, declared.discard] as const),
  );
  const data = new Set(site.hosts('db').map(({ name }) => name));
  return startOf(
    host.name,
    primaryOf(context).name,
    members(context).map((one) => ({
      host: one,
      hasData: data.has(one.name),
      answer: answers.get(one.name),
      outside: outside.get(one.name),
      discard: discards.get(one.name),
    })),
  );
}

/** Whose data a server gets that joins: the first one's, or the first one gets it from another. */
function holderFor(context: RoleContext<Variables>): Holder | undefined {
  const { vars, host, site } = context;
  const all = [primaryOf(context), ...site.hosts('db')];
  const other = all.find(({ name }) => name !== host.name);
  return other && { name: other.name, address: other.address, port: vars.mysql_port };
}

function command(context: RoleContext<Variables>, start: Start): [string, string, string] {
  const joining = { holder: holderFor(context), discard: context.vars.mysql_discard_transactions };
  return ['sh', '-euc', startCommand(context.host.name, start, galeraState, joining).text];
}

/** What others must know of a member: what of its data may be lost. */
interface MemberDeclaration extends DatabaseDeclaration {
  readonly discard?: string;
}

/** What the plan says. */
function told(start: Start): string {
  if (start.kind === 'join') return 'joins';
  if (start.kind === 'begin') {
    return start.data === 'none'
      ? 'begins a new cluster: no member has data of one'
      : 'begins the cluster again: no member has more of its data';
  }
  const [reason = ''] = start.reason.split('\n');
  return start.kind === 'refuse' ? reason : `joins; ${reason}`;
}

function member(context: RoleContext<Variables>): Resource {
  return galeraMember(
    context.host.name,
    {
      options: [...optionsOf(context)],
      restart: command(context, { kind: 'join' }),
      start: told(decide(context)),
    },
    { needs: [serviceId('mariadb')] },
  );
}

/** A start that finds no cluster leaves the last transaction of its data there. */
const keepPosition = `# Made by hostwright (role mysql).
[Service]
RuntimeDirectoryPreserve=yes
`;

/** Who reads everything for a new member, on the host of the one that gives it. */
function donor(password: Secret): Account {
  return {
    name: 'seed',
    from: ['localhost'],
    password,
    grants: { '*.*': ['RELOAD', 'PROCESS', 'LOCK TABLES', 'BINLOG MONITOR'] },
  };
}

/** Two servers or more with the same data and a vote each; one of them takes the writes. */
export const galera: Topology = {
  settings: (context) => {
    const { host, template } = context;
    return String(
      template('mysql/group.mariadb.hbs', {
        cluster: clusterName,
        addresses: members(context)
          .map(({ address }) => hostOf(address))
          .join(','),
        name: host.name,
        address: host.address,
        options: optionsOf(context).join(';'),
      }),
    ).trimEnd();
  },
  listens: ({ site }) => [
    { port: 4567, from: hostGroup('db'), why: 'Galera' },
    ...(arbitrators(site).length === 0 ? [] : [{ port: 4567, from: hostGroup('arbitrator'), why: 'Galera' }]),
    { port: transferPorts.missed, from: hostGroup('db'), why: 'Galera, what a member has missed' },
    { port: transferPorts.everything, from: hostGroup('db'), why: 'Galera, all data for a new member' },
  ],
  observes: () => [
    { name: 'galera', script: galeraState },
    { name: 'outside', script: outsideState },
  ],
  declares: (place): readonly MemberDeclaration[] => [
    {
      kind: 'database',
      flavor: place.vars.mysql_flavor,
      role: primaryOf(place).name === place.host.name ? 'primary' : 'replica',
      isPreferred: primaryOf(place).name === place.host.name,
      port: place.vars.mysql_port,
      checkPort: place.vars.mysql_writer_check_port,
      ...(place.vars.mysql_discard_transactions === undefined
        ? {}
        : { discard: place.vars.mysql_discard_transactions }),
    },
  ],
  starting: (context) => ({
    start: command(context, decide(context)),
    startWithin: context.vars.mysql_seed_timeout,
    restart: command(context, { kind: 'join' }),
  }),
  rank: (context) => (decide(context).kind === 'begin' ? -1 : 0),
  resources: (context) => {
    const { vars, host, template } = context;
    const brought = { needs: ['package:mariadb-server'] } as const;
    const own: readonly Resource[] = [
      ...packages.map((name) => pkg(name)),
      file(
        '/etc/mysql/mariadb.conf.d/zz-hostwright-sst.cnf',
        {
          content: template('mysql/sst.mariadb.hbs', {
            ...{ authority, certificate, key, password: vars.mysql_seed_password },
          }),
          group: 'mysql',
          mode: '0640',
        },
        brought,
      ),
      unit('mariadb.service', { dropIn: 'hostwright', content: keepPosition }),
      member(context),
      ...withoutOpener(context.observed('outside').get(host.name), [`galera_member:${host.name}`]),
    ];
    if (primaryOf(context).name !== host.name) return own;
    const needs = [serviceId(vars.mysql_flavor), `galera_member:${host.name}` as const];
    // With those of primary_replica: a member that leaves follows one that is still there.
    const ofServers = [donor(vars.mysql_seed_password), ...accountsOfServers(context)];
    return [...own, ...accounts(context, ofServers, { needs })];
  },
};
