import { isSecret, type Secret } from './secret.ts';

/** Shorter secrets occur in ordinary text. */
const shortest = 6;

/** The shortest part of a cut secret that is masked. */
const shortestCut = 300;

/** All Secrets in a value, at any depth. */
export function secretsIn(value: unknown): ReadonlySet<Secret> {
  const found = new Set<Secret>();
  const seen = new Set<object>();
  const look = (one: unknown): void => {
    if (typeof one !== 'object' || one === null || one instanceof Uint8Array || seen.has(one)) return;
    seen.add(one);
    if (isSecret(one)) found.add(one);
    else for (const item of one instanceof Map ? one.values() : Object.values(one)) look(item);
  };
  look(value);
  return found;
}

/** The forms in which programs print a value: JSON, URLs, shell, SQL, systemd, base64, hex. */
function formsOf(value: string): readonly string[] {
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(Buffer.from(value).toString()),
    value.replaceAll("'", `'\\''`),
    value.replaceAll("'", "''"),
    value.replaceAll(/["\\`$]/g, String.raw`\$&`),
    // Without the end, which depends on what follows.
    Buffer.from(value)
      .toString('base64')
      .slice(0, Math.floor(Buffer.byteLength(value) / 3) * 4),
    Buffer.from(value).toString('hex'),
  ];
}

/** Certificates beside a key are public. */
const publicBlock = /-----BEGIN (?!.*PRIVATE)([^\n]+)-----\n[^-]+-----END \1-----/g;

function secretLines(value: string): readonly string[] {
  return value
    .replaceAll(publicBlock, '')
    .split('\n')
    .filter((line) => !line.startsWith('-----'));
}

/**
 * Makes a function that replaces secrets by `***` in foreign text: the output of a failed program,
 * the facts of a host. Every line of a multi-line secret is masked; a secret of fewer than
 * six characters is not.
 */
export function createMask(secrets: Iterable<Secret>): (text: string) => string {
  const values = [...secrets].flatMap((secret) => {
    const value = secret.reveal();
    return value.includes('\n') ? [value, ...secretLines(value)] : [value];
  });
  const forms = [...new Set(values.map((value) => value.trim()).flatMap(formsOf))]
    .filter((form) => form.length >= shortest)
    .toSorted((one, other) => other.length - one.length);
  return (text) =>
    forms.reduce(
      (masked, form) => (form.length > masked.length ? masked : masked.replaceAll(form, '***')),
      text.length < shortestCut ? text : withoutCut(text, forms),
    );
}

/** Only the end of a long text is kept, and the cut may go through a secret. */
function withoutCut(text: string, forms: readonly string[]): string {
  for (const form of forms) {
    for (let length = form.length - 1; length >= shortest; length -= 1) {
      if (text.startsWith(form.slice(-length))) return `***${text.slice(length)}`;
    }
  }
  return text;
}
