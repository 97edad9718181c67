export interface Listening {
  /** Begins anew: something was heard. */
  restart(): void;
  cancel(): void;
}

/** Milliseconds at most by which a time that this process could not listen counts. */
const longestSlice = 1000;
const fewestSlices = 3;

/**
 * Calls `passed` after `milliseconds` in which this process could listen. A process that is busy with one
 * computation, stopped or suspended receives nothing and sends nothing: such a time counts as one slice, and
 * what has arrived meanwhile is read before the end is declared.
 */
export function whenListenedFor(milliseconds: number, passed: () => void): Listening {
  const slices = Math.max(fewestSlices, Math.ceil(milliseconds / longestSlice));
  let left = slices;
  let last: NodeJS.Immediate | undefined;
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) return;
    // Node reads from sockets between its timers and its immediates.
    last = setImmediate(() => {
      if (left > 0) return;
      clearInterval(timer);
      passed();
    });
  }, milliseconds / slices);
  timer.unref();
  return {
    restart() {
      left = slices;
      timer.refresh();
    },
    cancel() {
      clearInterval(timer);
      if (last !== undefined) clearImmediate(last);
    },
  };
}
