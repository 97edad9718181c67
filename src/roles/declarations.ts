import type { Drain } from '../resources/drain.ts';
import type { Secret } from '../secrets/secret.ts';
import type { Declaration } from './role.ts';

/**
 * A role wants a certificate of the internal CA on its own host. The role `pki` keeps
 * `/etc/hostwright/pki/NAME.crt`, `.key` and `.pem` (certificate and key) there.
 */
export interface CertificateDeclaration extends Declaration {
  readonly kind: 'certificate';
  /** Names the files and is the common name: `nginx`. */
  readonly name: string;
  /** The group that may read key and pem; default `root`. */
  readonly group?: string;
  /** Names besides those of every certificate of the host: host name, address, localhost. */
  readonly names?: readonly string[];
  /** Default both. */
  readonly usage?: readonly ('server' | 'client')[];
}

/** The account of a host at an ACME CA; the balancer of that host uses it to answer the challenges of the CA. */
export interface AcmeAccountDeclaration extends Declaration {
  readonly kind: 'acme_account';
  /** Of the account's key, by RFC 7638. */
  readonly thumbprint: string;
}

/** A web server that the balancer sends requests to, over TLS at the address of its host. */
export interface BackendDeclaration extends Declaration {
  readonly kind: 'backend';
  readonly port: number;
  /** Answers 200 while the backend can serve: `/healthz`. */
  readonly healthPath: string;
  /** How it is taken out of service. Left out: no host is taken out of service for a change. */
  readonly drain?: Drain;
}

/** An application that listens on 127.0.0.1 of its host, for the web server or the role app_tls there. */
export interface ApplicationDeclaration extends Declaration {
  readonly kind: 'application';
  readonly port: number;
  /** Of systemd: `app.service`. The web server stops before it. */
  readonly unit?: string;
}

/** The way to an application over TLS, for web servers on other hosts: these show a certificate of the internal CA. */
export interface ApplicationTlsDeclaration extends Declaration {
  readonly kind: 'application_tls';
  readonly port: number;
  /** Answers 200 while the application can serve. */
  readonly healthPath: string;
  readonly drain?: Drain;
}

/** A way to applications on other hosts: at 127.0.0.1 of the host of a web server. */
export interface ApplicationProxyDeclaration extends Declaration {
  readonly kind: 'application_proxy';
  readonly port: number;
}

/** A local source of metrics for monitoring_agent. */
export type MetricsDeclaration = NginxMetricsDeclaration | ApacheMetricsDeclaration | MysqlMetricsDeclaration;

export interface NginxMetricsDeclaration extends Declaration {
  readonly kind: 'metrics';
  readonly of: 'nginx';
  /** Of `stub_status`; default `http://127.0.0.1:8081/stub_status`. */
  readonly url?: string;
}

export interface ApacheMetricsDeclaration extends Declaration {
  readonly kind: 'metrics';
  readonly of: 'apache';
  /** Of `server-status`, in the form for programs: `http://127.0.0.1:8081/server-status?auto`. */
  readonly url: string;
}

export interface MysqlMetricsDeclaration extends Declaration {
  readonly kind: 'metrics';
  readonly of: 'mysql';
  /** Default `/run/mysqld/mysqld.sock`. */
  readonly socket?: string;
  /** Logs in as the unix user of that name, without a password; default `prometheus`. */
  readonly user?: string;
  /** It takes part in a group of MySQL, whose members are of interest. */
  readonly isGroup?: true;
}

/**
 * The access log of a web server, one JSON object a line with `status` and `request_time`, in seconds, in this order;
 * what logrotate puts aside is called the same with `.1`. Owned by root, or readable by the group adm.
 */
export interface RequestLogDeclaration extends Declaration {
  readonly kind: 'request_log';
  readonly path: string;
}

/** Metrics at https://ADDRESS:PORT/PATH, for the monitoring server alone. */
export interface ScrapeDeclaration extends Declaration {
  readonly kind: 'scrape';
  readonly job: string;
  readonly port: number;
  /** Default `/metrics`. */
  readonly path?: string;
}

/** A user that the role mysql creates with its database; it connects from the hosts of `from`, over TLS. */
export interface DatabaseUserDeclaration extends Declaration {
  readonly kind: 'database_user';
  readonly name: string;
  readonly database: string;
  readonly password: Secret;
  /** A group of the inventory. */
  readonly from: string;
}

/** A database server and its part in the replication. */
export interface DatabaseDeclaration extends Declaration {
  readonly kind: 'database';
  readonly flavor: 'mysql' | 'mariadb';
  readonly role: 'primary' | 'replica';
  readonly port: number;
  /** GET `/writer` is answered with 200 while the server takes writes, `/replica` while it is one that is not behind. */
  readonly checkPort: number;
  /** Several take writes at the same time: applications use this one while it does. */
  readonly isPreferred?: boolean;
}

/** A way to the databases on the host itself: at 127.0.0.1, TLS with the server that takes writes or is read from. */
export interface DatabaseProxyDeclaration extends Declaration {
  readonly kind: 'database_proxy';
  readonly writer: number;
  readonly reader: number;
  /** The group of the inventory whose hosts have such a proxy. */
  readonly group: string;
}

/** A database server whose binary logs are stored on another host; one of all makes copies too, one tests them. */
export interface BackupDeclaration extends Declaration {
  readonly kind: 'backup';
  readonly sends: boolean;
  readonly tests: boolean;
  /**
   * A folder on the host, with a file for the last run of each kind that came to its end: `last.now`, with the Unix time
   * of the copy and its bytes, and `last.test`, with the Unix time of the restore test and 1, or 0 where it has failed.
   */
  readonly record: string;
}

/** An address of the site that moves among the balancers that declare it: one of them has it at a time. */
export interface FloatingAddressDeclaration extends Declaration {
  readonly kind: 'floating_address';
  /** IPv4, IPv6 or one of each, without prefix lengths. */
  readonly addresses: readonly string[];
}

/**
 * A page in the front of the dashboard on the same host. Its role has the front among its resources
 * (roles/dashboard/front.ts); the build has made `NAME.js` of `pages/NAME/`.
 */
export interface DashboardPageDeclaration extends Declaration {
  readonly kind: 'dashboard_page';
  /** Names its files; `dashboard` is the first page. */
  readonly name: string;
  /** In the navigation. */
  readonly title: string;
  /** What the page reads from others, by GET. */
  readonly passes: readonly DashboardPass[];
}

export interface DashboardPass {
  /** In the front: `/prometheus/api/v1/query`. */
  readonly path: string;
  /** What it is there: `http://127.0.0.1:9090/api/v1/query`, or `http://unix:/run/x.sock:/entries`. */
  readonly to: string;
  /** Everything that begins with `path`, which ends with a slash as `to` does. */
  readonly isPrefix?: true;
  /** An answer that goes on: it is passed on as it comes, and may be silent for an hour. */
  readonly isStream?: true;
}
