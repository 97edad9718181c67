import { HostwrightError, type Listen, type Site, type SiteHost } from 'hostwright';

/** A rule as the resource `ufw` takes it. */
export interface Rule {
  readonly action: 'allow' | 'limit';
  /** Left out for a protocol without ports. */
  readonly port?: number;
  readonly protocol: 'tcp' | 'udp' | 'vrrp';
  /** `any`, an address or a network. */
  readonly from: string;
  readonly why: string;
}

const isAddress = (text: string): boolean => /^[\d.]+$/.test(text) || text.includes(':');

/** Addresses that may connect; what a host sends to itself passes any firewall. */
function sources({ from, why }: Listen, host: SiteHost, site: Site): readonly string[] {
  if (from === 'internet') return ['any'];
  if ('address' in from) return [from.address];
  const others = site.hosts(from.group).filter((one) => one.name !== host.name);
  const nameless = others.find((one) => !isAddress(one.address));
  if (nameless !== undefined) {
    throw new HostwrightError(
      'E_VARIABLE',
      `${nameless.name} has no address for the firewall of ${host.name}`,
      {
        place: { host: nameless.name },
        found: `"${nameless.address}", which is a name, among the hosts of the group ${from.group} (${why})`,
        hint: `set private_address or ansible_host of ${nameless.name} to its address`,
      },
    );
  }
  return others.map((one) => one.address);
}

/**
 * One rule for each port or protocol, and source, that the roles of a host declare, in the order of their declaration.
 * Where several roles declare the same, the rule says why for all of them; a port that is open for everyone
 * needs no rule for anyone.
 */
export function declaredRules(listens: readonly Listen[], host: SiteHost, site: Site): readonly Rule[] {
  const rules = new Map<string, Rule>();
  for (const listen of listens) {
    const { port, protocol = 'tcp' } = listen;
    const opened = { ...(port === undefined ? {} : { port }), protocol };
    const why = listen.why.replaceAll("'", '’');
    for (const from of sources(listen, host, site)) {
      const key = `${port}/${protocol} ${from}`;
      const same = rules.get(key);
      const both = same === undefined || same.why.split('; ').includes(why) ? why : `${same.why}; ${why}`;
      rules.set(key, { action: 'allow', ...opened, from, why: both });
    }
  }
  return [...rules.values()].filter(
    ({ port, protocol, from }) => from === 'any' || !rules.has(`${port}/${protocol} any`),
  );
}
