import type { Serving } from '../resources/drain.ts';
import type { ApplicationTlsDeclaration, BackendDeclaration } from '../roles/declarations.ts';
import type { Declared } from '../roles/role.ts';
import type { SiteModel } from './model.ts';

/** What requests pass through on the way from a balancer to the database. */
const passed = ['backend', 'application', 'application_tls', 'application_proxy', 'database_proxy'];

/** What a host serves that others serve too; undefined where nobody could take its place. */
export function hostServing({ site }: SiteModel, host: string): Serving | undefined {
  const isHere = (declared: Declared): boolean => declared.host.name === host;
  // A host that is a web server and more is taken out as a web server.
  const tiers = [
    site.declared<BackendDeclaration>('backend'),
    site.declared<ApplicationTlsDeclaration>('application_tls'),
  ];
  const tier = tiers.find((declared) => declared.some(isHere)) ?? [];
  const drain = tier.find(isHere)?.drain;
  if (drain === undefined || tier.every(isHere)) return undefined;
  const here = passed.flatMap((kind) => site.declared(kind).filter(isHere));
  return { drain, roles: new Set(here.map(({ role }) => role)) };
}
