import { expect, it } from 'vitest';
import { createAuthority, readAuthority } from '../../src/pki/authority.ts';

it('a CA is read once, however often it is asked for, and another one is another one', async () => {
  const [first, second] = [await createAuthority(), await createAuthority()];
  const read = readAuthority(first);
  expect(readAuthority(first)).toBe(read);
  expect(readAuthority(second)).not.toEqual(read);
  expect(readAuthority(first)).toEqual(read);
  expect(() => readAuthority(first.slice(1))).toThrow('not an internal CA');
  expect(() => readAuthority(first.slice(1))).toThrow('not an internal CA');
});
