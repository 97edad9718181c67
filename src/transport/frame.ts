import { HostwrightError } from '../errors.ts';
import type { Request } from './transport.ts';

/** What the remote loop says. */
export type Frame =
  | { readonly kind: 'ready' }
  /** The loop cannot go on and has ended. */
  | { readonly kind: 'failed'; readonly message: string }
  | {
      readonly kind: 'answer';
      readonly sequence: number;
      /** `locked`: the script did not run, stdout holds who holds the lock; `large`: stdout and stderr are left out. */
      readonly outcome: 'done' | 'locked' | 'large';
      readonly code: number;
      readonly stdout: Buffer;
      readonly stderr: Buffer;
    };

/** Longer than any line of the loop: more without an end of line is garbage. */
const lineLimit = 1024;
/** Bytes. */
const worthNotCopying = 256 * 1024;

/**
 * Sent while a request is in hand: one byte, so that it is taken as a whole by who listens for it, or, when the
 * request has just ended, by the loop that reads the next one.
 */
export const stopSign = '!';

/**
 * A request on the wire: `SEQUENCE SCRIPT-BYTES STDIN-BYTES SECONDS HEEDS-STOP LOCK-MODE LOCK-WAIT HOLDER`, the script,
 * its standard input, `end SEQUENCE`. A large one comes in parts, so that its body is not copied; a small one
 * as a whole, because each part is encrypted and sent by itself.
 */
export function encodeRequest(sequence: number, request: Request, seconds: number): readonly Uint8Array[] {
  const script = Buffer.from(`${request.script.text}\n`);
  const stdin = request.stdin ?? new Uint8Array();
  const lock = request.lock;
  const locking =
    lock === undefined ? 'none 0 -' : `${lock.mode} ${lock.waitSeconds ?? 0} ${JSON.stringify(lock.holder)}`;
  const heeding = request.heedsStop === true ? 'heeds' : 'deaf';
  const header = `${sequence} ${script.length} ${stdin.length} ${seconds} ${heeding} ${locking}\n`;
  const parts = [Buffer.from(header), script, stdin, Buffer.from(`end ${sequence}\n`)];
  return script.length + stdin.length > worthNotCopying ? parts : [Buffer.concat(parts)];
}

/** The header of the answer whose body comes next. */
interface Header {
  readonly sequence: number;
  readonly outcome: 'done' | 'locked' | 'large';
  readonly code: number;
  readonly stdoutLength: number;
  readonly stderrLength: number;
}

/**
 * Takes what the loop writes, in pieces of any size, and gives the frames that are complete: lines
 * `NONCE ready`, `NONCE failed MESSAGE`, and answers: `NONCE answer SEQUENCE OUTCOME CODE STDOUT-BYTES
 * STDERR-BYTES`, the bytes, `NONCE end SEQUENCE`. Throws E_REMOTE for anything else, and for a body of more
 * than `answerLimit` bytes.
 */
export function createFrameReader(nonce: string, answerLimit: number): (chunk: Buffer) => readonly Frame[] {
  let chunks: Buffer[] = [];
  let size = 0;
  let header: Header | undefined;

  const bodyLength = (of: Header): number => (of.outcome === 'large' ? 0 : of.stdoutLength + of.stderrLength);

  /** Bytes that the next step needs at least; below that nothing is joined, so that a large body is joined once. */
  const wanted = (): number => (header === undefined ? 1 : bodyLength(header) + `${nonce} end \n`.length);

  function* frames(): Generator<Frame> {
    while (size >= wanted()) {
      const data = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      chunks = [data];
      const start = header === undefined ? 0 : bodyLength(header);
      const end = data.subarray(start, start + lineLimit).indexOf(0x0a);
      if (end === -1) {
        if (size - start >= lineLimit) throw garbage(data.subarray(start, start + lineLimit).toString());
        return;
      }
      const line = data.subarray(start, start + end).toString();
      chunks = [data.subarray(start + end + 1)];
      size -= start + end + 1;
      if (header === undefined) {
        const read = readLine(line, nonce, answerLimit);
        if ('kind' in read) yield read;
        else header = read;
      } else {
        if (line !== `${nonce} end ${header.sequence}`) throw garbage(line);
        const { sequence, outcome, code } = header;
        const stdoutEnd = Math.min(header.stdoutLength, start);
        const stdout = data.subarray(0, stdoutEnd);
        const stderr = data.subarray(stdoutEnd, start);
        header = undefined;
        yield { kind: 'answer', sequence, outcome, code, stdout, stderr };
      }
    }
  }

  return (chunk) => {
    chunks.push(chunk);
    size += chunk.length;
    return [...frames()];
  };
}

function readLine(line: string, nonce: string, answerLimit: number): Frame | Header {
  if (line === `${nonce} ready`) return { kind: 'ready' };
  if (line.startsWith(`${nonce} failed `)) return { kind: 'failed', message: line.slice(nonce.length + 8) };
  const match = /^(\S+) answer (\d{1,15}) (done|locked|large) (\d{1,3}) (\d{1,15}) (\d{1,15})$/.exec(line);
  if (match === null || match[1] !== nonce) throw garbage(line);
  const header: Header = {
    sequence: Number(match[2]),
    outcome: match[3] === 'done' ? 'done' : match[3] === 'locked' ? 'locked' : 'large',
    code: Number(match[4]),
    stdoutLength: Number(match[5]),
    stderrLength: Number(match[6]),
  };
  if (header.outcome !== 'large' && header.stdoutLength + header.stderrLength > answerLimit)
    throw garbage(line);
  return header;
}

function garbage(line: string): HostwrightError {
  return new HostwrightError('E_REMOTE', 'the remote shell gave a malformed answer', {
    found: JSON.stringify(line.slice(0, 100)),
    hint: 'something on the host writes into the connection: check the start-up files of the login shell',
  });
}
