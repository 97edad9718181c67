import type { Serving } from '../resources/drain.ts';
import type { BackendDeclaration } from '../roles/declarations.ts';
import type { SiteModel } from './model.ts';

/** What requests pass through on the way from a balancer to the database. */
const passed = ['backend', 'application', 'database_proxy'];

/** What a host serves that others serve too; undefined where nobody could take its place. */
export function hostServing({ site }: SiteModel, host: string): Serving | undefined {
  const backends = site.declared<BackendDeclaration>('backend');
  const own = backends.find((declared) => declared.host.name === host);
  if (own?.drain === undefined || backends.every((declared) => declared.host.name === host)) return undefined;
  const here = passed.flatMap((kind) =>
    site.declared(kind).filter((declared) => declared.host.name === host),
  );
  return { drain: own.drain, roles: new Set(here.map(({ role }) => role)) };
}
