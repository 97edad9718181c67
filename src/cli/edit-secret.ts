import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { Secret } from '../secrets/secret.ts';
import { withPrivateFolder } from './private-folder.ts';

/**
 * Lets the user change a value with VISUAL, EDITOR or vi. E_SECRET when the editor fails or the value is not text;
 * the plain text is deleted first.
 */
export async function editSecret(
  name: string,
  value: Secret,
  environment: NodeJS.ProcessEnv,
): Promise<Secret> {
  const before = value.reveal();
  // Editors add a line end; a value that had none keeps none.
  const lineEnd = before.endsWith('\n') ? '' : '\n';
  return await withPrivateFolder(environment, async (folder) => {
    const file = join(folder, name);
    await writeFile(file, before + lineEnd, { mode: 0o600, flag: 'wx' });
    await runEditor(file, environment);
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    const after = bytes.toString('utf8');
    if (after.trim() === '') {
      throw new HostwrightError('E_SECRET', 'the edited value is empty, no changes made', {
        hint: `to delete the secret, remove the line of ${name} from its file`,
      });
    }
    if (!Buffer.from(after).equals(bytes)) {
      throw new HostwrightError('E_SECRET', 'the edited value is not text, no changes made', {
        expected: 'UTF-8',
      });
    }
    return new Secret(lineEnd === '' ? after : after.replace(/\r?\n$/, ''));
  });
}

async function runEditor(file: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const editor = environment['VISUAL'] || environment['EDITOR'] || 'vi';
  // As shell, like git: `code --wait`.
  const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit', env: environment });
  // Ctrl-C is for the editor, which may use it for something else than quitting.
  const ignore = (): void => undefined;
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, ignore);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, pass);
  try {
    const end = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(signal ?? code));
    });
    if (end === 0) return;
    throw new HostwrightError('E_SECRET', 'the editor failed, no changes made', {
      found: typeof end === 'number' ? `${editor} ended with status ${end}` : `${editor} was ended by ${end}`,
      hint: 'set EDITOR to another editor',
    });
  } finally {
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.off(signal, ignore);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, pass);
  }
}
