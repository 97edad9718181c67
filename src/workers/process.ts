import { fork } from 'node:child_process';
import { sharedFolder } from '../release/git.ts';
import { isFromWorker, isToWorker, type Channel, type FromWorker, type ToWorker } from './messages.ts';
import type { WorkerProcess } from './remote.ts';
import { fromWire, toWire } from './wire.ts';

/**
 * Starts a worker in a process of its own, which shares `folder` with the others. It ends with this one, however this one ends: the way between them
 * is a pair of sockets, which no other process sees, and which closes by itself.
 */
export function startWorkerProcess(file: string, folder: string): WorkerProcess {
  const child = fork(file, [], {
    env: { ...process.env, [sharedFolder]: folder },
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let isEnding = false;
  const exited = new Promise<string>((done) => {
    child.once('exit', (code, signal) => done(signal ?? `exit status ${code ?? 'unknown'}`));
    child.once('error', (error) => done(error.message));
  });
  // Behind everything that it has sent.
  const disconnected = new Promise<void>((done) => {
    child.once('disconnect', done);
    child.once('error', () => done());
  });
  return {
    send: (message) => {
      // What cannot be sent any more has no answer, as its end tells.
      if (child.connected) child.send(toWire(message), () => undefined);
    },
    onMessage: (take) => {
      child.on('message', (wire) => {
        const message = fromWire(wire);
        if (isFromWorker(message)) take(message);
      });
    },
    onEnd: (take) => {
      const tell = async (): Promise<void> => {
        const [how] = await Promise.all([exited, disconnected]);
        if (!isEnding) take(how);
      };
      void tell();
    },
    end: async () => {
      isEnding = true;
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** In a worker's process: the way to the run that has started it, with which it ends. */
export function parentChannel(): Channel<ToWorker, FromWorker> {
  process.on('disconnect', () => process.exit());
  return {
    send: (message) => {
      if (process.connected) process.send?.(toWire(message));
    },
    onMessage: (take) => {
      process.on('message', (wire) => {
        const message = fromWire(wire);
        if (isToWorker(message)) take(message);
      });
    },
  };
}
