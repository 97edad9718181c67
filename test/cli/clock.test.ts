import { expect, it } from 'vitest';
import { startClock } from '../../src/cli/clock.ts';

it('stands still while a person is asked, also where that ends badly', async () => {
  let now = 1000;
  const clock = startClock(() => now);
  now += 500;
  const answer = await clock.pause(async () => {
    now += 60_000;
    return Promise.resolve('yes');
  });
  const refusal = clock.pause(async () => {
    now += 60_000;
    return Promise.reject(new Error('no'));
  });
  await expect(refusal).rejects.toThrow('no');
  now += 250.4;
  expect(answer).toBe('yes');
  expect(clock.elapsed()).toBe(0.75);
});
