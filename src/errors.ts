/** Every error code with its meaning. docs/errors.md has a section for each. */
export const errorCodes = {
  E_USAGE: 'the command line is invalid',
  E_INVENTORY: 'the inventory cannot be read, or contradicts itself',
  E_PATTERN: 'a host pattern is malformed, or matches no host',
  E_VARIABLE: 'a variable is unknown, missing or of the wrong type',
  E_SITE: 'site.yml cannot be read, or names something that does not exist',
  E_ROLE: 'a role cannot be loaded, or fails',
  E_RESOURCE: 'a resource is invalid, declared twice with different states, or part of a dependency cycle',
  E_TEMPLATE: 'a template cannot be parsed, or uses an undefined variable',
  E_SECRET: 'a secret cannot be decrypted, or stored',
  E_CONNECT: 'a host cannot be reached, or the connection was lost',
  E_AUTH: 'a host refuses every login method',
  E_HOST_KEY: 'the key of a host is unknown, changed or revoked, or smaller than `RequiredRSASize`',
  E_SUDO: 'the user of the connection cannot become root',
  E_TIMEOUT: 'a host did not answer in time',
  E_LOCKED: 'another run holds the lock of a host',
  E_UNCONFIRMED: 'a change of an earlier run is not confirmed',
  E_REMOTE: 'a command failed on a host, or Hostwright cannot use its answer',
  E_PROBE: 'the state of a resource cannot be read',
  E_REFUSED: 'a change would fail on the host in its current state, or destroy something undeclared',
  E_PLAN_STALE: 'a saved plan no longer matches the hosts or the configuration',
  E_REPORT: 'recorded runs cannot be read or merged, or a report cannot be written',
  E_WORKER: 'a worker process of the run has ended',
  E_INTERNAL: 'Hostwright itself has failed',
  E_LAB: 'the lab cannot do what was requested',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof errorCodes;

/** A position in a file of the user, lines and columns counted from 1. */
export interface FilePlace {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** Where something went wrong: in a file, on a host, in a resource. */
export type Place = FilePlace | { readonly host: string; readonly resource?: string };

export interface ErrorDetails {
  readonly place?: Place | undefined;
  /** What was found, in a few words. */
  readonly found?: string | undefined;
  /** What is valid, in a few words. */
  readonly expected?: string | undefined;
  /** What to do next, as a sentence without a full stop. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** An error for the person who must fix it: a stable code, the problem, its place, and what to do next. */
export class HostwrightError extends Error {
  override readonly name = 'HostwrightError';
  readonly code: ErrorCode;
  readonly place: Place | undefined;
  readonly found: string | undefined;
  readonly expected: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.place = details.place;
    this.found = details.found;
    this.expected = details.expected;
    this.hint = details.hint;
  }
}

/** The same error with a place and a hint. */
export function withPlace(error: HostwrightError, place: Place, hint = error.hint): HostwrightError {
  const { code, message, found, expected, cause } = error;
  return new HostwrightError(code, message, {
    place,
    found,
    expected,
    hint,
    cause: cause ?? error,
  });
}

/**
 * Wraps a defect, such as a TypeError of ours or of a user's resource type, as an error of one host:
 * the other hosts go on.
 */
export function defect(code: ErrorCode, message: string, place: Place, error: unknown): HostwrightError {
  return new HostwrightError(code, message, {
    place,
    found: (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 500),
    hint: 'this is a bug in Hostwright: please report it',
    cause: error,
  });
}

/** Whether an error is for the user, rather than a defect. */
export function isExpected(error: unknown): error is HostwrightError | HostwrightErrors {
  return error instanceof HostwrightError || error instanceof HostwrightErrors;
}

/** Several independent errors, so that the user can fix all of them at once. */
export class HostwrightErrors extends AggregateError {
  override readonly name = 'HostwrightErrors';
  declare readonly errors: HostwrightError[];

  constructor(errors: readonly HostwrightError[]) {
    super([...errors], errors.map((error) => error.message).join('\n'));
  }
}

/** `file:line:column`, or `host: resource`. */
export function formatPlace(place: Place): string {
  if ('host' in place) return place.resource === undefined ? place.host : `${place.host}: ${place.resource}`;
  const line = place.line === undefined ? '' : `:${place.line}`;
  const column = place.line === undefined || place.column === undefined ? '' : `:${place.column}`;
  return `${place.file}${line}${column}`;
}
