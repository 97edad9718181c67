import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder with a release of the demonstration's application that serves everything but its health check. */
export async function unhealthyRelease(): Promise<string> {
  const source = await mkdtemp(join(tmpdir(), 'hostwright-unhealthy-'));
  onTestFinished(() => rm(source, { recursive: true }));
  await cp('demo/app', source, { recursive: true });
  const main = await readFile(join(source, 'main.py'), 'utf8');
  await writeFile(join(source, 'main.py'), main.replaceAll('/healthz', '/elsewhere'));
  return source;
}
