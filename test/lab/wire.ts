import { connect, createServer, type Socket } from 'node:net';

/** A wire to a server, with a port of its own on 127.0.0.1, that can be cut or frozen. */
export interface Wire {
  readonly port: number;
  /** Nothing goes through any more, and nobody is told: as with a link or a NAT that has died. */
  freeze(): void;
  /** Both sides are reset. Connections that come later stand. */
  cut(): void;
  /** Resolves when `bytes` more have gone to the server. */
  sent(bytes: number): Promise<void>;
  close(): void;
}

export async function openWire(to: { readonly address: string; readonly port: number }): Promise<Wire> {
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  let total = 0;
  const server = createServer((near) => {
    const far = connect(to.port, to.address);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    near.on('data', (chunk: Buffer) => {
      total += chunk.length;
      for (const look of waiting) look();
    });
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    freeze() {
      for (const socket of sockets) {
        socket.removeAllListeners('data');
        socket.unpipe();
        socket.pause();
      }
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
      sockets.clear();
    },
    async sent(bytes) {
      const goal = total + bytes;
      await new Promise<void>((done) => {
        const look = (): void => {
          if (total < goal) return;
          waiting.delete(look);
          done();
        };
        waiting.add(look);
      });
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
