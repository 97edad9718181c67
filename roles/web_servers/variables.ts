import { z } from 'hostwright';
import { webServers } from './all.ts';
import { drainSeconds } from './drain.ts';
import type { WebServer } from './server.ts';

export type Vars = Readonly<Record<string, unknown>>;

const size = z.string().regex(/^[1-9]\d*[kmg]?$/, 'expected a size such as "8m"');

/** What every web server can be told. Each has variables of its own for it: `nginx_port`. */
const settings = {
  port: z.number().int().min(1).max(65535).default(8443).describe('TLS, for the balancers'),
  clients: z
    .array(z.string().regex(/^[\w.-]+$/, 'expected the common name of a certificate'))
    .nonempty()
    .default(['haproxy'])
    .describe('common names of the certificates of the internal CA that are let in'),
  body_size: size.default('8m').describe('largest body of a request'),
  client_timeout: z
    .number()
    .int()
    .positive()
    .default(15)
    .describe('seconds between two reads of a request, or two writes of an answer'),
  app_timeout: z
    .number()
    .int()
    .positive()
    .default(60)
    .describe('seconds that the application may take to answer'),
  compress_pages: z
    .boolean()
    .default(false)
    .describe('compress every text, not only files such as .css; see BREACH in the README'),
};

const settingsSchema = z.object(settings);

const [{ name: first }, ...others] = webServers;

export const healthPath = z
  .string()
  .regex(/^\/[\w./~-]*$/, 'expected a path such as /healthz')
  .default('/healthz')
  .describe('of the application: answers 200 while it can serve');

/** Its own words for what every web server can be told, as a role takes them. */
export function variablesOf({ name }: WebServer) {
  const own = Object.entries(settings).map(([key, schema]) => [`${name}_${key}`, schema] as const);
  return {
    ...Object.fromEntries(own),
    web_server: z
      .enum([first, ...others.map((other) => other.name)])
      .default(first)
      .describe('the web server of the host'),
    app_health_path: healthPath,
    drain_seconds: drainSeconds,
  };
}

export function settingsOf({ name }: WebServer, vars: Vars): z.output<typeof settingsSchema> {
  return settingsSchema.parse(
    Object.fromEntries(Object.keys(settings).map((key) => [key, vars[`${name}_${key}`]])),
  );
}

const units = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 } as const;

/** Bytes of a size such as `8m`. */
export function bytesOf(text: string): number {
  const [, count, unit] = /^(\d+)([kmg])?$/.exec(text) ?? [];
  const isUnit = (word: string | undefined): word is keyof typeof units =>
    word !== undefined && word in units;
  return Number(count) * (isUnit(unit) ? units[unit] : 1);
}
