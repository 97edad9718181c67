import { HostwrightError, HostwrightErrors } from '../errors.ts';
import type { ErrorEvent } from '../plan/event.ts';

/** An error as it is reported. */
export function errorEvent(error: HostwrightError, host?: string): ErrorEvent {
  const { code, message, place, found, expected, hint } = error;
  return {
    type: 'error',
    code,
    message,
    ...(host === undefined ? {} : { host }),
    ...(place === undefined ? {} : { place }),
    ...(found === undefined ? {} : { found }),
    ...(expected === undefined ? {} : { expected }),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Events for anything thrown: one for each HostwrightError, E_INTERNAL for everything else. */
export function errorEvents(error: unknown): readonly ErrorEvent[] {
  if (error instanceof HostwrightErrors) return error.errors.map((one) => errorEvent(one));
  if (error instanceof HostwrightError) return [errorEvent(error)];
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const hint = 'this is a bug in Hostwright: please report it';
  return [errorEvent(new HostwrightError('E_INTERNAL', message, { hint, cause: error }))];
}
