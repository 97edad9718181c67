import { failureText } from '../apply/failure-text.ts';
import { HostwrightError } from '../errors.ts';
import type { ActionHost } from '../roles/action.ts';
import { askOne } from '../transport/ask.ts';
import type { Lock, Transport } from '../transport/transport.ts';

export interface ConnectionOptions {
  readonly connect: (host: string) => Promise<Transport>;
  /** Taken by the first request to each host; left out: none. */
  readonly lock?: Lock | undefined;
}

/** The connections of an action, each made when its host is first asked for something. */
export interface Connections {
  readonly runOn: (host: string) => ActionHost['run'];
  /** Frees the locks too; one that is still being made is closed as soon as it stands. */
  readonly close: () => Promise<void>;
}

const seconds = 300;
/** What goes on when a connection is lost keeps the lock until it ends. */
const waitSeconds = 30;

interface Open {
  readonly transport: Transport;
  isLocked: boolean;
}

export function openConnections({ connect, lock }: ConnectionOptions): Connections {
  const open = new Map<string, Promise<Open>>();
  const lost = new Set<string>();
  let isClosed = false;

  const lockOf = (host: string): Lock | undefined =>
    lock === undefined || !lost.has(host) ? lock : { ...lock, waitSeconds };

  const openTo = (host: string): Promise<Open> => {
    const known = open.get(host) ?? connect(host).then((transport) => ({ transport, isLocked: false }));
    open.set(host, known);
    return known;
  };

  const ended = (host: string): HostwrightError =>
    new HostwrightError('E_CONNECT', 'the run has ended', { place: { host } });

  return {
    runOn:
      (host) =>
      async (script, { stdin, timeout = seconds } = {}) => {
        if (isClosed) throw ended(host);
        const section = stdin === undefined ? { script } : { script, stdin: Buffer.from(stdin) };
        try {
          const connection = await openTo(host);
          if (isClosed) throw ended(host);
          const { transport, isLocked } = connection;
          const wanted = isLocked ? undefined : lockOf(host);
          const answer = await askOne(transport, section, {
            timeout: timeout * 1000,
            ...(wanted && { lock: wanted }),
          });
          connection.isLocked = true;
          if (answer.code === 0) return answer.stdout.toString('utf8');
          throw new HostwrightError('E_REMOTE', failureText(answer), { place: { host } });
        } catch (error) {
          // After a lost connection the next script, such as one that rolls back, gets a fresh one.
          const isLost =
            !(error instanceof HostwrightError) || !['E_REMOTE', 'E_LOCKED'].includes(error.code);
          if (isLost) open.delete(host);
          if (isLost) lost.add(host);
          throw error;
        }
      },
    async close() {
      isClosed = true;
      const all = [...open.values()];
      open.clear();
      await Promise.allSettled(all.map(async (one) => (await one).transport.close()));
    },
  };
}
