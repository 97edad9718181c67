import type { RoleContext } from 'hostwright';

/** What `prometheus` names the client certificate of the monitoring server, in its subject and its names. */
export const scraper = 'prometheus';

/** What the sandbox of a service leaves open; see templates/monitoring/sandbox.conf.hbs. */
export interface Sandbox {
  readonly families?: readonly string[];
  /** For what reports on the whole machine: every process, every mount, the clock. */
  readonly seesMachine?: boolean;
  /** Directories that it writes to. */
  readonly writes?: readonly string[];
  /** More lines of `[Service]`. */
  readonly settings?: readonly string[];
}

type Template = RoleContext<object>['template'];

/** The drop-in that takes from a unit what it has no need of. */
export function sandbox(template: Template, options: Sandbox = {}): string {
  const text = template('monitoring/sandbox.conf.hbs', {
    families: options.families ?? ['AF_INET', 'AF_INET6'],
    seesMachine: options.seesMachine ?? false,
    writes: options.writes ?? [],
    settings: options.settings ?? [],
  });
  return String(text);
}

/** The lines that Debian's units take their options from. */
export function defaults(template: Template, args: readonly string[]): string {
  return String(template('monitoring/default.hbs', { args }));
}

/**
 * Succeeds when something listens on a port, on whatever address. The kernel is asked: what speaks TLS
 * writes a line into the journal for each connection that ends without a word.
 */
export function listensOn(port: number): readonly [string, ...string[]] {
  const state = `:${port.toString(16).toUpperCase().padStart(4, '0')} [0-9A-F]+:0000 0A `;
  const look = `grep -qsE "$1" /proc/net/tcp /proc/net/tcp6 || { echo "nothing listens on port $2"; exit 1; }`;
  return ['bash', '-c', look, 'listens', state, String(port)];
}
