import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';

const root = resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(resolve(root, file), 'utf8');

const lock = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({ dev: z.boolean().optional(), hasInstallScript: z.boolean().optional() }),
  ),
});

it('no package of a run wants an install script, but two that do without', () => {
  const { packages } = lock.parse(JSON.parse(read('package-lock.json')));
  const wanting = Object.entries(packages)
    .filter(([name, { dev, hasInstallScript }]) => name !== '' && dev !== true && hasInstallScript === true)
    .map(([name]) => name);
  // They compile faster ways of what Node does as well.
  expect(wanting).toEqual(['node_modules/cpu-features', 'node_modules/ssh2']);
});

it('nothing of a run is compiled: every package loads where no native code does', () => {
  const { dependencies } = z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(read('package.json')));
  const names = JSON.stringify(Object.keys(dependencies));
  const script = `
    process.dlopen = () => { throw new Error('native code'); };
    // What @peculiar/x509 wants to find.
    await import('reflect-metadata');
    for (const name of ${names}) await import(name);
    console.log('loaded');`;
  const words = ['--input-type=module', '-e', script];
  expect(execFileSync(process.execPath, words, { cwd: root, encoding: 'utf8' })).toBe('loaded\n');
});

it('bin/demo and bin/test install without running scripts of packages', () => {
  const installs = read('bin/prepare').match(/^[^#\n]*\bnpm (?:install|ci)\b.*$/gm) ?? [];
  expect(installs).not.toHaveLength(0);
  expect(installs.filter((line) => !line.includes('--ignore-scripts'))).toEqual([]);
});
