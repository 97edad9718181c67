import { HostwrightError } from '../errors.ts';

/** Splits a line into words as a shell does, with quotes and backslashes and nothing else; E_INVENTORY. */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  const pattern =
    /(?<space>\s+)|'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\.)*)"|\\(?<escaped>.)|(?<plain>[^\s'"\\]+)/gsy;
  let word: string | undefined;
  while (pattern.lastIndex < line.length) {
    const groups = pattern.exec(line)?.groups;
    if (groups === undefined) {
      throw new HostwrightError('E_INVENTORY', 'ansible_ssh_common_args contain an unclosed quote', {
        found: line,
      });
    }
    const { space, single, double, escaped, plain } = groups;
    if (space === undefined) {
      word = (word ?? '') + (single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '');
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}
