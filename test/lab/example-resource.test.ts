import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { run } from './hosts.ts';

const root = resolve(import.meta.dirname, '../..');

test('the example of a resource type passes its test on a Debian tree', async () => {
  const project = mkdtempSync(join(tmpdir(), 'hostwright-example-'));
  try {
    cpSync(join(root, 'examples/resource'), project, { recursive: true });
    mkdirSync(join(project, 'node_modules'));
    symlinkSync(root, join(project, 'node_modules/hostwright'));
    const { code, stdout, stderr } = await run('npm', ['run', '--silent', 'test:tree'], { cwd: project });
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/^# pass 3$/m);
  } finally {
    rmSync(project, { recursive: true });
  }
});
