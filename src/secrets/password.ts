import { randomInt } from 'node:crypto';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A random password of letters and digits; 32 of them hold 190 bits. */
export function randomPassword(length = 32): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
}
