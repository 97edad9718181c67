import type { Readable } from 'node:stream';
import { whenListenedFor } from './listening.ts';

/**
 * Calls `onSilence` when nothing has come in for `limit` milliseconds. Any byte is a sign of life: an answer
 * to a keepalive alone would wait behind megabytes of an upload on a slow link, and a good connection be
 * taken for a dead one.
 */
export function watchLiveness(
  stream: Readable,
  limit: number,
  onSilence: (milliseconds: number) => void,
): void {
  const silence = whenListenedFor(limit, () => onSilence(limit));
  stream.on('data', () => silence.restart());
  stream.once('close', () => silence.cancel());
}
