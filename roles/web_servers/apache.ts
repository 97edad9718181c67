import { startsAsRoot, type WebServer } from './server.ts';

export const apache: WebServer = {
  name: 'apache',
  unit: 'apache2',
  statusPath: '/server-status?auto',
  requestLog: '/var/log/apache2/access.log',
  inHand: '/^BusyWorkers:/ { print $2 - 1 }',
  unitSettings: { capabilities: startsAsRoot, writes: ['/run', '/var/log/apache2'] },
};
