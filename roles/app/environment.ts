import type { DatabaseDeclaration, DatabaseProxyDeclaration, Declared, Secret, Site } from 'hostwright';
import { environmentText, type Value } from '../systemd/text.ts';
import type { Variables } from './variables.ts';

function endpoint({ host, port }: Declared<DatabaseDeclaration>): string {
  return `${host.address.includes(':') ? `[${host.address}]` : host.address}:${port}`;
}

function databaseEnvironment(
  vars: Variables,
  host: string,
  site: Pick<Site, 'declared'>,
): Readonly<Record<string, Value>> {
  if (vars.app_database === undefined) return {};
  const databases = site.declared<DatabaseDeclaration>('database');
  const proxy = site
    .declared<DatabaseProxyDeclaration>('database_proxy')
    .find((declared) => declared.host.name === host);
  const of = (role: 'primary' | 'replica'): string =>
    databases
      .filter((database) => database.role === role)
      .map(endpoint)
      .join(' ');
  return {
    DATABASE_PRIMARY: of('primary'),
    DATABASE_REPLICAS: of('replica'),
    ...(proxy === undefined
      ? {}
      : { DATABASE_WRITER: `127.0.0.1:${proxy.writer}`, DATABASE_READER: `127.0.0.1:${proxy.reader}` }),
    DATABASE_NAME: vars.app_database,
    DATABASE_USER: vars.app_database_user ?? vars.app_database,
    DATABASE_PASSWORD: vars.app_database_password,
    DATABASE_CA: '/etc/hostwright/pki/ca.crt',
  };
}

/** The environment of the application; a Secret as soon as one value is. What the user sets wins. */
export function environment(vars: Variables, host: string, site: Pick<Site, 'declared'>): string | Secret {
  const values: Readonly<Record<string, Value>> = {
    HOSTWRIGHT_HOST: host,
    PORT: vars.app_port,
    ...databaseEnvironment(vars, host, site),
    ...vars.app_environment,
  };
  return environmentText(values);
}
