import { relative } from 'node:path';
import { HostwrightError, HostwrightErrors } from '../../src/errors.ts';

/** What went wrong, with places relative to `folder`: `hosts.yml:3:5`. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly at: string;
  readonly found: string | undefined;
  readonly expected: string | undefined;
  readonly hint: string | undefined;
}

function toFailure(error: HostwrightError, folder: string): Failure {
  const { code, message, place, found, expected, hint } = error;
  const at =
    place === undefined || 'host' in place
      ? ''
      : [place.file.startsWith('/') ? relative(folder, place.file) : place.file, place.line, place.column]
          .filter((part) => part !== undefined)
          .join(':');
  return { code, message, at, found, expected, hint };
}

/** The errors that `work` ends with; none where it succeeds. */
export async function failures(work: () => unknown, folder = '/'): Promise<Failure[]> {
  try {
    await work();
    return [];
  } catch (error) {
    if (error instanceof HostwrightErrors) return error.errors.map((one) => toFailure(one, folder));
    if (error instanceof HostwrightError) return [toFailure(error, folder)];
    throw error;
  }
}
