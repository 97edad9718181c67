import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const answers = z.array(z.object({ status: z.number(), stdout: z.string(), stderr: z.string() }));
export type Answer = z.infer<typeof answers>[number];

/** What Debian's ansible-core answers to each command line, `ansible` or `ansible-inventory` first. */
export function askAnsible(commands: readonly (readonly string[])[]): Answer[] {
  // Ansible reads group_vars of the current folder too, so this one is empty.
  const folder = mkdtempSync(join(tmpdir(), 'hostwright-ansible-'));
  try {
    // Its own settings in the place of the machine's.
    writeFileSync(join(folder, 'ansible.cfg'), '');
    const script = fileURLToPath(new URL('answer-as-ansible.py', import.meta.url));
    const run = spawnSync('/usr/bin/python3', [script], {
      cwd: folder,
      env: {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        LANG: 'C.UTF-8',
        ANSIBLE_NOCOLOR: '1',
      },
      input: JSON.stringify(commands),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    if (run.status !== 0) throw new Error(`ansible-core cannot be asked; is it installed?\n${run.stderr}`);
    return answers.parse(JSON.parse(run.stdout));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
