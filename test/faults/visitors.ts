import { connect, type ClientHttp2Session } from 'node:http2';
import { Agent, request } from 'node:https';
import { performance } from 'node:perf_hooks';
import type { Door } from '../lab/visit.ts';

/** What visitors saw, in milliseconds where nothing else is said. */
export interface Seen {
  readonly asked: number;
  /** What each request got that did not get its page within three seconds, by what it got. */
  readonly lost: Readonly<Record<string, number>>;
  /** The longest time in which no visitor got a page. */
  readonly gap: number;
  /** How many waited more than a second for their page. */
  readonly slow: number;
  /** How late this machine was with a request, at most: a gap may be longer by this. */
  readonly late: number;
}

export interface Visitors {
  readonly answered: () => number;
  readonly stop: () => Promise<Seen>;
}

export type Protocol = 'HTTP/1.1' | 'HTTP/2';

const patience = 3000;
export const tooLate = 'no answer in time';
/** Each comes back five times a second and keeps its connections, as browsers do. */
const people = 20;
const perSecond = 100;

type Ask = () => Promise<number>;

/** Over TLS connections that are kept, several where one is busy. */
function asksByHttp1({ domain, address, root }: Door): Ask {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  return () =>
    new Promise((done, fail) => {
      const outgoing = request(
        { agent, host: address, servername: domain, headers: { host: domain }, ca: root, path: '/' },
        (incoming) => {
          incoming.on('error', fail);
          incoming.on('end', () => {
            clearTimeout(timer);
            done(incoming.statusCode ?? 0);
          });
          incoming.resume();
        },
      );
      const timer = setTimeout(() => outgoing.destroy(new Error(tooLate)), patience);
      outgoing.on('error', (error) => {
        clearTimeout(timer);
        fail(error);
      });
      outgoing.end();
    });
}

/** Over one TLS connection, and a new one where that has failed. */
function asksByHttp2({ domain, address, root }: Door): Ask {
  let session: ClientHttp2Session | undefined;
  const open = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = connect(`https://${address}`, { servername: domain, ca: root });
    session.on('error', () => undefined);
    return session;
  };
  return () =>
    new Promise((done, fail) => {
      const own = open();
      const stream = own.request({ ':path': '/', ':authority': domain });
      let status = 0;
      const timer = setTimeout(() => {
        fail(new Error(tooLate));
        own.destroy();
      }, patience);
      stream.on('response', (headers) => (status = headers[':status'] ?? 0));
      stream.on('error', fail);
      stream.on('close', () => {
        clearTimeout(timer);
        if (status === 0) fail(new Error('the connection was closed'));
        else done(status);
      });
      stream.resume();
      stream.end();
    });
}

/** Requests at a steady rate, whatever becomes of those before. */
export function visitors(door: Door, protocol: Protocol = 'HTTP/1.1'): Visitors {
  const asks = Array.from({ length: people }, () =>
    protocol === 'HTTP/1.1' ? asksByHttp1(door) : asksByHttp2(door),
  );
  const answers: number[] = [];
  const lost: Record<string, number> = {};
  const running = new Set<Promise<void>>();
  const began = performance.now();
  let asked = 0;
  let slow = 0;
  let late = 0;
  const visit = async (ask: Ask): Promise<void> => {
    const at = performance.now();
    let what: string;
    try {
      const status = await ask();
      const now = performance.now();
      if (status === 200) {
        answers.push(now);
        if (now - at > 1000) slow += 1;
        return;
      }
      what = String(status);
    } catch (error) {
      what = error instanceof Error ? error.message : String(error);
    }
    lost[what] = (lost[what] ?? 0) + 1;
  };
  const tick = (): void => {
    const due = ((performance.now() - began) * perSecond) / 1000;
    late = Math.max(late, ((due - asked) * 1000) / perSecond);
    while (asked < due) {
      const ask = asks[asked % people];
      asked += 1;
      if (ask === undefined) continue;
      const visiting = visit(ask).finally(() => running.delete(visiting));
      running.add(visiting);
    }
  };
  const timer = setInterval(tick, 1000 / perSecond);
  return {
    answered: () => answers.length,
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
      const gap = answers.reduce(
        (longest, at, index) => Math.max(longest, at - (answers[index - 1] ?? at)),
        0,
      );
      return { asked, lost, gap, slow, late };
    },
  };
}
