import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Entry } from '../../src/logs/entry.ts';
import { mergeByTime, type Source } from '../../src/logs/merge.ts';

function entry(host: string, time: number): Entry {
  return { host, time, cursor: `${host} ${time}` };
}

async function* sourceOf(host: string, batches: readonly (readonly number[])[]): Source {
  for (const times of batches) {
    await Promise.resolve();
    yield times.map((time) => entry(host, time));
  }
}

async function collected(merged: AsyncIterable<readonly Entry[]>): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  for await (const entries of merged) all.push(...entries);
  return all;
}

/** A host that sends when the test says so. */
function host(name: string) {
  const batches: (readonly Entry[])[] = [];
  let wake = (): void => undefined;
  const state = { isOver: false };
  return {
    source: (async function* (): Source {
      while (!state.isOver || batches.length > 0) {
        const batch = batches.shift();
        if (batch !== undefined) yield batch;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    })(),
    send(...times: readonly number[]) {
      batches.push(times.map((time) => entry(name, time)));
      wake();
    },
    end() {
      state.isOver = true;
      wake();
    },
  };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('journals merged by time', () => {
  it('lose nothing, and are in order however they come', async () => {
    const times = fc.array(fc.array(fc.nat(1000), { minLength: 1 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(times, { maxLength: 4 }), async (journals) => {
        const sorted = journals.map((batches) => {
          const all = batches.flat().toSorted((one, other) => one - other);
          return batches.map((batch) => all.splice(0, batch.length));
        });
        const merged = await collected(mergeByTime(sorted.map((one, index) => sourceOf(`web${index}`, one))));
        expect(merged.map(({ time }) => time)).toEqual(
          journals.flat(2).toSorted((one, other) => one - other),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('keep the order of a host whose clock has jumped', async () => {
    const merged = await collected(mergeByTime([sourceOf('web1', [[5, 1, 6]]), sourceOf('web2', [[2]])]));
    expect(merged.map(({ cursor }) => cursor)).toEqual(['web2 2', 'web1 5', 'web1 1', 'web1 6']);
  });

  it('do not hold more of a host than is needed while another one is slow', async () => {
    let given = 0;
    const endless = (async function* (): Source {
      for (;;) {
        await Promise.resolve();
        given += 1000;
        yield Array.from({ length: 1000 }, (_, index) => entry('web1', given + index));
      }
    })();
    const slow = host('web2');
    const merged = mergeByTime([endless, slow.source]);
    const next = merged.next();
    await vi.waitFor(() => expect(given).toBeGreaterThan(3000));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect(given).toBeLessThan(10_000);
    slow.end();
    expect((await next).done).toBe(false);
  });

  it('end with the error of a host that is not to be passed over', async () => {
    const broken = (async function* (): Source {
      yield [entry('web1', 1)];
      await Promise.resolve();
      throw new Error('refused');
    })();
    await expect(collected(mergeByTime([broken, host('web2').source]))).rejects.toThrow('refused');
  });
});

describe('journals that are followed', () => {
  it('wait a moment for lines that come late, and no longer', async () => {
    vi.useFakeTimers();
    const [one, two] = [host('web1'), host('web2')];
    const seen: string[] = [];
    void (async () => {
      for await (const entries of mergeByTime([one.source, two.source], {
        patience: 300,
        startPatience: 5000,
      }))
        seen.push(...entries.map(({ cursor }) => cursor));
    })();
    one.send();
    two.send();
    one.send(20);
    await vi.advanceTimersByTimeAsync(200);
    two.send(10);
    await vi.advanceTimersByTimeAsync(50);
    expect(seen).toEqual(['web2 10']);
    await vi.advanceTimersByTimeAsync(100);
    expect(seen).toEqual(['web2 10', 'web1 20']);
    two.send(15);
    await vi.advanceTimersByTimeAsync(300);
    expect(seen).toEqual(['web2 10', 'web1 20', 'web2 15']);
  });

  it('wait longer for a host that has not sent what it had at the start', async () => {
    vi.useFakeTimers();
    const [one, two] = [host('web1'), host('web2')];
    const seen: string[] = [];
    void (async () => {
      for await (const entries of mergeByTime([one.source, two.source], {
        patience: 300,
        startPatience: 5000,
      }))
        seen.push(...entries.map(({ cursor }) => cursor));
    })();
    one.send(20);
    await vi.advanceTimersByTimeAsync(4000);
    expect(seen).toEqual([]);
    two.send(10);
    two.send();
    await vi.advanceTimersByTimeAsync(500);
    expect(seen).toEqual(['web2 10', 'web1 20']);
  });
});
