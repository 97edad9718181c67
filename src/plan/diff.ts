import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { structuredPatch, type StructuredPatchHunk } from 'diff';

/** Content of a file as it is and as it will be; `null` where there is none. */
export type Content = string | Uint8Array | null;

const CONTEXT_LINES = 3;
/** Beyond these a diff is no longer read, and costs more than it tells. */
const LARGEST_BYTES = 1024 * 1024;
const MOST_EDITS = 2000;
const MILLISECONDS = 1000;

function bytesOf(content: Content): Buffer {
  return Buffer.from(content ?? '');
}

function isBinary(bytes: Buffer): boolean {
  return bytes.includes(0) || !isUtf8(bytes);
}

function describeBytes(content: Content): string {
  if (content === null) return 'nothing';
  const bytes = bytesOf(content);
  return `${bytes.length} byte${bytes.length === 1 ? '' : 's'}, sha256 ${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`;
}

function countLines(bytes: Buffer): string {
  let lines = bytes.length > 0 && bytes.at(-1) !== 0x0a ? 1 : 0;
  for (const byte of bytes) if (byte === 0x0a) lines += 1;
  return `${lines} line${lines === 1 ? '' : 's'}`;
}

function formatHunk(hunk: StructuredPatchHunk): string {
  // As diff(1) writes it, an empty side starts at the line before.
  const oldStart = hunk.oldLines === 0 ? hunk.oldStart - 1 : hunk.oldStart;
  const newStart = hunk.newLines === 0 ? hunk.newStart - 1 : hunk.newStart;
  return `@@ -${oldStart},${hunk.oldLines} +${newStart},${hunk.newLines} @@\n${hunk.lines.join('\n')}`;
}

/**
 * A unified diff without a header: hunks with three lines of context. Binary content is told by size and
 * hash, and texts too large or too different to compare by their numbers of lines. Empty where there is no
 * difference.
 */
export function unifiedDiff(before: Content, after: Content): string {
  const [old, young] = [bytesOf(before), bytesOf(after)];
  if (old.equals(young)) return '';
  if (isBinary(old) || isBinary(young)) {
    return `binary: ${describeBytes(before)} replaced by ${describeBytes(after)}`;
  }
  const patch =
    old.length + young.length > LARGEST_BYTES
      ? undefined
      : structuredPatch('', '', old.toString(), young.toString(), undefined, undefined, {
          context: CONTEXT_LINES,
          // Against nothing there is nothing to search for.
          maxEditLength: old.length === 0 || young.length === 0 ? Infinity : MOST_EDITS,
          timeout: MILLISECONDS,
        });
  if (patch === undefined) return `${countLines(old)} replaced by ${countLines(young)}`;
  return patch.hunks.map(formatHunk).join('\n');
}
