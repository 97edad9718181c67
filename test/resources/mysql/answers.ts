import { createHash } from 'node:crypto';
import { mysqlReplica, Secret, type Resource } from '../../../src/index.ts';

export const password = 'Replication1';
export const seedPassword = 'Seed2';

export function replica(
  flavor: 'mysql' | 'mariadb',
  more: { discard?: string; semiSync?: boolean } = {},
): Resource {
  return mysqlReplica('web2', {
    flavor,
    address: '10.0.0.2',
    user: 'replication',
    password: new Secret(password),
    seedUser: 'seed',
    seedPassword: new Secret(seedPassword),
    ca: '/pki/ca.crt',
    certificate: '/pki/mysql.crt',
    key: '/pki/mysql.key',
    ...more,
  });
}

export interface Server {
  readonly executed: string;
  readonly readOnly: boolean;
  readonly databases: readonly string[];
  readonly source: string | null;
  readonly tls: boolean;
  readonly password: string;
  readonly receiving: 'on' | 'off' | 'connecting';
  readonly applying: 'on' | 'off';
  readonly receiveFailure: readonly [number, string] | null;
  readonly applyFailure: readonly [number, string] | null;
  readonly seeding: 'begun' | 'emptied' | null;
  /** `null`: the primary does not answer. */
  readonly own: string | null;
  readonly isBehind: boolean;
  readonly isPurged: boolean;
  /** Of semi-synchronous replication: its own commits wait, it acknowledges. */
  readonly waits: 'ON' | 'OFF' | null;
  readonly acknowledges: 'ON' | 'OFF' | null;
  /** Its primary can wait for replicas. */
  readonly asks: boolean;
  readonly delay: number;
  readonly filters: readonly string[] | null;
  readonly channels: readonly string[] | null;
  /** Options of the applier that are not as declared. */
  readonly options: string;
}

export const primaryUuid = 'f22c49c6-e53c-11f1-8880-2e3fcee93386';

/** A replica that does its work. */
export const following: Server = {
  executed: `${primaryUuid}:1-33`,
  readOnly: true,
  databases: ['shop'],
  source: '10.0.0.2',
  tls: true,
  password,
  receiving: 'on',
  applying: 'on',
  receiveFailure: null,
  applyFailure: null,
  seeding: null,
  own: '',
  isBehind: false,
  isPurged: false,
  waits: 'OFF',
  acknowledges: 'ON',
  asks: true,
  delay: 0,
  filters: null,
  channels: null,
  options: '',
};

const failure = (pair: readonly [number, string] | null) => ({
  number: pair?.[0] ?? 0,
  message: pair?.[1] ?? '',
});

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What the probe prints on a host with MySQL 9.7. */
export function mysqlAnswer(server: Server): string {
  const { source } = server;
  return [
    'ready',
    server.executed,
    JSON.stringify({
      readOnly: Number(server.readOnly),
      waits: server.waits,
      acknowledges: server.acknowledges,
      databases: server.databases.length === 0 ? null : server.databases,
      source:
        source === null
          ? null
          : {
              host: source,
              port: 3306,
              user: 'replication',
              tls: server.tls ? 'YES' : 'NO',
              ca: '/pki/ca.crt',
              cert: '/pki/mysql.crt',
              key: '/pki/mysql.key',
              verify: server.tls ? 'YES' : 'NO',
              gtid: '1',
              heartbeat: 1,
              retryInterval: 2,
              retryCount: 100_000_000,
              others: '',
            },
      channels: server.channels,
      filters: server.filters,
      applying: { delay: server.delay, others: server.options },
      password: source === null ? null : hash(server.password),
      receiver: source === null ? null : { ...failure(server.receiveFailure), state: server.receiving },
      applier: source === null ? null : server.applying,
      failures: server.applyFailure === null ? null : [failure(server.applyFailure)],
    }),
    ...(server.seeding === null ? [] : [`seeding ${server.seeding}`]),
    server.own === null
      ? "silent ERROR 2003 (HY000): Can't connect to MySQL server on '10.0.0.2:3306' (111)"
      : `primary ${JSON.stringify({ server: primaryUuid, own: server.own, behind: Number(server.isBehind), purged: Number(server.isPurged), asks: Number(server.asks) })}`,
    '',
  ].join('\n');
}

/** What the probe prints on a host with MariaDB 11.8; `own` is the state of the primary. */
export function mariadbAnswer(server: Server, applied = ''): string {
  const word = (state: string): string => (state === 'on' ? 'Yes' : state === 'off' ? 'No' : 'Connecting');
  const status =
    server.source === null
      ? []
      : [
          '*************************** 1. row ***************************',
          'Slave_IO_State: Waiting for master to send event',
          `Master_Host: ${server.source}`,
          'Master_User: replication',
          'Master_Port: 3306',
          `Slave_IO_Running: ${word(server.receiving)}`,
          `Slave_SQL_Running: ${word(server.applying)}`,
          `Master_SSL_Allowed: ${server.tls ? 'Yes' : 'No'}`,
          'Master_SSL_CA_File: /pki/ca.crt',
          'Master_SSL_Cert: /pki/mysql.crt',
          'Master_SSL_Key: /pki/mysql.key',
          `Master_SSL_Verify_Server_Cert: ${server.tls ? 'Yes' : 'No'}`,
          `Last_IO_Errno: ${failure(server.receiveFailure).number}`,
          `Last_IO_Error: ${failure(server.receiveFailure).message}`,
          `Last_SQL_Errno: ${failure(server.applyFailure).number}`,
          `Last_SQL_Error: ${failure(server.applyFailure).message}`,
          'Using_Gtid: Slave_Pos',
          `SQL_Delay: ${server.delay}`,
          `Replicate_Ignore_DB: ${server.filters?.map((filter) => filter.split(' ')[1]).join() ?? ''}`,
          'Replicate_Do_DB: ',
          'Replicate_Ignore_Server_Ids: ',
        ];
  return [
    'ready',
    server.executed,
    JSON.stringify({
      member: 0,
      readOnly: Number(server.readOnly),
      waits: server.waits,
      acknowledges: server.acknowledges,
      applied,
      heartbeat: '1.000',
      databases: server.databases,
    }),
    '/var/lib/mysql/',
    ...(server.seeding === null ? [] : [`seeding ${server.seeding}`]),
    `password ${hash(server.source === null ? '' : server.password)}  -`,
    ...status.map((line) => `status ${line}`),
    server.own === null ? 'silent ERROR 2002 (HY000)' : `primary 1\t${server.own}`,
    '',
  ].join('\n');
}
