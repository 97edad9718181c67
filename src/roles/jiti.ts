import { lstatSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type * as Jiti from 'jiti';

// As an import Node would first look through its 190 kB for the names that it exports.
const { createJiti }: typeof Jiti = createRequire(import.meta.url)('jiti');

/** The loader of TypeScript, which keeps what it compiles for the next run. */
export function createLoader(options: Jiti.JitiOptions): Jiti.Jiti {
  return createJiti(import.meta.url, { ...options, fsCache: cacheFolder(process.env) ?? false });
}

/**
 * The folder for compiled roles; undefined where there is none that the user alone can write to. What lies there
 * is executed, so it is no folder below `/tmp`, which jiti would take.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv): string | undefined {
  const named = environment['XDG_CACHE_HOME'] ?? '';
  const caches = isAbsolute(named) ? named : join(environment['HOME'] || homedir(), '.cache');
  const folder = join(caches, 'hostwright', 'roles');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { mode, uid } = lstatSync(folder);
    const isOwn = uid === process.getuid?.() && (mode & 0o170022) === 0o040000;
    return isOwn ? folder : undefined;
  } catch {
    return undefined;
  }
}
