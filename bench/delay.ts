import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { Way } from './hosts.ts';

export interface DelayedPath {
  /** Where to connect instead. */
  readonly ways: ReadonlyMap<string, Way>;
  readonly close: () => Promise<void>;
}

/** Hands on what comes, in order, `milliseconds` later; without a limit on how much is under way. */
function carry(from: Socket, to: Socket, milliseconds: number): void {
  const later = (act: () => void): void => {
    setTimeout(act, milliseconds);
  };
  from.on('data', (chunk: Buffer) => later(() => to.writable && to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => later(() => to.destroy()));
}

async function delayed(way: Way, milliseconds: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = createConnection({ host: way.address, port: way.port, allowHalfOpen: true, noDelay: true });
    carry(near, far, milliseconds);
    carry(far, near, milliseconds);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

/**
 * A TCP proxy for each host that adds `roundTrip` milliseconds to every round trip, half on each way. The
 * three packets that open a TCP connection are not delayed.
 */
export async function delayPath(ways: ReadonlyMap<string, Way>, roundTrip: number): Promise<DelayedPath> {
  const servers = new Map<string, Server>();
  for (const [name, way] of ways) servers.set(name, await delayed(way, roundTrip / 2));
  const near = [...servers].map(([name, server]): [string, Way] => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return [name, { address: '127.0.0.1', port: address.port }];
  });
  return {
    ways: new Map(near),
    close: async () => {
      for (const server of servers.values()) {
        await new Promise((resolve) => {
          server.close(resolve);
        });
      }
    },
  };
}
