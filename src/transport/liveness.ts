import type { Duplex } from 'node:stream';

/**
 * Calls `onSilence` when nothing has come in for `limit` milliseconds. Any byte is a sign of life: an answer
 * to a keepalive alone would wait behind megabytes of an upload on a slow link, and a good connection be
 * taken for a dead one.
 */
export function watchLiveness(
  stream: Duplex,
  limit: number,
  onSilence: (milliseconds: number) => void,
): void {
  let heard = performance.now();
  stream.on('data', () => {
    heard = performance.now();
  });
  const timer = setInterval(() => {
    if (performance.now() - heard < limit) return;
    clearInterval(timer);
    onSilence(limit);
  }, limit / 3);
  timer.unref();
  stream.once('close', () => clearInterval(timer));
}
