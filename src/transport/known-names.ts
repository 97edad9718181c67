import { createHmac, timingSafeEqual } from 'node:crypto';

/** A name that does not tell which host it is, as HashKnownHosts wants it. */
export function hashName(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

export function isHashed(patterns: string): boolean {
  return patterns.startsWith('|');
}

/** The names where there is nothing else among the patterns, in lower case; undefined where there is. */
export function plainNames(patterns: string): readonly string[] | undefined {
  return /[*?!|]/.test(patterns) ? undefined : patterns.toLowerCase().split(',');
}

/** Whether the first word of a line of known_hosts means `name`, which is in lower case. */
export function matchesName(patterns: string, name: string): boolean {
  if (isHashed(patterns)) return matchesHash(patterns, name);
  const found = patterns.split(',').map((pattern) => ({
    negated: pattern.startsWith('!'),
    fits: matchesPattern(pattern.replace(/^!/, '').toLowerCase(), name),
  }));
  // One negated pattern that fits spoils the whole line.
  return found.some(({ fits }) => fits) && !found.some(({ negated, fits }) => negated && fits);
}

function matchesHash(pattern: string, name: string): boolean {
  const [, version, salt, hash] = pattern.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const wanted = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return wanted.length === actual.length && timingSafeEqual(wanted, actual);
}

/** `*` and `?` only: brackets belong to `[host]:port`. Linear in practice, whatever the pattern. */
function matchesPattern(pattern: string, name: string): boolean {
  let [p, n, star, resume] = [0, 0, -1, 0];
  while (n < name.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p;
      resume = n;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      n = resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
