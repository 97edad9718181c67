import { randomBytes } from 'node:crypto';
import { connect, constants, type ClientHttp2Session } from 'node:http2';
import { Agent, request } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Door } from '../lab/visit.ts';

interface Wish {
  readonly method: 'GET' | 'POST';
  readonly seconds: number;
}

/** What visitors do, over and over: most requests are short, some take seconds, and POST must not be sent twice. */
const mix: readonly Wish[] = [
  ...Array.from({ length: 14 }, (): Wish => ({ method: 'GET', seconds: 0 })),
  ...Array.from({ length: 4 }, (): Wish => ({ method: 'POST', seconds: 0.02 })),
  { method: 'GET', seconds: 2 },
  { method: 'POST', seconds: 1 },
];
/** One in so many requests takes as long as this, by turns GET and POST. */
const longest = { every: 100, seconds: 8 };
/** Pages with a websocket. */
const pages = 6;

export interface Visits {
  readonly sent: number;
  /** How often a websocket was cut, and connected again. */
  readonly reconnected: number;
  /** What was not answered with 200. */
  readonly failures: readonly string[];
}

export interface Traffic {
  /** Sends nothing more, and waits for what is in hand. */
  stop(): Promise<Visits>;
}

function wishOf(count: number): Wish {
  if (count % longest.every === 0)
    return { method: (count / longest.every) % 2 === 0 ? 'GET' : 'POST', seconds: longest.seconds };
  return mix[count % mix.length] ?? { method: 'GET', seconds: 0 };
}

const path = ({ seconds }: Wish): string => (seconds === 0 ? '/' : `/wait?${seconds}`);
const limit = 40_000;

/** Of an answer that never came. */
class Unanswered extends Error {
  /** The request may be sent again: nothing was done of it. */
  readonly isRefused: boolean;

  constructor(message: string, isRefused: boolean) {
    super(message);
    this.isRefused = isRefused;
  }
}

/** HTTP/1.1. A POST has a connection of its own. */
function overHttp1(door: Door, agent: Agent, wish: Wish): Promise<number> {
  return new Promise((done, fail) => {
    const outgoing = request(
      {
        ...{ host: door.address, servername: door.domain, ca: door.root, headers: { host: door.domain } },
        ...{ method: wish.method, path: path(wish), timeout: limit },
        agent: wish.method === 'GET' ? agent : new Agent(),
      },
      (incoming) => {
        incoming.resume();
        incoming.on('error', fail);
        incoming.on('end', () => done(incoming.statusCode ?? 0));
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    // A connection that was kept open turns out to be closed.
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      fail(new Unanswered(String(error), outgoing.reusedSocket && error.code === 'ECONNRESET')),
    );
    outgoing.end(wish.method === 'POST' ? 'x'.repeat(2000) : undefined);
  });
}

/** HTTP/2 over one session, until the other side says that it takes no more. */
function http2Visitor(door: Door): { visit: (wish: Wish) => Promise<number>; end: () => void } {
  let open: ClientHttp2Session | undefined;
  const session = (): ClientHttp2Session => {
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const made = connect(`https://${door.address}`, { ca: door.root, servername: door.domain });
    const leave = (): void => {
      if (open === made) open = undefined;
      made.close();
    };
    made.on('goaway', leave);
    made.on('error', leave);
    open = made;
    return made;
  };
  const visit = (wish: Wish): Promise<number> =>
    new Promise((done, fail) => {
      const stream = session().request({
        ...{ ':method': wish.method, ':path': path(wish), ':authority': door.domain },
      });
      let status = 0;
      stream.on('response', (headers) => (status = headers[':status'] ?? 0));
      stream.setTimeout(limit, () => stream.close(constants.NGHTTP2_CANCEL));
      stream.on('error', (error) =>
        fail(new Unanswered(String(error), stream.rstCode === constants.NGHTTP2_REFUSED_STREAM)),
      );
      stream.resume();
      stream.on('end', () => done(status));
      stream.end(wish.method === 'POST' ? 'x'.repeat(2000) : undefined);
    });
  return { visit, end: () => open?.close() };
}

/** A page with a websocket, which connects again where it is cut. */
function page(
  door: Door,
  told: { readonly cut: () => void; readonly failed: (how: string) => void },
): () => void {
  let socket: Duplex | undefined;
  let hasEnded = false;
  const open = (): void => {
    const outgoing = request({
      ...{ host: door.address, servername: door.domain, ca: door.root, agent: new Agent(), path: '/live' },
      headers: {
        ...{ host: door.domain, connection: 'Upgrade', upgrade: 'websocket' },
        ...{ 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64') },
      },
    });
    outgoing.on('upgrade', (_, upgraded) => {
      socket = upgraded;
      upgraded.resume();
      upgraded.on('error', () => undefined);
      upgraded.on('close', () => {
        if (hasEnded) return;
        told.cut();
        open();
      });
      if (hasEnded) upgraded.destroy();
    });
    outgoing.on('response', ({ statusCode }) => told.failed(`status ${statusCode ?? 0}`));
    outgoing.on('error', (error) => told.failed(String(error)));
    outgoing.end();
  };
  open();
  return () => {
    hasEnded = true;
    socket?.destroy();
  };
}

/** As browsers do, it sends again what the other side has refused to begin with. */
async function patiently(visit: () => Promise<number>): Promise<number> {
  try {
    return await visit();
  } catch (error) {
    if (!(error instanceof Unanswered) || !error.isRefused) throw error;
    return await patiently(visit);
  }
}

/**
 * Sends so many requests a second to the site, half of them over HTTP/2, whether earlier ones were answered or not, and
 * keeps some websockets open.
 */
export function traffic(door: Door, perSecond: number): Traffic {
  const agent = new Agent({ keepAlive: true });
  const http2 = http2Visitor(door);
  const inHand = new Set<Promise<void>>();
  const failures: string[] = [];
  let [sent, reconnected] = [0, 0];
  const endings = Array.from({ length: pages }, () =>
    page(door, {
      cut: () => (reconnected += 1),
      failed: (how) => failures.push(`${new Date().toISOString()} websocket: ${how}`),
    }),
  );
  const send = async (count: number): Promise<void> => {
    const wish = wishOf(count);
    const isHttp2 = count % 2 === 0;
    const begun = Date.now();
    const found = await patiently(() => (isHttp2 ? http2.visit(wish) : overHttp1(door, agent, wish))).then(
      (status) => `status ${status}`,
      String,
    );
    if (found === 'status 200') return;
    const title = `${isHttp2 ? 'HTTP/2' : 'HTTP/1.1'} ${wish.method} ${path(wish)}`;
    failures.push(`${new Date(begun).toISOString()} ${title}: ${found} after ${Date.now() - begun} ms`);
  };
  const started = Date.now();
  const timer = setInterval(() => {
    for (; sent < ((Date.now() - started) * perSecond) / 1000; sent += 1) {
      const one = send(sent).finally(() => inHand.delete(one));
      inHand.add(one);
    }
  }, 10);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(inHand);
      for (const end of endings) end();
      http2.end();
      agent.destroy();
      return { sent, reconnected, failures };
    },
  };
}
