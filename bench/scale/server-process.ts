import { replay, type Recording } from './recording.ts';
import { startHost, type HostOptions, type SimulatedHost, type Visit } from './simulated-host.ts';

export type Order =
  | {
      readonly kind: 'start';
      readonly hosts: readonly HostOptions[];
      readonly authorized: string;
      readonly recording: Recording;
    }
  /** Asks for the visits since the last time. */
  | { readonly kind: 'visits' };

export type Report =
  | { readonly kind: 'started'; readonly hosts: readonly Omit<SimulatedHost, 'close'>[] }
  | { readonly kind: 'visits'; readonly visits: readonly Visit[] };

const visits: Visit[] = [];

function report(message: Report): void {
  process.send?.(message);
}

async function follow(order: Order): Promise<void> {
  if (order.kind === 'visits') {
    report({ kind: 'visits', visits: visits.splice(0) });
    return;
  }
  const surroundings = { authorized: order.authorized, reply: replay(order.recording), visits };
  const hosts = await Promise.all(order.hosts.map((host) => startHost(host, surroundings)));
  report({
    kind: 'started',
    hosts: hosts.map(({ name, address, port, hostKey }) => ({ name, address, port, hostKey })),
  });
}

process.on('message', (order: Order) => void follow(order));
process.on('disconnect', () => process.exit());
