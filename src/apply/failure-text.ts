import type { Answer } from '../transport/transport.ts';

/** Characters of what a command said that are told. */
const mostWords = 2000;

/** What Hostwright itself says first, with the reason behind it. */
const heading = /(no changes made|\(its check ended with exit status \d+\)):$/;

/** Marks of an error in what programs print. */
const error =
  /^(E|W: Failed|error|fatal|panic): |\b(error|fatal|failed):|\[(emerg|alert|crit|error)\]|\b(level|lvl)="?(error|fatal)|^dpkg: error|\bfatal error\b/i;

/** Words that errors have in common. */
const failure =
  /\b(fail(ed|ure|s)?|cannot|can't|could ?n[o']t|unable|invalid|unknown|unexpected|undefined|denied|refused|not (found|permitted|allowed|valid|healthy)|no such|no space|timed out|timeout|missing|already in use|immutable|rejected|exceeded)\b/i;

/** That something before has failed, and no more. */
const consequence =
  /returned an error code|Errors were encountered while|returned error exit status|configuration file .* test (failed|is)|Fatal errors found|Error\(s\) found|systemctl status|^Job for |Failed with result|process exited|\bAborting\b|ended with exit status|was ended by signal|Failed to start |Start request repeated|Scheduled restart job|failed to validate \d+ file|^(the|not all of the) previous |Subprocess .* failed/i;

/** What goes well, or is only a remark. */
const chatter =
  /^(Reading|Building|Setting up|Preparing|Unpacking|Selecting|Get:|Hit:|Ign:|Need to get|After this|Processing triggers|\(Reading|Fetched|Logging (enabled|disabled)|Checking|Rules? (updated|added)|Skipping)|: (Starting|Started|Stopping|Stopped|Deactivated) ?|\[(warn|warning|notice|note|info|system|debug)\]|\b(level|lvl)="?(info|warn|debug)|^\[(NOTICE|WARNING)\]|\.service: (Consumed|Deactivated)/i;

function weight(line: string): number {
  if (consequence.test(line)) return 1;
  if (chatter.test(line) && !error.test(line)) return 0;
  if (error.test(line)) return 4;
  return failure.test(line) ? 3 : 2;
}

/** The line that says what is wrong: the first with the plainest marks of an error; without any, the last word. */
function errorLine(lines: readonly string[]): string | undefined {
  const told = lines.map((line, index) => ({ line, index, weight: weight(line) }));
  const most = Math.max(...told.map((one) => one.weight));
  const best = told.filter((one) => one.weight === most);
  const chosen = most === 2 ? best.at(-1) : best[0];
  if (chosen === undefined) return undefined;
  const line = chosen.line.trim();
  const next = lines[chosen.index + 1]?.trim();
  return line.endsWith(':') && next !== undefined ? `${line} ${next}` : line;
}

/** The end of a text, in whole lines. */
function endOf(text: string): string {
  const end = text.slice(-mostWords);
  return end === text ? text : end.slice(end.indexOf('\n') + 1);
}

/**
 * What a command said, beginning with the line that tells why it failed: people read the first line, and programs
 * begin and end with others.
 */
function toldFirst(words: string): string {
  const lines = words.split('\n').filter((line) => line.trim() !== '');
  const [first = ''] = lines;
  const hasHeading = heading.test(first.trim());
  const line = errorLine(hasHeading ? lines.slice(1) : lines);
  const isFirst = line === first.trim() && words.length <= mostWords;
  if (line === undefined || isFirst) return endOf(words);
  return hasHeading
    ? `${first.trim()} ${line}\n${endOf(lines.slice(1).join('\n'))}`
    : `${line}\n${endOf(words)}`;
}

/** The command's own words, the reason first. */
export function failureText(answer: Answer): string {
  const words = answer.stderr.toString('utf8').trim() || answer.stdout.toString('utf8').trim();
  return words === '' ? `exit status ${answer.code}` : toldFirst(words);
}
