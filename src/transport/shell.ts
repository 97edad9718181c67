/**
 * Shell text for a host. The only way to make one is the `sh` tag, which quotes every value put into
 * it: no value ever becomes code. So others get the type of the class, and not the class.
 */
class Script {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }

  toString(): string {
    return this.#text;
  }
}

export type { Script };

type Word = string | number | Script;
export type ScriptValue = Word | readonly Word[];

/** One word of POSIX shell, whatever the value holds. NUL cannot be passed to a command and throws. */
export function quote(value: string): string {
  if (value.includes('\0')) throw new RangeError('a NUL byte cannot be part of a shell word');
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value;
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

function word(value: Word): string {
  if (value instanceof Script) return value.text;
  return quote(String(value));
}

function isList(value: ScriptValue): value is readonly Word[] {
  return Array.isArray(value);
}

/**
 * sh`stat -c %a ${path}`: strings and numbers are quoted, arrays become several words, a Script is put
 * in as it is. The text itself is raw: a backslash is a backslash, but in `\${name}`, which is the shell's own.
 */
export function sh(strings: TemplateStringsArray, ...values: readonly ScriptValue[]): Script {
  const texts = strings.raw.map((text) => text.replaceAll('\\${', '${'));
  let text = texts[0] ?? '';
  values.forEach((value, index) => {
    text += (isList(value) ? value : [value]).map(word).join(' ');
    text += texts[index + 1] ?? '';
  });
  return new Script(text);
}

/** Scripts one after the other, each on lines of its own. */
export function lines(scripts: readonly Script[]): Script {
  return new Script(scripts.map((script) => script.text).join('\n'));
}
