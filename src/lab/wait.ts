import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again until the answer is not undefined; undefined after `timeout` milliseconds. */
export async function waitFor<Value>(
  timeout: number,
  ask: () => Promise<Value | undefined> | Value | undefined,
  pause = 100,
): Promise<Value | undefined> {
  const end = performance.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) return undefined;
    await sleep(pause);
  }
}
