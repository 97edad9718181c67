import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HostwrightError } from '../errors.ts';

/** Where the build puts what it makes of `pages/`, for browsers. */
const folder = fileURLToPath(new URL('../../dist/browser', import.meta.url));

/** A file of Hostwright's own pages, such as `dashboard.js`, for a role that serves it; E_ROLE where it is missing. */
export function pageFile(name: string): Uint8Array {
  try {
    return readFileSync(join(folder, name));
  } catch (cause) {
    throw new HostwrightError('E_ROLE', `Hostwright has no page file ${name}`, {
      place: { file: join(folder, name) },
      hint: 'in a clone of Hostwright: npm run build',
      cause,
    });
  }
}
