import type { Answer } from '../transport/transport.ts';

/** The command's own last words. */
export function failureText(answer: Answer): string {
  const words = answer.stderr.toString('utf8').trim() || answer.stdout.toString('utf8').trim();
  return words === '' ? `exit status ${answer.code}` : words.slice(-2000);
}
