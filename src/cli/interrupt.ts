import { exitStatus } from './exit.ts';

/** The user ended the command before its first change. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor() {
    super('interrupted');
  }
}

/** Ctrl-C and SIGTERM while a run is under way. */
export interface Interrupts {
  /** Aborted by the first signal, with Interrupted as the reason. */
  readonly signal: AbortSignal;
  /** Called at the first signal and at the second, which ends the process. */
  onTold(tell: (isSecond: boolean) => void): void;
  close(): void;
}

export function watchInterrupts(): Interrupts {
  const controller = new AbortController();
  let tell: (isSecond: boolean) => void = () => undefined;
  const interrupt = (): void => {
    const isSecond = controller.signal.aborted;
    tell(isSecond);
    if (isSecond) process.exit(exitStatus.interrupted);
    controller.abort(new Interrupted());
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return {
    signal: controller.signal,
    onTold(told) {
      tell = told;
    },
    close() {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    },
  };
}
