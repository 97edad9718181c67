import {
  HostwrightError,
  type BackupDeclaration,
  type DatabaseDeclaration,
  type Site,
  type SiteHost,
} from 'hostwright';
import type { Variables } from './variables.ts';

/** Where the program on a host of the group db notes its runs, see `BackupDeclaration`. */
const record = '/var/lib/hostwright/backup';

/** Which host has which part in the backups. */
export interface Parts {
  /** Makes the copies: a replica, where there is one, so that the primary has no work with it. */
  readonly sender: string;
  /** Tests them, and has the key for it. */
  readonly tester: string | undefined;
}

/** What a host does, for other roles and for its own settings; nothing where backups have no place. */
export function partOf(
  vars: Variables,
  host: SiteHost,
  site: Pick<Site, 'hosts' | 'declared'>,
): BackupDeclaration | undefined {
  if (!host.groups.includes('db') || storeOf(host, site) === undefined) return undefined;
  const { sender, tester } = partsOf(vars, site);
  return { kind: 'backup', sends: sender === host.name, tests: tester === host.name, record };
}

/** What a host of the group db runs. */
export function flavorOf(
  { name }: SiteHost,
  { declared }: Pick<Site, 'declared'>,
): DatabaseDeclaration['flavor'] {
  const database = declared<DatabaseDeclaration>('database').find(({ host }) => host.name === name);
  if (database !== undefined) return database.flavor;
  throw new HostwrightError('E_VARIABLE', `${name} is in the group db, and has no database`, {
    place: { host: name },
    hint: 'give it the role mysql in site.yml',
  });
}

/** Where a host sends its backups: the first host of the group that is another one. Undefined where the group is empty. */
export function storeOf(host: SiteHost, site: Pick<Site, 'hosts'>): SiteHost | undefined {
  const stores = site.hosts('backup');
  const store = stores.find(({ name }) => name !== host.name);
  if (store === undefined && stores.length > 0) {
    throw new HostwrightError('E_VARIABLE', `${host.name} would keep the backups of itself`, {
      place: { host: host.name },
      hint: 'put another host into the group backup',
    });
  }
  return store;
}

export function partsOf(vars: Variables, site: Pick<Site, 'hosts' | 'declared'>): Parts {
  const names = site.hosts('db').map(({ name }) => name);
  const replica = site.declared<DatabaseDeclaration>('database').find(({ role }) => role === 'replica');
  const sender = replica?.host.name ?? names[0] ?? '';
  const { backup_test_host: tester = sender } = vars;
  if (tester === 'none') return { sender, tester: undefined };
  if (names.includes(tester)) return { sender, tester };
  throw new HostwrightError('E_VARIABLE', `backup_test_host names ${tester}, which is not in the group db`, {
    expected: `one of ${names.join(', ')}, or none`,
  });
}
