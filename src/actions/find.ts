import { HostwrightError } from '../errors.ts';
import type { RoleAction } from '../roles/action.ts';
import type { LoadedRole } from '../roles/role.ts';
import type { SiteModel } from '../site/model.ts';
import { didYouMean } from '../suggestion.ts';

/** An action of a role of the site. */
export interface FoundAction {
  readonly role: string;
  readonly name: string;
  readonly action: RoleAction;
  /** The folder of the role. */
  readonly folder: string;
}

/** The roles of a site that some host has, in the order of the site. */
function rolesOf({ plays, assignments }: SiteModel): ReadonlyMap<string, LoadedRole> {
  const loaded = new Map([...assignments.values()].flat().map((one) => [one.role.name, one] as const));
  const names = new Set(plays.flatMap(({ play }) => play.roles));
  return new Map([...names].flatMap((name) => [[name, loaded.get(name)] as const]).flatMap(present));
}

function present<Value>([name, value]: readonly [string, Value | undefined]): (readonly [string, Value])[] {
  return value === undefined ? [] : [[name, value]];
}

function actionsOf({ role, folder }: LoadedRole): readonly FoundAction[] {
  return Object.entries(role.actions ?? {}).map(([name, action]) => ({
    ...{ role: role.name, name, action, folder },
  }));
}

/** All actions of the site, or those of one role. E_USAGE for a role that the site does not have. */
export function listActions(site: SiteModel, role?: string): readonly FoundAction[] {
  const roles = rolesOf(site);
  if (role === undefined) return [...roles.values()].flatMap(actionsOf);
  const found = roles.get(role);
  if (found !== undefined) return actionsOf(found);
  throw new HostwrightError('E_USAGE', `the site has no role ${role}`, {
    expected: [...roles.keys()].join(', '),
    hint: didYouMean(role, roles.keys()) ?? '`hostwright do` lists all actions',
  });
}

/** E_USAGE for an unknown role or action, with what is near. */
export function findAction(site: SiteModel, role: string, name: string): FoundAction {
  const known = listActions(site, role);
  const found = known.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = known.map((one) => one.name);
  throw new HostwrightError('E_USAGE', `the role ${role} has no action ${name}`, {
    expected: names.join(', ') || 'a role with actions',
    hint: didYouMean(name, names) ?? '`hostwright do` lists all actions',
  });
}
