import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Answer } from '../../src/transport/transport.ts';

/** The body of a request as it came over the wire. */
export interface WireRequest {
  readonly script: Buffer;
  readonly stdin: Buffer;
}

export type Reply = (request: WireRequest) => Promise<Answer>;

/** The same for the same bytes. */
export function requestDigest({ script, stdin }: WireRequest): string {
  return createHash('sha256').update(`${script.length} `).update(script).update(stdin).digest('hex');
}

interface Reader {
  /** Undefined where the stream ends before. */
  bytes(count: number): Promise<Buffer | undefined>;
  /** Without its end. */
  line(): Promise<string | undefined>;
}

function createReader(stream: Duplex): Reader {
  const chunks = stream.iterator({ destroyOnReturn: false });
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const next: IteratorResult<unknown> = await chunks.next();
    if (next.done === true || !Buffer.isBuffer(next.value)) return false;
    held = Buffer.concat([held, next.value]);
    return true;
  };
  const take = (count: number): Buffer => {
    const taken = held.subarray(0, count);
    held = held.subarray(count);
    return taken;
  };
  return {
    async bytes(count) {
      while (held.length < count) if (!(await more())) return undefined;
      return take(count);
    },
    async line() {
      while (!held.includes(0x0a)) if (!(await more())) return undefined;
      return take(held.indexOf(0x0a) + 1)
        .toString()
        .slice(0, -1);
    },
  };
}

/**
 * Plays the host's side of src/transport: the start of the remote shell, then an answer to each request, until
 * the stream ends. Throws where the controller does not keep to the protocol.
 */
export async function converse(stream: Duplex, command: string, reply: Reply): Promise<void> {
  const start = /echo ([0-9a-f]+)""([0-9a-f]+); eval "\$\(head -c (\d+)\)"/.exec(command);
  if (start === null) throw new Error(`not the command of a remote shell: ${command.slice(0, 200)}`);
  const reader = createReader(stream);
  stream.write(`${start[1]}${start[2]}\n`);
  const loop = await reader.bytes(Number(start[3]));
  const nonce = /^n=([0-9a-f]+) /m.exec(loop?.toString() ?? '')?.[1];
  if (nonce === undefined) throw new Error('no remote loop came');
  stream.write(`${nonce} ready\n`);
  for (;;) {
    const header = await reader.line();
    if (header === undefined) return;
    const [sequence, script, stdin] = header.split(' ', 3).map(Number);
    if (sequence === undefined || script === undefined || stdin === undefined)
      throw new Error(`not a request: ${header}`);
    const [body, input, end] = [await reader.bytes(script), await reader.bytes(stdin), await reader.line()];
    if (body === undefined || input === undefined || end !== `end ${sequence}`)
      throw new Error(`half a request: ${header}`);
    const { code, stdout, stderr } = await reply({ script: body, stdin: input });
    const head = `${nonce} answer ${sequence} done ${code} ${stdout.length} ${stderr.length}\n`;
    stream.write(
      Buffer.concat([Buffer.from(head), stdout, stderr, Buffer.from(`${nonce} end ${sequence}\n`)]),
    );
  }
}
