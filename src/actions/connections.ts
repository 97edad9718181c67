import { failureText } from '../apply/failure-text.ts';
import { HostwrightError } from '../errors.ts';
import type { ActionHost } from '../roles/action.ts';
import { beginNote, endNote, type JournalEnd, type JournalHead } from '../plan/journal.ts';
import { ask, askOne, noAnswer } from '../transport/ask.ts';
import type { Section } from '../transport/sections.ts';
import type { Lock, Transport } from '../transport/transport.ts';

export interface ConnectionOptions {
  readonly connect: (host: string) => Promise<Transport>;
  /** Taken by the first request to each host; left out: none. */
  readonly lock?: Lock | undefined;
}

/** The connections of an action, each made when its host is first asked for something. */
export interface Connections {
  readonly runOn: (host: string) => ActionHost['run'];
  /** From now on each host notes in its journal that the action works on it, before its first script. */
  readonly beginWork: (head: JournalHead) => void;
  /** Has these hosts note how the action ended, as far as they can be asked. */
  readonly endWork: (end: Omit<JournalEnd, 'outcomes'>) => Promise<void>;
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
  const noted = new Set<string>();
  let journal: JournalHead | undefined;

  /** What comes before a script of the action. */
  const notesFor = (host: string): readonly Section[] => {
    if (journal === undefined || noted.has(host)) return [];
    noted.add(host);
    return [beginNote(journal, true, [])];
  };

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
          const notes = notesFor(host);
          const answers = await ask(transport, [...notes, section], {
            timeout: timeout * 1000,
            ...(wanted && { lock: wanted }),
          });
          connection.isLocked = true;
          const answer = answers[notes.length];
          if (answer === undefined) throw noAnswer(host);
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
    beginWork(head) {
      journal = head;
    },
    async endWork(end) {
      const head = journal;
      journal = undefined;
      if (head === undefined) return;
      const note = endNote(head, { ...end, outcomes: [] });
      const tell = async (host: string): Promise<void> => {
        const connection = await open.get(host);
        if (connection !== undefined) await askOne(connection.transport, note);
      };
      // What the action did stays done, and a host that cannot be asked shows that no end is recorded.
      await Promise.allSettled([...noted].map(tell));
    },
    async close() {
      isClosed = true;
      const all = [...open.values()];
      open.clear();
      await Promise.allSettled(all.map(async (one) => (await one).transport.close()));
    },
  };
}
