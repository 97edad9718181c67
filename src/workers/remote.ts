import type { WorkEvent } from '../apply/host-run.ts';
import { HostwrightError, HostwrightErrors } from '../errors.ts';
import type { Call, Channel, FromWorker, Outcome, ProjectData, ToWorker } from './messages.ts';
import type { RunSettings, Turn, Worker } from './worker.ts';

/** The way to a worker in a process of its own. */
export interface WorkerProcess extends Channel<FromWorker, ToWorker> {
  /** Told once, when the process has ended by itself: `SIGKILL`, `exit status 1`. */
  onEnd(take: (how: string) => void): void;
  /** Ends the process, and what it still does. */
  end(): Promise<void>;
}

export interface RemoteOptions {
  readonly process: WorkerProcess;
  readonly settings: RunSettings;
  readonly project: ProjectData;
  readonly report: (event: WorkEvent) => void;
}

export interface RemoteWorker extends Worker {
  /** It has ended by itself: what it was asked for is answered with E_WORKER. */
  readonly hasEnded: boolean;
}

function workerEnded(host: string, how: string): HostwrightError {
  return new HostwrightError('E_WORKER', 'the worker process of the host has ended', {
    place: { host },
    found: how,
    hint: 'run the same command again; if memory was short, use fewer --workers or --forks',
  });
}

type Question = Call extends infer Each ? (Each extends Call ? Omit<Each, 'id'> : never) : never;

/** A worker in a process of its own, as one of this process. */
export function remoteWorker({ process, settings, project, report }: RemoteOptions): RemoteWorker {
  const waiting = new Map<number, (outcome: Outcome | undefined) => void>();
  let ended: string | undefined;
  let last = 0;

  process.onMessage((message) => {
    if (message.kind === 'event') {
      report(message.event);
      return;
    }
    const answer = waiting.get(message.id);
    waiting.delete(message.id);
    answer?.(message.outcome);
  });
  process.onEnd((how) => {
    ended = how;
    for (const answer of waiting.values()) answer(undefined);
    waiting.clear();
  });

  /** Undefined where the process has ended. */
  const ask = async (question: Question): Promise<Outcome | undefined> => {
    if (ended !== undefined) return undefined;
    last += 1;
    const id = last;
    return await new Promise((done) => {
      waiting.set(id, done);
      process.send({ ...question, id });
    });
  };

  /** The worker can no longer say that its work on the host has ended. */
  const endedWith = (host: string): HostwrightError => {
    report({ type: 'step', host, title: null });
    return workerEnded(host, ended ?? 'no answer');
  };

  const turn = async (host: string, question: Question): Promise<Turn> => {
    const outcome = await ask(question);
    if (outcome?.kind === 'turn') return outcome.turn;
    if (outcome?.kind === 'errors') {
      const [lost] = outcome.errors.errors;
      return lost === undefined ? {} : { lost };
    }
    return { lost: endedWith(host) };
  };

  process.send({ kind: 'start', settings, project });
  return {
    get hasEnded() {
      return ended !== undefined;
    },
    async observe(host) {
      const outcome = await ask({ kind: 'observe', host });
      if (outcome?.kind === 'observed') return outcome.observed;
      if (outcome?.kind === 'errors') throw outcome.errors;
      throw new HostwrightErrors([endedWith(host)]);
    },
    async plan(host, observed) {
      const outcome = await ask({ kind: 'plan', host, observed });
      if (outcome?.kind === 'planned') return outcome.planned;
      if (outcome?.kind === 'errors') throw outcome.errors;
      throw new HostwrightErrors([endedWith(host)]);
    },
    preparePlay: (host, play) => turn(host, { kind: 'preparePlay', host, play }),
    applyPlay: (host, play) => turn(host, { kind: 'applyPlay', host, play }),
    recordApplied: (host) => turn(host, { kind: 'recordApplied', host }),
    stop() {
      if (ended === undefined) process.send({ kind: 'stop' });
    },
    async close() {
      await ask({ kind: 'close' });
      await process.end();
    },
  };
}
