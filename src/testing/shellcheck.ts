import { spawnSync } from 'node:child_process';

/**
 * What shellcheck says of a script as a section runs it; '' for nothing.
 * SC2016: a quoted value may well hold a dollar; that it does not expand is the point of quoting it.
 * SC2174: only the deepest directory is ever new.
 * SC2185: `find -files0-from` needs no path.
 */
export function shellcheck(
  script: string,
  shell: 'dash' | 'bash' = 'dash',
  wanted: readonly string[] = [],
): string {
  const passed = ['SC2016', 'SC2174', 'SC2185', ...wanted];
  return check(`#!/bin/sh\nset -eu\n: "\${HW:?}"\n${script}\n`, [
    `--shell=${shell}`,
    `--exclude=${passed.join(',')}`,
  ]);
}

/** What shellcheck says of a program, which says itself what it is for. */
export function shellcheckProgram(text: string): string {
  return check(text, []);
}

function check(input: string, options: readonly string[]): string {
  const checked = spawnSync('shellcheck', [...options, '--format=gcc', '-'], { input, encoding: 'utf8' });
  if (checked.error !== undefined) throw checked.error;
  return checked.stdout + checked.stderr;
}
