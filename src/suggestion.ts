import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import damerauLevenshtein from 'damerau-levenshtein';

/** The names that `name` may have been meant to be, the nearest first, at most three and `limit` letters away. */
export function nearest(
  name: string,
  names: Iterable<string>,
  limit = Math.max(1, Math.floor(name.length / 3)),
): string[] {
  return [...new Set(names)]
    .map((candidate) => ({
      candidate,
      edits: damerauLevenshtein(name.toLowerCase(), candidate.toLowerCase()).steps,
    }))
    .filter(({ edits }) => edits <= limit)
    .toSorted((a, b) => a.edits - b.edits)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `did you mean "a" or "b"`, or undefined where no name is near. */
export function didYouMean(name: string, names: Iterable<string>, limit?: number): string | undefined {
  const found = nearest(name, names, limit).map((candidate) => `"${candidate}"`);
  return found.length === 0 ? undefined : `did you mean ${found.join(' or ')}`;
}

/** `did you mean "nginx/app.hbs"`: of the files below some folders, by their paths in there. */
export function nearFile(path: string, folders: readonly string[]): string | undefined {
  const files = folders.flatMap((folder) => {
    try {
      return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
    } catch {
      return [];
    }
  });
  return didYouMean(path, files);
}
