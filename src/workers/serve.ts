import type { WorkEvent } from '../apply/host-run.ts';
import { HostwrightError, HostwrightErrors, defect } from '../errors.ts';
import type { Call, Channel, FromWorker, Outcome, ProjectData, ToWorker } from './messages.ts';
import type { RunSettings, Worker } from './worker.ts';

/** Makes the worker that does what is asked for. */
export type OpenWorker = (
  settings: RunSettings,
  project: ProjectData,
  report: (event: WorkEvent) => void,
) => Promise<Worker>;

async function carryOut(worker: Worker, call: Call): Promise<Outcome> {
  switch (call.kind) {
    case 'observe':
      return { kind: 'observed', observed: await worker.observe(call.host) };
    case 'plan':
      return { kind: 'planned', planned: await worker.plan(call.host, call.observed) };
    case 'preparePlay':
      return { kind: 'turn', turn: await worker.preparePlay(call.host, call.play) };
    case 'applyPlay':
      return { kind: 'turn', turn: await worker.applyPlay(call.host, call.play) };
    case 'recordApplied':
      return { kind: 'turn', turn: await worker.recordApplied(call.host) };
    case 'close':
      await worker.close();
      return { kind: 'closed' };
    default:
      return call satisfies never;
  }
}

function errorsOf(error: unknown): HostwrightErrors {
  if (error instanceof HostwrightErrors) return error;
  if (error instanceof HostwrightError) return new HostwrightErrors([error]);
  const place = { file: 'worker' };
  return new HostwrightErrors([defect('E_INTERNAL', 'a worker cannot continue', place, error)]);
}

/** Does what the other end of the channel asks for, with the worker that `open` makes at the start. */
export function serve(channel: Channel<ToWorker, FromWorker>, open: OpenWorker): void {
  let opening: Promise<Worker> = Promise.reject(new Error('a worker that was not started'));
  opening.catch(() => undefined);
  const report = (event: WorkEvent): void => channel.send({ kind: 'event', event });
  const answer = async (call: Call): Promise<void> => {
    const outcome = await opening
      .then((worker) => carryOut(worker, call))
      .catch((error: unknown): Outcome => ({ kind: 'errors', errors: errorsOf(error) }));
    channel.send({ kind: 'answer', id: call.id, outcome });
  };
  channel.onMessage((message) => {
    switch (message.kind) {
      case 'start':
        opening = open(message.settings, message.project, report);
        // Each later question is answered with what is wrong.
        opening.catch(() => undefined);
        break;
      case 'stop':
        void opening.then((worker) => worker.stop()).catch(() => undefined);
        break;
      case 'observe':
      case 'plan':
      case 'preparePlay':
      case 'applyPlay':
      case 'recordApplied':
      case 'close':
        void answer(message);
        break;
      default:
        message satisfies never;
    }
  });
}
