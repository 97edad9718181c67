import { expect, it } from 'vitest';
import { carryOutSteps } from '../../src/actions/carry-out.ts';
import type { ActionStep } from '../../src/roles/action.ts';

/** Steps by their titles; what is in `failing` throws, and `undo X` belongs to X. */
async function outcomes(titles: readonly string[], failing: readonly string[], stopAt?: string) {
  const interruption = new AbortController();
  const told: string[] = [];
  const work = async (title: string): Promise<void> => {
    if (title === stopAt) interruption.abort();
    if (failing.includes(title)) throw new Error(`${title} failed`);
    await Promise.resolve();
  };
  const steps = titles.map((title): ActionStep => ({
    title,
    run: () => work(title),
    ...(title.startsWith('final') && { isFinal: true as const }),
    ...(title.startsWith('plain')
      ? {}
      : { undo: { title: `undo ${title}`, run: () => work(`undo ${title}`) } }),
  }));
  const cut = await carryOutSteps(steps, {
    signal: interruption.signal,
    report: (event) => event.type === 'action-step' && told.push(`${event.title}: ${event.outcome}`),
  });
  return { told, errors: cut?.errors.map(String) };
}

it('does all steps in order', async () => {
  expect(await outcomes(['a', 'b'], [])).toEqual({ told: ['a: done', 'b: done'], errors: undefined });
});

it('rolls back what was done when a step fails, the last one first, and begins no other', async () => {
  expect(await outcomes(['a', 'b', 'plain', 'c'], ['plain'])).toEqual({
    told: ['a: done', 'b: done', 'plain: failed', 'c: skipped', 'undo b: undone', 'undo a: undone'],
    errors: ['Error: plain failed'],
  });
});

it('rolls the failed step itself back, which may have done a part', async () => {
  expect((await outcomes(['a'], ['a'])).told).toEqual(['a: failed', 'undo a: undone']);
});

it('goes on rolling back where that fails', async () => {
  expect(await outcomes(['a', 'b'], ['b', 'undo b'])).toEqual({
    told: ['a: done', 'b: failed', 'undo b: failed', 'undo a: undone'],
    errors: ['Error: b failed', 'Error: undo b failed'],
  });
});

it('finishes the step in hand when it is interrupted, and rolls back', async () => {
  expect(await outcomes(['a', 'b', 'c'], [], 'b')).toEqual({
    told: ['a: done', 'b: done', 'c: skipped', 'undo b: undone', 'undo a: undone'],
    errors: [],
  });
});

it('is done where it is interrupted in the last step', async () => {
  expect((await outcomes(['a', 'b'], [], 'b')).errors).toBeUndefined();
});

it('keeps what a final step has sealed, and rolls that step back itself where it fails', async () => {
  expect((await outcomes(['a', 'final', 'b', 'c'], ['c'])).told).toEqual([
    ...['a: done', 'final: done', 'b: done', 'c: failed', 'undo c: undone', 'undo b: undone'],
  ]);
  expect((await outcomes(['a', 'final'], ['final'])).told).toEqual([
    ...['a: done', 'final: failed', 'undo final: undone', 'undo a: undone'],
  ]);
});
