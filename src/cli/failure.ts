import { CommanderError } from 'commander';
import { HostwrightError, HostwrightErrors } from '../errors.ts';
import { formatError } from '../report/error.ts';
import { errorEvents } from '../report/error-event.ts';
import type { Event, SummaryEvent } from '../plan/event.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { Interrupted } from './interrupt.ts';

/** A command line that failed. */
export interface Failed {
  readonly argv: readonly string[];
  /** The command. */
  readonly verb: string | undefined;
  /** Since the start. */
  readonly seconds: number;
}

const runs: readonly SummaryEvent['command'][] = ['plan', 'apply', 'drift'];

function wantsJson({ argv }: Failed): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** `error: unknown option '--lmit'\n(Did you mean --limit?)`: commander has already printed it. */
function usageError({ message }: CommanderError): HostwrightError {
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n');
  const hint = rest.join(' ').replace(/^\((.*)\)$/, '$1');
  return new HostwrightError('E_USAGE', first, hint === '' ? {} : { hint });
}

/** The last lines of --json: every run ends with a summary, a failed one too. */
function jsonEvents(error: unknown, { verb, seconds }: Failed): readonly Event[] {
  const isInterrupted = error instanceof Interrupted;
  const errors = isInterrupted
    ? []
    : errorEvents(error instanceof CommanderError ? usageError(error) : error);
  const command = runs.find((name) => name === verb);
  if (command === undefined) return errors;
  const interrupted = isInterrupted ? { interrupted: true as const } : {};
  return [...errors, { type: 'summary', command, ok: false, ...interrupted, seconds, hosts: {} }];
}

function statusOf(error: unknown): ExitStatus {
  if (error instanceof Interrupted) return exitStatus.interrupted;
  const isOurs =
    error instanceof CommanderError || error instanceof HostwrightError || error instanceof HostwrightErrors;
  return isOurs ? exitStatus.configuration : exitStatus.failed;
}

/** Prints the error of a command line on stderr, for --json on stdout too, and returns the exit status. */
export function tellFailure(error: unknown, failed: Failed): ExitStatus {
  if (error instanceof CommanderError && error.exitCode === 0) return exitStatus.ok;
  const isRun =
    runs.some((name) => name === failed.verb) || ['report', 'do', 'history'].includes(failed.verb ?? '');
  if (isRun && wantsJson(failed)) {
    for (const event of jsonEvents(error, failed)) process.stdout.write(`${JSON.stringify(event)}\n`);
  }
  if (error instanceof Interrupted) {
    process.stderr.write('interrupted: no changes made\n');
  } else if (!(error instanceof CommanderError)) {
    const debug = process.env['HOSTWRIGHT_DEBUG'] !== undefined;
    process.stderr.write(`${formatError(error, { debug })}\n`);
  }
  return statusOf(error);
}
