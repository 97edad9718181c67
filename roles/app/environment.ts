import {
  Secret,
  type DatabaseDeclaration,
  type DatabaseProxyDeclaration,
  type Declared,
  type Site,
} from 'hostwright';
import type { Variables } from './variables.ts';

type Value = string | number | boolean | Secret;

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

/** A line of an EnvironmentFile, as systemd.exec(5) reads it: in double quotes, four characters are escaped. */
function line(name: string, value: Value): string {
  const text = value instanceof Secret ? value.reveal() : String(value);
  return `${name}="${text.replaceAll(/["\\`$]/g, String.raw`\$&`)}"\n`;
}

/** The environment of the application; a Secret as soon as one value is. What the user sets wins. */
export function environment(vars: Variables, host: string, site: Pick<Site, 'declared'>): string | Secret {
  const values: Readonly<Record<string, Value>> = {
    HOSTWRIGHT_HOST: host,
    PORT: vars.app_port,
    ...databaseEnvironment(vars, host, site),
    ...vars.app_environment,
  };
  const text = Object.entries(values)
    .map(([name, value]) => line(name, value))
    .join('');
  return Object.values(values).some((value) => value instanceof Secret) ? new Secret(text) : text;
}
