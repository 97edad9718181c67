import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { serveTunnel } from '../../src/cli/tunnel-server.ts';
import type { Tunnel } from '../../src/transport/connect.ts';

let host: Server;
let port: number;
let ends: ((why: string) => void)[];

/** A way to the port by TCP, which a test can cut. */
function tunnel(): Tunnel {
  let end: (why: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  ends.push(end);
  return {
    ended,
    forward: async (to) => connect(to, '127.0.0.1'),
    close: () => end('closed'),
  };
}

/** What a connection to a port here answers; '' for one that is closed at once. */
async function ask(at: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(at, '127.0.0.1', () => socket.write('hello'));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      socket.end();
    });
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
}

beforeEach(async () => {
  ends = [];
  host = createServer((socket) => socket.on('data', (chunk: Buffer) => socket.write(`${chunk.toString()}!`)));
  await new Promise<void>((done) => host.listen(0, '127.0.0.1', done));
  ({ port } = host.address() as AddressInfo);
});

afterEach(async () => {
  await new Promise((done) => host.close(done));
});

it('serves a port of the host on another one where that is taken here, until it is told to end', async () => {
  const controller = new AbortController();
  const options = { open: async () => tunnel(), port, tell: () => undefined, signal: controller.signal };
  const { port: here, done } = await serveTunnel(tunnel(), options);
  expect(here).not.toBe(port);
  expect(await ask(here)).toBe('hello!');
  controller.abort();
  await done;
  expect(await ask(here)).toBe('');
});

it('opens the tunnel again when it is lost, as often as it takes, and says so', async () => {
  const controller = new AbortController();
  const said: string[] = [];
  let tries = 0;
  const open = async (): Promise<Tunnel> => {
    tries += 1;
    if (tries === 1) throw new Error('no route to host');
    return tunnel();
  };
  const { port: here, done } = await serveTunnel(tunnel(), {
    ...{ open, port, signal: controller.signal },
    tell: (event, why) => said.push(`${event} ${why}`.trim()),
  });
  ends[0]?.('the host is gone');
  await expect
    .poll(() => said, { timeout: 10_000 })
    .toEqual(['lost the host is gone', 'away no route to host', 'back']);
  expect(await ask(here)).toBe('hello!');
  controller.abort();
  await done;
});
