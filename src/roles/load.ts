import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createJiti } from 'jiti';
import { z } from 'zod';
import { HostwrightError } from '../errors.ts';
import type { Role } from './role.ts';

/** A role with the folder it was found in. */
export interface LoadedRole {
  readonly role: Role;
  /** Absolute. */
  readonly folder: string;
}

const shape = z.object({
  name: z.string(),
  variables: z.instanceof(z.ZodObject),
  resources: z.function(),
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
    throw new HostwrightError('E_ROLE', `there is no role ${name}`, {
      expected: folders.map((folder) => join(folder, name, 'role.ts')).join(' or '),
      hint: 'check its name in site.yml',
    });
  }
  const jiti = createJiti(import.meta.url, {
    virtualModules: { hostwright: { ...api } },
    interopDefault: true,
  });
  let exported: unknown;
  try {
    exported = await jiti.import(file, { default: true });
  } catch (cause) {
    throw new HostwrightError('E_ROLE', `the role ${name} cannot be loaded`, {
      place: { file },
      found: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
  if (!isRole(exported) || exported.name !== name) {
    throw new HostwrightError('E_ROLE', `${name}/role.ts does not export the role ${name}`, {
      place: { file },
      expected: `export default defineRole({ name: '${name}', variables: z.object({ … }), resources: … })`,
    });
  }
  return { role: exported, folder: join(file, '..') };
}

function isRole(value: unknown): value is Role {
  return shape.safeParse(value).success;
}
