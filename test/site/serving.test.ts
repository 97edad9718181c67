import { describe, expect, it } from 'vitest';
import type { Declaration } from '../../src/roles/role.ts';
import type { SiteModel } from '../../src/site/model.ts';
import { hostServing } from '../../src/site/serving.ts';
import { sh } from '../../src/transport/shell.ts';

const drain = (name: string) => ({ name, inHand: sh`echo 0`, noticed: 3, ended: 70 });

/** What a host can be drained as, and for which roles, by what roles declare on hosts. */
function serving(
  host: string,
  onHosts: Readonly<Record<string, readonly (Declaration & { role: string })[]>>,
) {
  const all = Object.entries(onHosts).flatMap(([name, declarations]) =>
    declarations.map((one) => ({ ...one, host: { name, address: name, groups: [] } })),
  );
  const site = {
    hosts: () => [],
    listens: () => [],
    declared: (kind: string) => all.filter((one) => one.kind === kind) as never,
  };
  const found = hostServing({ site } as unknown as SiteModel, host);
  return found === undefined ? undefined : [found.drain.name, ...found.roles].join(' ');
}

const web = { kind: 'backend', role: 'nginx', drain: drain('web') };
const app = { kind: 'application', role: 'app' };
const tls = { kind: 'application_tls', role: 'app_tls', drain: drain('app') };
const database = { kind: 'database', role: 'mysql' };

describe('a host is taken out of service', () => {
  it('for all that requests pass through on it', () => {
    expect(serving('web1', { web1: [web, app, database], web2: [web] })).toBe('web nginx app');
  });

  it('only where another host serves the same', () => {
    expect(serving('web1', { web1: [web, app], app1: [app, tls] })).toBeUndefined();
    expect(serving('web1', { web1: [{ kind: 'backend', role: 'own' }], web2: [web] })).toBeUndefined();
    expect(serving('db1', { web1: [web], web2: [web], db1: [database] })).toBeUndefined();
  });

  it('in its own tier', () => {
    const tiers = { web1: [web], app1: [app, tls], app2: [app, tls] };
    expect(serving('app1', tiers)).toBe('app app app_tls');
    expect(serving('web1', tiers)).toBeUndefined();
  });

  it('as a web server where it is both', () => {
    const both = { web1: [web, app, tls], web2: [web, app, tls] };
    expect(serving('web1', both)).toBe('web nginx app app_tls');
  });
});
