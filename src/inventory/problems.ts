import { HostwrightError, HostwrightErrors } from '../errors.ts';
import type { ErrorCode, ErrorDetails } from '../errors.ts';

/** Collects the errors of one reading, so that the user sees all of them at once. */
export interface Problems {
  /** How many there are so far. */
  count(): number;
  report(message: string, details: ErrorDetails, code?: ErrorCode): void;
  /** Throws what was reported: one error as itself, several as HostwrightErrors. */
  throwAny(): void;
}

export function collectProblems(code: ErrorCode): Problems {
  const errors: HostwrightError[] = [];
  return {
    count: () => errors.length,
    report: (message, details, other = code) => {
      errors.push(new HostwrightError(other, message, details));
    },
    throwAny: () => {
      const [first, ...rest] = errors;
      if (first === undefined) return;
      throw rest.length === 0 ? first : new HostwrightErrors(errors);
    },
  };
}
