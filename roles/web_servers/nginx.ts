import { startsAsRoot, type WebServer } from './server.ts';

export const nginx: WebServer = {
  name: 'nginx',
  unit: 'nginx',
  statusPath: '/stub_status',
  requestLog: '/var/log/nginx/access.log',
  inHand: '/^Reading:/ { print $2 + $4 - 1 }',
  unitSettings: {
    capabilities: startsAsRoot,
    writes: ['/run', '/var/log/nginx', '/var/lib/nginx'],
    finishing: [
      "# Requests in hand end first, for as long as worker_shutdown_timeout says. Debian's own ExecStop gives them 5 s.",
      'ExecStop=',
      'KillSignal=SIGQUIT',
      'KillMode=mixed',
      'TimeoutStopSec=70',
    ],
  },
};
