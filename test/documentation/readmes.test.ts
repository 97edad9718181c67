import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { bundledRoles } from './roles.ts';

/** Of the role or of Hostwright, and not of the login. */
const isOwn = (variable: string): boolean => !variable.startsWith('ansible_');

it.each(bundledRoles.map(({ role, readme }) => [role.name, role, readme] as const))(
  'the README of the role %s names each of its variables',
  (_name, role, readme) => {
    const text = readFileSync(readme, 'utf8');
    const variables = Object.keys(role.variables.shape).filter(isOwn);
    expect(variables.filter((variable) => !new RegExp(`\`${variable}\\b`).test(text))).toEqual([]);
  },
);
