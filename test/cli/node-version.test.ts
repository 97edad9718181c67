import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tree } from '../inventory/tree.ts';
import { run } from '../lab/hosts.ts';

const root = resolve(import.meta.dirname, '../..');

/** Runs bin/hostwright by a Node that says it is another one, and that ends where anything new is loaded. */
async function by(version: string): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const folder = tree({
    'stub.cjs': `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`,
  });
  return await run(process.execPath, ['--require', join(folder, 'stub.cjs'), 'bin/hostwright', '--version'], {
    cwd: root,
  });
}

describe('a Node that is too old', () => {
  it.each(['18.20.8', '20.18.3', '12.22.12'])('%s is told so in one line', async (version) => {
    const { code, stderr } = await by(version);
    expect(stderr).toBe(`error: Hostwright needs Node 20.19 or later, and this is Node ${version}\n`);
    expect(code).toBe(4);
  });

  it('is not one that is just new enough', async () => {
    expect((await by('20.19.0')).stderr).not.toContain('needs Node');
    expect((await by('24.1.0')).stderr).not.toContain('needs Node');
  });
});
