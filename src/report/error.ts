import { type ErrorCode, formatPlace, HostwrightError, HostwrightErrors, type Place } from '../errors.ts';
import type { NoticeEvent } from '../plan/event.ts';
import { count, hang } from './layout.ts';
import { printableLines } from './printable.ts';
import { type ReadSource, readSource, sourceLines } from './source-line.ts';
import { plainStyle, type Style } from './style.ts';

/** What an error and an error event have in common. */
export interface Complaint {
  readonly code: ErrorCode;
  readonly message: string;
  readonly host?: string | undefined;
  readonly place?: Place | undefined;
  readonly found?: string | undefined;
  readonly expected?: string | undefined;
  readonly hint?: string | undefined;
}

export interface ErrorOptions {
  /** Default: no colour, no maximum width. */
  readonly style?: Style;
  /** Print stacks of unknown errors too. HOSTWRIGHT_DEBUG sets it. */
  readonly debug?: boolean;
  /** Reads the file of a place. */
  readonly read?: ReadSource;
}

/** `text`, which may have several lines, after `lead`. */
function block(lead: string, text: string, style: Style): string[] {
  return printableLines(text).flatMap((line, index) =>
    hang(index === 0 ? lead : ' '.repeat(lead.length), line, style),
  );
}

function placeOf(complaint: Complaint): Place | undefined {
  if (complaint.place !== undefined) return complaint.place;
  return complaint.host === undefined ? undefined : { host: complaint.host };
}

/** An error as a block of lines: message and code, place, source line, found, expected, hint. */
export function complaintLines(complaint: Complaint, style: Style, read: ReadSource = readSource): string[] {
  const [first = '', ...others] = block('error: ', `${complaint.message}  [${complaint.code}]`, style);
  const lines = [first.replace(/^error:/, style.paint(['bold', 'red'], 'error:')), ...others];
  const place = placeOf(complaint);
  if (place !== undefined) {
    lines.push(...block(' --> ', formatPlace(place), style));
    if ('file' in place) lines.push(...sourceLines(place, style, read));
  }
  const { found, expected, hint } = complaint;
  if (found !== undefined) lines.push(...block('  found:    ', found, style));
  if (expected !== undefined) lines.push(...block('  expected: ', expected, style));
  if (hint !== undefined) {
    const [start = '', ...rest] = block('  hint:     ', hint, style);
    lines.push(start.replace('hint:', style.paint('cyan', 'hint:')), ...rest);
  }
  return lines;
}

/** What did not work and takes nothing away from what was done. */
export function noticeLines({ host, text }: NoticeEvent, style: Style): string[] {
  const [first = '', ...others] = block('warning: ', `${host}: ${text}`, style);
  return [first.replace(/^warning:/, style.paint(['bold', 'yellow'], 'warning:')), ...others];
}

function stackLines(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const cause =
    error instanceof Error && error.cause !== undefined ? ['caused by', ...stackLines(error.cause)] : [];
  return [...printableLines(stack), ...cause];
}

function unknownLines(error: unknown, style: Style, debug: boolean): string[] {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const lines = block('error: ', message, style);
  if (debug) return [...lines, ...stackLines(error)];
  const hint = 'this is probably a bug in Hostwright; HOSTWRIGHT_DEBUG=1 shows the stack';
  return [...lines, ...block('  hint:     ', hint, style)];
}

/**
 * Any error as text for people, without a line break at its end. Control characters are escaped;
 * the stack of an unknown error shows only with `debug`.
 */
export function formatError(error: unknown, options: ErrorOptions = {}): string {
  const { style = plainStyle, debug = false, read = readSource } = options;
  if (error instanceof HostwrightErrors) {
    const blocks = error.errors.map((one) => formatError(one, options));
    if (blocks.length > 1) blocks.push(count(blocks.length, 'error'));
    return blocks.join('\n\n');
  }
  if (!(error instanceof HostwrightError)) return unknownLines(error, style, debug).join('\n');
  const lines = complaintLines(error, style, read);
  if (debug) lines.push(...stackLines(error));
  return lines.join('\n');
}
