import { Secret } from 'hostwright';

export type Value = string | number | boolean | Secret;

/** A word of a command line in a unit, as systemd.service(5) reads it. */
export function unitWord(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%');
  return `"${escaped.replaceAll('$', '$$$$')}"`;
}

/** A line of an EnvironmentFile, as systemd.exec(5) reads it: in double quotes, four characters are escaped. */
function line(name: string, value: Value): string {
  const text = value instanceof Secret ? value.reveal() : String(value);
  return `${name}="${text.replaceAll(/["\\`$]/g, String.raw`\$&`)}"\n`;
}

/** The text of an EnvironmentFile; a Secret as soon as one value is. */
export function environmentText(values: Readonly<Record<string, Value>>): string | Secret {
  const text = Object.entries(values)
    .map(([name, value]) => line(name, value))
    .join('');
  return Object.values(values).some((value) => value instanceof Secret) ? new Secret(text) : text;
}
