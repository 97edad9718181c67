import { HostwrightError, isExpected, type HostwrightErrors } from '../errors.ts';
import { thrownText } from '../roles/ask.ts';
import { placeOfError } from '../roles/place.ts';
import type { FoundAction } from './find.ts';

/** What an action threw, with a place: an exception of its code is E_ROLE at its line. */
export function failureOf(
  { role, name, folder }: FoundAction,
  error: unknown,
): HostwrightError | HostwrightErrors {
  if (isExpected(error)) return error;
  return new HostwrightError('E_ROLE', `the action ${name} of the role ${role} fails`, {
    place: placeOfError(error, folder) ?? { file: folder },
    found: thrownText(error),
    cause: error,
  });
}
