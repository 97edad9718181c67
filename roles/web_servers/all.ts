import { apache } from './apache.ts';
import { caddy } from './caddy.ts';
import { nginx } from './nginx.ts';
import type { WebServer } from './server.ts';

/** Those that `web_server` can name; the first is the default. */
export const webServers: readonly [WebServer, ...WebServer[]] = [nginx, apache, caddy];
