import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { nearFile } from '../suggestion.ts';
import type { Secret } from '../secrets/secret.ts';
import { createRenderer, type ReadPartial, type Rendering } from './render.ts';

/** Whether a name stays inside the folder that it is looked up in. */
function isInside(name: string): boolean {
  return name !== '' && !name.startsWith('/') && !normalize(name).startsWith('..');
}

/** The path of a template, from the first of the folders that has it; E_TEMPLATE where none has. */
export function findTemplate(name: string, folders: readonly string[]): string {
  if (!isInside(name)) {
    throw new HostwrightError('E_TEMPLATE', `"${name}" is not a valid template name`, {
      expected: 'a path inside a templates folder, such as nginx/app.conf.hbs',
    });
  }
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new HostwrightError('E_TEMPLATE', `the template "${name}" does not exist`, {
    found: `no such file in ${folders.join(' and ')}`,
    hint: nearFile(name, folders) ?? 'create the file, or correct the name',
  });
}

/** `{{> name}}` stands for NAME.hbs in the folder of the template that is rendered. */
export function partialsBeside(file: string): ReadPartial {
  return (name) => {
    const path = join(dirname(file), `${name}.hbs`);
    return isInside(name) && existsSync(path) ? { file: path, text: readFileSync(path, 'utf8') } : undefined;
  };
}

/**
 * The `template` of a role's context: renders `NAME` of the first of the folders that has it. Each rendering
 * is told to `note`.
 */
export function openTemplates(
  folders: readonly string[],
  note: (rendering: Rendering, output: string | Secret) => void = () => undefined,
): (name: string, data: Readonly<Record<string, unknown>>) => string | Secret {
  const render = createRenderer();
  return (name, data) => {
    const file = findTemplate(name, folders);
    const rendering = { text: readFileSync(file, 'utf8'), file, data, partial: partialsBeside(file) };
    const output = render(rendering);
    note(rendering, output);
    return output;
  };
}
