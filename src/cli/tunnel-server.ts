import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Tunnel } from '../transport/connect.ts';

export interface TunnelServerOptions {
  /** Opens the tunnel, first and after each loss. */
  readonly open: () => Promise<Tunnel>;
  /** On 127.0.0.1 of the host; the same here, where it is free. */
  readonly port: number;
  /** Each loss of the connection, each failure to open it again, and that it stands again. */
  readonly tell: (event: 'lost' | 'away' | 'back', why: string) => void;
  readonly signal: AbortSignal;
}

export interface TunnelServer {
  readonly port: number;
  /** Until `signal`; the connection is opened again whenever it is lost. */
  readonly done: Promise<void>;
}

/** Longest pause between two tries to connect, in milliseconds. */
const longestPause = 10_000;

async function listen(server: Server, port: number): Promise<number> {
  const at = (wanted: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await at(port).catch(() => at(0));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

async function connectBoth(socket: Socket, tunnel: Tunnel, port: number): Promise<void> {
  socket.on('error', () => socket.destroy());
  try {
    const stream = await tunnel.forward(port);
    stream.on('error', () => socket.destroy());
    stream.on('close', () => socket.destroy());
    socket.on('close', () => stream.destroy());
    socket.pipe(stream).pipe(socket);
  } catch {
    socket.destroy();
  }
}

/** Serves a port of the host on 127.0.0.1 here, as `ssh -L` does, over a tunnel that `first` is to begin with. */
export async function serveTunnel(first: Tunnel, options: TunnelServerOptions): Promise<TunnelServer> {
  let tunnel: Tunnel | undefined = first;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    if (tunnel === undefined) socket.destroy();
    else void connectBoth(socket, tunnel, options.port);
  });
  const port = await listen(server, options.port);
  const { signal } = options;

  const reopened = async (): Promise<Tunnel | undefined> => {
    for (let pause = 1000; !signal.aborted; pause = Math.min(2 * pause, longestPause)) {
      try {
        return await options.open();
      } catch (error) {
        options.tell('away', error instanceof Error ? error.message : String(error));
        await wait(pause, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  };
  const keep = async (): Promise<void> => {
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    while (tunnel !== undefined && !signal.aborted) {
      const why = await Promise.race([tunnel.ended, stopped]);
      if (signal.aborted) break;
      tunnel = undefined;
      for (const socket of sockets) socket.destroy();
      options.tell('lost', why ?? '');
      tunnel = await reopened();
      if (tunnel !== undefined) options.tell('back', '');
    }
    for (const socket of sockets) socket.destroy();
    server.close();
    tunnel?.close();
  };
  return { port, done: keep() };
}
