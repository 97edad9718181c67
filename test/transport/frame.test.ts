import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrameReader, encodeRequest, type Frame } from '../../src/transport/frame.ts';
import { sh } from '../../src/transport/shell.ts';

const nonce = 'c0ffee';
const limit = 1 << 20;

const answers = fc.array(
  fc.record({
    code: fc.integer({ min: 0, max: 255 }),
    stdout: fc.uint8Array({ maxLength: 5000 }),
    stderr: fc.uint8Array({ maxLength: 50 }),
  }),
  { maxLength: 5 },
);

type Answers = typeof answers extends fc.Arbitrary<infer T> ? T : never;

function wire(list: Answers): Buffer {
  const parts = list.flatMap(({ code, stdout, stderr }, index) => [
    Buffer.from(`${nonce} answer ${index} done ${code} ${stdout.length} ${stderr.length}\n`),
    stdout,
    stderr,
    Buffer.from(`${nonce} end ${index}\n`),
  ]);
  return Buffer.concat([Buffer.from(`${nonce} ready\n`), ...parts]);
}

function readAll(bytes: Buffer, cuts: readonly number[]): readonly Frame[] {
  const read = createFrameReader(nonce, limit);
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].toSorted((a, b) => a - b);
  return places.flatMap((from, index) => read(bytes.subarray(from, places[index + 1] ?? bytes.length)));
}

describe('the frames of the remote loop', () => {
  it('come out as they went in, whatever bytes they hold and however they are cut', () => {
    fc.assert(
      fc.property(answers, fc.array(fc.nat()), (list, cuts) => {
        const [ready, ...frames] = readAll(wire(list), cuts);
        expect(ready).toEqual({ kind: 'ready' });
        expect(frames).toEqual(
          list.map(({ code, stdout, stderr }, sequence) => ({
            kind: 'answer',
            sequence,
            outcome: 'done',
            code,
            stdout: Buffer.from(stdout),
            stderr: Buffer.from(stderr),
          })),
        );
      }),
    );
  });

  it('are refused as E_REMOTE when a host writes anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), (noise) => {
        const read = createFrameReader(nonce, limit);
        const bytes = Buffer.concat([noise, Buffer.from('\n')]);
        expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'E_REMOTE' }));
      }),
    );
  });

  it.each([
    ['another nonce', 'decade answer 1 done 0 0 0\n'],
    ['a body over the limit', `${nonce} answer 1 done 0 ${limit} 1\n`],
    ['a length that is no number', `${nonce} answer 1 done 0 -1 0\n`],
    ['a body that is followed by something else', `${nonce} answer 1 done 0 1 0\nx${nonce} end 2\n`],
    ['a line without an end', 'x'.repeat(5000)],
  ])('are refused with %s', (_, text) => {
    const read = createFrameReader(nonce, limit);
    expect(() => read(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'E_REMOTE' }));
  });

  it('carry no body with an answer that is too large', () => {
    const read = createFrameReader(nonce, limit);
    const frames = read(Buffer.from(`${nonce} answer 1 large 137 99999999999 0\n${nonce} end 1\n`));
    expect(frames).toEqual([
      {
        kind: 'answer',
        sequence: 1,
        outcome: 'large',
        code: 137,
        stdout: Buffer.alloc(0),
        stderr: Buffer.alloc(0),
      },
    ]);
  });
});

describe('a request on the wire', () => {
  it('says lengths in bytes, keeps the lock on its one line, and ends with its number', () => {
    const holder = { user: 'zoë', controller: 'a b\nc', pid: 7, since: '2026-01-01T00:00:00Z' };
    const stdin = Buffer.from([0, 10, 255]);
    const parts = encodeRequest(
      3,
      { script: sh`echo ${'é'}`, stdin, lock: { mode: 'shared', holder, waitSeconds: 5 } },
      60,
    );
    const bytes = Buffer.concat(parts);
    const [header = '', script] = bytes.toString().split('\n');
    expect(header).toBe(`3 10 3 60 deaf shared 5 ${JSON.stringify(holder)}`);
    expect(script).toBe(`echo 'é'`);
    expect(bytes.subarray(-9)).toEqual(Buffer.concat([stdin, Buffer.from('end 3\n')]));
  });
});
