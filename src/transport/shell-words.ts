import type { Readable } from 'node:stream';

/** What a host says beside its answers, on standard error. */
export interface Words {
  /** The end of it. */
  readonly text: string;
  /** Takes a word out of it that was meant for the controller; false where it is not there. */
  take(word: string): boolean;
  /** Called after each piece; the function that it gives ends that. */
  onMore(heard: () => void): () => void;
  /** Called when it was more than any shell says that stops by itself, with the limit in bytes. */
  onTooMany(heard: (limit: number) => void): void;
}

/** Kept of what the host says outside of answers. */
export const wordsLimit = 8192;
/** What scripts say comes in answers; a shell that says more than this beside them does not stop by itself. */
const errorsLimit = 16 * 1024 * 1024;

export function collectWords(stream: Readable): Words {
  let text = '';
  let bytes = 0;
  const onMore = (heard: () => void): (() => void) => {
    stream.on('data', heard);
    return () => stream.off('data', heard);
  };
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    text = (text + chunk.toString()).slice(-wordsLimit);
  });
  return {
    get text() {
      return text;
    },
    take(word) {
      if (!text.includes(word)) return false;
      text = text.replace(word, '');
      return true;
    },
    onMore,
    onTooMany(heard) {
      onMore(() => {
        if (bytes > errorsLimit) heard(errorsLimit);
      });
    },
  };
}
