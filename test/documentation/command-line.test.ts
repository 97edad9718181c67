import { expect, it } from 'vitest';
import { commandLinePage } from './command-line.ts';
import { bundledRoles } from './roles.ts';

it('docs/command-line.md says what the program takes (npm run docs writes it)', async () => {
  const page = await commandLinePage(bundledRoles.map(({ role }) => role));
  await expect(page).toMatchFileSnapshot('../../docs/command-line.md');
});
