import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { HostwrightError, HostwrightErrors, type FilePlace } from '../errors.ts';
import { schemaProblems } from '../schema-problems.ts';
import { didYouMean, nearFile } from '../suggestion.ts';
import { thrownText } from './ask.ts';
import { createLoader } from './jiti.ts';
import { placeOfError, placeOfWord } from './place.ts';
import type { LoadedRole, Role } from './role.ts';

const callable = z.custom<() => unknown>((value) => typeof value === 'function', 'expected a function');

const zodObject = z.custom<z.ZodObject>(
  (value) => value instanceof z.ZodObject,
  "expected z.object({ … }) with the z that 'hostwright' exports",
);

const anAction = z
  .strictObject({
    summary: z.string(),
    arguments: zodObject,
    on: z.enum(['host', 'site']),
    read: callable.optional(),
    plan: callable.optional(),
  })
  .refine(
    ({ read, plan }) => (read === undefined) !== (plan === undefined),
    'expected either read (changes nothing) or plan',
  );

const shape = z.strictObject({
  name: z.string(),
  variables: zodObject,
  declares: callable.optional(),
  derives: callable.optional(),
  observes: callable.optional(),
  rank: callable.optional(),
  listens: callable.optional(),
  resources: callable,
  actions: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected a name such as restore-test'), anAction)
    .optional(),
});

async function findRole(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const candidate = join(folder, name, 'role.ts');
    try {
      await access(candidate);
      return candidate;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** What the loader itself asks of a module. */
const loaderWords = new Set(['default', '__esModule', 'then']);

/** `api`, in which an unknown name is an error where it is used, and not `undefined`. */
function strictApi(api: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return new Proxy<Record<string, unknown>>(
    { ...api },
    {
      has: (target, name) => typeof name === 'string' && (name in target || !loaderWords.has(name)),
      get: (target, name) => {
        if (typeof name === 'symbol' || name in target || loaderWords.has(name)) {
          return Reflect.get(target, name) as unknown;
        }
        const hint = didYouMean(name, Object.keys(target));
        throw new HostwrightError('E_ROLE', `'hostwright' does not export ${name}`, {
          hint,
        });
      },
    },
  );
}

/** Where a file cannot be parsed, as the message of jiti ends. Its columns begin with 0. */
function placeOfParseError(error: unknown): FilePlace | undefined {
  const message = error instanceof Error ? error.message : '';
  const [, file, line, column] = /\n? ?(\/[^\n]+):(\d+):(\d+)$/.exec(message) ?? [];
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column) + 1 };
}

/** `./helpr.ts` is looked for beside the file that imports it; of packages there is only one. */
function importHint(error: unknown, folder: string): string | undefined {
  const [, name] = /^Cannot find module '([^']+)'/.exec(error instanceof Error ? error.message : '') ?? [];
  if (name === undefined) return undefined;
  if (!name.startsWith('.'))
    return "a role may import from 'hostwright', from node: and from files of its project";
  return nearFile(name.replace(/^\.\//, ''), [folder]);
}

function loadError(name: string, file: string, cause: unknown): HostwrightError {
  const folder = dirname(file);
  const place = placeOfError(cause, folder) ?? placeOfParseError(cause) ?? { file };
  if (cause instanceof HostwrightError) {
    return new HostwrightError('E_ROLE', `the role ${name} cannot be loaded: ${cause.message}`, {
      place: cause.place ?? place,
      hint: cause.hint,
      cause,
    });
  }
  const hint = importHint(cause, folder);
  return new HostwrightError('E_ROLE', `the role ${name} cannot be loaded`, {
    place,
    found: thrownText(cause).split(/\s*\n/)[0] ?? '',
    hint,
    cause,
  });
}

/** The errors of a module that should export the role `name`. */
function shapeErrors(name: string, folder: string, exported: unknown): readonly HostwrightError[] {
  const message = `${name}/role.ts does not export the role ${name}`;
  const parsed = shape.safeParse(exported);
  if (!parsed.success && (typeof exported !== 'object' || exported === null)) {
    return [
      new HostwrightError('E_ROLE', message, {
        place: { file: join(folder, 'role.ts') },
        expected: `export default defineRole({ name: '${name}', variables: z.object({ … }), resources: … })`,
      }),
    ];
  }
  const problems = parsed.success ? [] : schemaProblems(shape, exported, parsed.error);
  const errors = problems.map(({ path, unknownKey, expected, hint }) =>
    unknownKey === undefined
      ? new HostwrightError('E_ROLE', `${message}: invalid ${path.join('.')}`, {
          place: placeOfWord(folder, path[0] ?? ''),
          expected,
        })
      : new HostwrightError(
          'E_ROLE',
          `unknown member ${[...path, unknownKey].join('.')} of the role ${name}`,
          {
            place: placeOfWord(folder, unknownKey),
            expected,
            hint,
          },
        ),
  );
  if (!parsed.success || parsed.data.name === name) return errors;
  const details = { place: placeOfWord(folder, 'name'), found: parsed.data.name, expected: name };
  return [...errors, new HostwrightError('E_ROLE', message, details)];
}

function isRole(value: unknown): value is Role {
  return shape.safeParse(value).success;
}

/**
 * Loads `NAME/role.ts` from the first of `folders` that has it. Roles are TypeScript without a build; their
 * `import … from 'hostwright'` is `api`, the very module that runs, so that they share its types and Secret.
 */
export async function loadRole(
  name: string,
  folders: readonly string[],
  api: Readonly<Record<string, unknown>>,
): Promise<LoadedRole> {
  const file = await findRole(name, folders);
  if (file === undefined) {
    throw new HostwrightError('E_ROLE', `the role ${name} does not exist`, {
      expected: folders.map((folder) => join(folder, name, 'role.ts')).join(' or '),
    });
  }
  const jiti = createLoader({
    virtualModules: { hostwright: strictApi(api) },
    interopDefault: true,
  });
  let exported: unknown;
  try {
    exported = await jiti.import(file, { default: true });
  } catch (cause) {
    throw loadError(name, file, cause);
  }
  const folder = dirname(file);
  const errors = shapeErrors(name, folder, exported);
  if (errors.length > 0 || !isRole(exported)) throw new HostwrightErrors(errors);
  return { role: exported, folder };
}
