import { HostwrightError } from '../errors.ts';
import type { ActionContext, ActionHost } from '../roles/action.ts';
import type { SiteModel } from '../site/model.ts';
import { didYouMean } from '../suggestion.ts';
import type { Connections } from './connections.ts';
import type { FoundAction } from './find.ts';

type Vars = Readonly<Record<string, unknown>>;

function hostsOf(
  { role }: FoundAction,
  site: SiteModel,
  runOn: Connections['runOn'],
): readonly ActionHost<Vars>[] {
  return [...site.hosts.values()].flatMap((host) => {
    const assigned = site.assignments.get(host.name)?.find((one) => one.role.name === role);
    return assigned === undefined ? [] : [{ ...host, vars: assigned.vars, run: runOn(host.name) }];
  });
}

function hostNamed(
  name: string,
  { role }: FoundAction,
  hosts: readonly ActionHost<Vars>[],
): ActionHost<Vars> {
  const found = hosts.find((host) => host.name === name);
  if (found !== undefined) return found;
  const names = hosts.map((host) => host.name);
  throw new HostwrightError('E_USAGE', `no host ${name} has the role ${role}`, {
    expected: names.join(', '),
    hint: didYouMean(name, names) ?? 'name one of these',
  });
}

export interface Asked {
  readonly found: FoundAction;
  /** HOST of the command line. */
  readonly host: string | undefined;
  readonly args: Vars;
}

/** The input of an action; with its host for one that is on a host. E_USAGE for a host without the role. */
export function contextOf(
  { found, host, args }: Asked,
  site: SiteModel,
  runOn: Connections['runOn'],
): ActionContext<Vars, Vars> & { readonly host?: ActionHost<Vars> } {
  const hosts = hostsOf(found, site, runOn);
  const context = { args, hosts, site: site.site };
  return host === undefined ? context : { ...context, host: hostNamed(host, found, hosts) };
}
