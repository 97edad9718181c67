import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crew } from './crew.ts';
import { startWorkerProcess } from './process.ts';
import { remoteWorker, type RemoteOptions } from './remote.ts';
import type { Worker } from './worker.ts';

export interface ProcessesOptions extends Omit<RemoteOptions, 'process'> {
  readonly count: number;
  /** What a worker process runs. */
  readonly file: string;
}

/** Several processes as one worker; a private folder holds what they have to agree on, such as the commit of a tag. */
export function workerProcesses({ count, file, ...options }: ProcessesOptions): Worker {
  const folder = mkdtempSync(join(tmpdir(), 'hostwright-run-'));
  const worker = crew(
    Array.from({ length: count }, () =>
      remoteWorker({ process: startWorkerProcess(file, folder), ...options }),
    ),
  );
  return {
    ...worker,
    async close() {
      await worker.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
