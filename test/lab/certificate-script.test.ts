import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('shellcheck has nothing to say of the script that keeps the certificate', () => {
  const script = fileURLToPath(new URL('../../roles/certificate/hostwright-certificate.sh', import.meta.url));
  expect(execFileSync('shellcheck', [script], { encoding: 'utf8' })).toBe('');
});
