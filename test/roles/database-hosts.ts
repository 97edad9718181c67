import { promote } from '../../roles/mysql/actions-promote.ts';
import { status } from '../../roles/mysql/actions-status.ts';
import { variables, type Variables } from '../../roles/mysql/variables.ts';
import {
  HostwrightError,
  Secret,
  type ActionHost,
  type ActionPlan,
  type ActionRequest,
  type Answer,
} from '../../src/index.ts';

/** What the server of a host says; undefined where the host cannot be reached. */
export type Say = (name: string, request: ActionRequest) => string | undefined;

type Given = Readonly<Record<string, unknown>>;

/** Hosts of the group db whose servers answer the actions of the role mysql. */
export function databaseHosts(
  names: readonly string[],
  given: (name: string) => Given,
  say: Say,
): readonly ActionHost<Variables>[] {
  return names.map((name) => ({
    ...{ name, address: name, groups: ['db'] },
    vars: variables.parse({
      ...given(name),
      mysql_replication_password: new Secret('r'),
      mysql_seed_password: new Secret('s'),
      mysql_observer_password: new Secret('o'),
    }),
    run: (_, request = {}) => {
      const answer = say(name, request);
      return answer === undefined
        ? Promise.reject(new HostwrightError('E_CONNECT', 'no way there', { place: { host: name } }))
        : Promise.resolve(answer);
    },
  }));
}

type Hosts = readonly ActionHost<Variables>[];
type Others = Hosts | readonly Pick<ActionHost, 'name' | 'address' | 'groups'>[];

const siteOf = (hosts: Hosts, others: Others) => ({ hosts: () => [...others, ...hosts], declared: () => [] });

/** What `promote` of one of them would do; `others` are hosts beside those of the group db. */
export async function promotion(
  name: string,
  hosts: Hosts,
  yesItIsDead = false,
  others: Others = [],
): Promise<ActionPlan> {
  const host = hosts.find((one) => one.name === name);
  if (host === undefined || promote.on !== 'host' || promote.plan === undefined) throw new Error('no plan');
  return await promote.plan({ host, hosts, args: { yesItIsDead }, site: siteOf(hosts, others) });
}

export async function statusOf(hosts: Hosts, others: Others = []): Promise<Answer> {
  if (status.on !== 'site' || status.read === undefined) throw new Error('it reads nothing');
  return await status.read({ hosts, args: {}, site: siteOf(hosts, others) });
}
