import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { sh } from '../../src/transport/shell.ts';
import { whenListenedFor } from '../../src/transport/listening.ts';
import { watchLiveness } from '../../src/transport/liveness.ts';
import { openLocalShell } from './local-shell.ts';

/** Does nothing else for so many milliseconds, from a moment after which timers come before what was received. */
async function block(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
      resolve();
    });
  });
}

test('a peer that talked while the controller was busy is not silent, and one that does not is', async () => {
  const peer = spawn('sh', ['-c', 'while :; do echo; sleep 0.01; done']);
  onTestFinished(() => void peer.kill());
  await once(peer.stdout, 'data');
  const silence: number[] = [];
  const heard = new Promise<void>((resolve) => {
    watchLiveness(peer.stdout, 300, (limit) => resolve(void silence.push(limit)));
  });
  for (let time = 0; time < 5; time += 1) await block(700);
  expect(silence).toEqual([]);
  peer.kill('SIGSTOP');
  await heard;
  expect(silence).toEqual([300]);
  peer.kill('SIGKILL');
});

test('an answer that came in time is taken, however late the controller looks', async () => {
  const { shell } = await openLocalShell();
  const answer = shell.request({ script: sh`echo here`, timeout: 1000 });
  await block(2500);
  expect((await answer).stdout.toString()).toBe('here\n');
});

test('time in which the process stood still does not count', async () => {
  const passed: string[] = [];
  const waiting = whenListenedFor(600, () => passed.push('passed'));
  await block(2000);
  await block(0);
  expect(passed).toEqual([]);
  await expect.poll(() => passed, { timeout: 30_000 }).toEqual(['passed']);
  waiting.cancel();
});

test('what is cancelled does not end', async () => {
  const passed: string[] = [];
  const waiting = whenListenedFor(30, () => passed.push('passed'));
  const other = new Promise<void>((resolve) => {
    whenListenedFor(60, resolve);
  });
  waiting.cancel();
  await other;
  expect(passed).toEqual([]);
});
