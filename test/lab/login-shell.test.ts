import { describe, expect, it } from 'vitest';
import { sh } from '../../src/transport/shell.ts';
import { openLocalShell } from '../transport/local-shell.ts';

// sshd runs `SHELL -c COMMAND`, and so does this.
describe('a login shell', () => {
  it.each(['dash', 'bash', 'fish', 'tcsh'])('may be %s', async (shell) => {
    for (const become of [false, true]) {
      const opened = await openLocalShell({ become }, { shell });
      const { stdout } = await opened.shell.request({ script: sh`echo ${"it's"} "$HOME"` });
      expect(stdout.toString()).toBe("it's /root\n");
    }
  });
});
