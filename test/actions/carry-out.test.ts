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
    ...(title.startsWith('final')
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
  expect(await outcomes(['a', 'b', 'final', 'c'], ['final'])).toEqual({
    told: ['a: done', 'b: done', 'final: failed', 'c: skipped', 'undo b: undone', 'undo a: undone'],
    errors: ['Error: final failed'],
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
