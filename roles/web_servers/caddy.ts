import type { WebServer } from './server.ts';

export const caddy: WebServer = {
  name: 'caddy',
  unit: 'caddy',
  statusPath: '/metrics',
  // A request counts once for each handler that it passes through.
  inHand: `/^caddy_http_requests_in_flight\\{handler="reverse_proxy"/ { left += $2; found = 1 }
/^caddy_admin_|^go_/ { found = 1 }
END { if (found) print left + 0 }`,
  group: 'caddy',
  unitSettings: {
    // Of its port alone: it runs as a user of its own.
    capabilities: ['CAP_NET_BIND_SERVICE'],
    writes: ['/var/log/caddy', '/var/lib/caddy'],
    settings: [
      'RuntimeDirectory=caddy',
      'RuntimeDirectoryMode=0700',
      'AmbientCapabilities=',
      'AmbientCapabilities=CAP_NET_BIND_SERVICE',
    ],
    finishing: ['# Requests in hand end first. The package gives them 5 s.', 'TimeoutStopSec=70'],
  },
};
