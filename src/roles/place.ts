import { readFileSync, realpathSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import type { FilePlace } from '../errors.ts';
import { createLoader } from './jiti.ts';

/** The functions that a role is asked by. */
export type Member = 'declares' | 'derives' | 'listens' | 'observes' | 'rank' | 'resources';

function withoutLinks(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/** The innermost place of a stack in the files of a role, as the code that runs has it. */
function frameBelow(folder: string, stack: string): Required<FilePlace> | undefined {
  const starts = new Set([join(folder, '/'), join(withoutLinks(folder), '/')]);
  for (const line of stack.split('\n').filter((one) => /^\s+at /.test(one))) {
    for (const start of starts) {
      const at = line.indexOf(start);
      const [, file, row, column] = at < 0 ? [] : (/^(.+?):(\d+):(\d+)\)?$/.exec(line.slice(at)) ?? []);
      if (file !== undefined) return { file, line: Number(row), column: Number(column) };
    }
  }
  return undefined;
}

/** The column itself, or that of the name right before it: of a function that is called there. */
function atName(text: string, column: number): number {
  const [name = ''] = text.startsWith('(', column - 1) ? (/\w*$/.exec(text.slice(0, column - 1)) ?? []) : [];
  return column - name.length;
}

/**
 * A place in the code that jiti made of a file, as a place in the file. The code is made once more with a map,
 * only now that there is something to look up.
 */
function inSource({ file, line, column }: Required<FilePlace>): FilePlace {
  try {
    const source = readFileSync(file, 'utf8');
    const jiti = createLoader({ sourceMaps: true });
    const made = jiti.transform({ source, filename: file, ts: true, async: true });
    const [, map = ''] = /^\/\/# sourceMappingURL=data:[^,]*;base64,([\w+/=]+)/m.exec(made) ?? [];
    const sourceMap = new SourceMap(JSON.parse(Buffer.from(map, 'base64').toString('utf8')));
    const entry = sourceMap.findEntry(line - 1, column - 1);
    if (!('originalLine' in entry)) return { file, line };
    const place = { file, line: entry.originalLine + 1 };
    // jiti puts code of its own before the first line.
    if (line === 1) return place;
    const text = source.split('\n')[entry.originalLine] ?? '';
    return { ...place, column: atName(text, entry.originalColumn + 1) };
  } catch {
    return { file, line };
  }
}

/** Where in the files of a role an error was made; undefined where it was made outside of them. */
export function placeOfError(error: unknown, folder: string): FilePlace | undefined {
  const stack = error instanceof Error ? error.stack : undefined;
  const frame = stack === undefined ? undefined : frameBelow(folder, stack);
  return frame === undefined ? undefined : inSource(frame);
}

/** Where `role.ts` says a name first, such as that of a member; without a line where it does not. */
export function placeOfWord(folder: string, word: string): FilePlace {
  const file = join(folder, 'role.ts');
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    const line = lines.findIndex((text) => new RegExp(`\\b${word}\\b\\s*[:(,]`).test(text));
    if (line < 0) return { file };
    return { file, line: line + 1, column: (lines[line] ?? '').search(new RegExp(`\\b${word}\\b`)) + 1 };
  } catch {
    return { file };
  }
}
