/** Asks again and again, until it is stopped. */
export interface Watch {
  /** Gives how often it asked, and every answer that was none. */
  stop(): Promise<{ readonly asked: number; readonly failures: readonly string[] }>;
}

/** Watches something that must not stop answering: `ask` rejects where it does not answer as it should. */
export function watch(ask: () => Promise<void>): Watch {
  const failures: string[] = [];
  const state = { asked: 0, stopped: false };
  const run = async (): Promise<void> => {
    while (!state.stopped) {
      try {
        await ask();
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${String(error)}`);
      }
      state.asked += 1;
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const running = run();
  return {
    async stop() {
      state.stopped = true;
      await running;
      return { asked: state.asked, failures };
    },
  };
}
