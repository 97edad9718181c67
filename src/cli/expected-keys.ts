import { readFile } from 'node:fs/promises';
import { HostwrightError, type FilePlace } from '../errors.ts';

/** Accepted fingerprints (`SHA256:…`), by host name. */
export type ExpectedKeys = ReadonlyMap<string, ReadonlySet<string>>;

interface Given {
  readonly text: string;
  readonly place?: FilePlace;
}

/** `HOST=SHA256:…`, or `HOST SHA256:…` as lines of `@FILE`; `#` begins a comment. E_USAGE, with the line. */
export async function readExpectedKeys(values: readonly string[]): Promise<ExpectedKeys> {
  const given = await Promise.all(
    values.map(async (value): Promise<readonly Given[]> =>
      value.startsWith('@') ? await linesOf(value.slice(1)) : [{ text: value }],
    ),
  );
  const expected = new Map<string, Set<string>>();
  for (const { text, place } of given.flat()) {
    // 32 bytes in base64, without the padding.
    const match = /^(\S+?)(?:=|\s+)(SHA256:[A-Za-z0-9+/]{43})$/.exec(text);
    const [, host, fingerprint] = match ?? [];
    if (host === undefined || fingerprint === undefined) {
      throw new HostwrightError('E_USAGE', 'malformed fingerprint', {
        place,
        found: text,
        expected: 'HOST=SHA256:… as ssh-keygen -lf shows it',
      });
    }
    expected.set(host, (expected.get(host) ?? new Set()).add(fingerprint));
  }
  return expected;
}

async function linesOf(file: string): Promise<readonly Given[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new HostwrightError('E_USAGE', 'the fingerprint file cannot be read', {
      place: { file },
      cause,
    });
  }
  return text
    .split('\n')
    .map((line, index): Given => ({ text: line.replace(/#.*/, '').trim(), place: { file, line: index + 1 } }))
    .filter((line) => line.text !== '');
}
