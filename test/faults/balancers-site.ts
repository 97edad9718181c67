import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopHost } from '../../src/lab/host.ts';
import { hostAddresses, labSettings, machineName } from '../../src/lab/settings.ts';
import { application, domain } from '../lab/balancer-site.ts';
import { bareHosts, run, type Finished, type TestHosts } from '../lab/hosts.ts';
import type { Door } from '../lab/visit.ts';

export const balancers = ['web1', 'web2'] as const;
export type Balancer = (typeof balancers)[number];

export const otherThan = (host: Balancer): Balancer => (host === 'web1' ? 'web2' : 'web1');

/** Two hosts, each of them balancer, web server and application, which share an address of both families. */
export interface BalancersSite {
  readonly hosts: TestHosts;
  /** The shared addresses: IPv4, IPv6. */
  readonly addresses: readonly [string, string];
  /** The site as visitors reach it, by the shared address. */
  readonly door: Door;
  readonly hostwright: (...words: readonly string[]) => Promise<Finished>;
  /** Variables of the inventory beside its own, from here on. */
  readonly set: (variables: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Shell as root on a host; throws where it fails. */
  readonly shell: (host: Balancer, script: string) => Promise<string>;
  /** The balancers that have the shared addresses, both of them. */
  readonly holders: () => Promise<readonly Balancer[]>;
  /** How often keepalived of a host has become master or backup, or has failed. */
  readonly transitions: (host: Balancer) => Promise<number>;
  /** The port of a host at the switch that all hosts and the visitors are at. */
  readonly link: (host: Balancer, state: 'up' | 'down') => Promise<void>;
  /** Without a last packet to anyone. */
  readonly losePower: (host: Balancer) => Promise<void>;
  readonly powerIsBack: () => Promise<void>;
  /** Has the name of the site lead to these addresses. */
  readonly named: (addresses: readonly string[]) => Promise<void>;
  /** The root of its certificate. */
  readonly rootFile: string;
  readonly down: () => Promise<void>;
}

const groups = `  children:
    web: { hosts: { web1: , web2: } }
    app: { children: { web: } }
    lb: { children: { web: } }
    monitoring: {}
`;

const plays = `- hosts: all
  roles: [pki, firewall]
- hosts: web
  serial: 1
  roles: [app, nginx, haproxy, floating_address]
- hosts: lb
  roles: [certificate]
`;

export async function balancersSite(lab: string, subnet: string): Promise<BalancersSite> {
  const hosts = await bareHosts(lab, subnet, balancers.length);
  const settings = labSettings(hosts.environment);
  const rootFile = `/var/lib/hostwright-lab/${lab}/acme-root.pem`;
  const address = `${subnet}.100`;
  const addresses = [address, hostAddresses(settings, 90).address6] as const;
  const project = await mkdtemp(join(tmpdir(), 'hostwright-balancers-'));
  const file = join(project, 'hosts.yml');
  const inventory = await readFile(join(hosts.inventory, 'hosts.yml'), 'utf8');
  await writeFile(file, inventory.slice(0, inventory.indexOf('  children:')) + groups);
  await writeFile(join(project, 'site.yml'), plays);
  await mkdir(join(project, 'app'));
  await writeFile(join(project, 'app/main.py'), application);
  await mkdir(join(project, 'group_vars/all'), { recursive: true });
  const own = {
    domain,
    acme_email: 'admin@foobar.com',
    acme_directory: `https://${subnet}.1:14000/dir`,
    app_source: 'app',
    app_packages: ['python3'],
    app_command: ['/usr/bin/python3', 'main.py'],
    balancer_address: addresses,
  };
  const set: BalancersSite['set'] = (variables) =>
    writeFile(join(project, 'group_vars/all/main.yml'), JSON.stringify({ ...own, ...variables }));
  await set({});

  const up = async (): Promise<void> => {
    const words = ['lab', 'up', '--hosts', String(balancers.length), '--domain', `${domain}=${address}`];
    const finished = await hosts.hostwright(...words);
    if (finished.code !== 0) throw new Error(finished.stdout + finished.stderr);
  };
  const link: BalancersSite['link'] = async (host, state) => {
    const port = `vb-${machineName(settings, host)}`;
    const { code, stderr } = await run('ip', ['link', 'set', 'dev', port, state]);
    if (code !== 0) throw new Error(stderr);
  };
  const shell: BalancersSite['shell'] = (host, script) => hosts.shell(host, script);
  const onAll = (script: string): Promise<readonly string[]> =>
    Promise.all(balancers.map(async (host) => (await hosts.ssh(host, script)).stdout));
  const site: BalancersSite = {
    hosts,
    addresses,
    door: { domain, address, root: await readFile(rootFile, 'utf8') },
    hostwright: (...[verb = '', ...words]) => hosts.hostwright(verb, '-i', file, ...words),
    set,
    shell,
    async holders() {
      const seen = await onAll(addresses.map((one) => `ip -oneline address show to ${one}`).join('; '));
      return balancers.filter((_host, index) => addresses.every((one) => seen[index]?.includes(`${one}/`)));
    },
    transitions: async (host) =>
      Number(await shell(host, "journalctl --quiet -u keepalived | grep -c 'Entering .* STATE' || :")),
    link,
    async losePower(host) {
      await link(host, 'down');
      await stopHost(settings, host);
    },
    powerIsBack: up,
    async named(those) {
      for (const [path, record] of [
        ['clear-a', { host: `${domain}.` }],
        ['add-a', { host: `${domain}.`, addresses: those }],
      ] as const) {
        await fetch(`http://${subnet}.1:8055/${path}`, { method: 'POST', body: JSON.stringify(record) });
      }
    },
    rootFile,
    async down() {
      await hosts.down();
      await rm(project, { recursive: true, force: true });
    },
  };
  await up();
  const first = await site.hostwright('apply', '--yes', '--no-diff');
  if (first.code !== 0) throw new Error(`the site is not provisioned:\n${first.stdout}${first.stderr}`);
  return site;
}
