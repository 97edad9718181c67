import type { WebServer } from '../web_servers/server.ts';

export const server: WebServer = {
  name: 'nginx',
  unit: 'nginx',
  statusPath: '/stub_status',
  inHand: '/^Reading:/ { print $2 + $4 - 1 }',
};
