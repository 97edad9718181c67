import { expect, test } from 'vitest';
import { replicaSchema } from '../../src/resources/mysql/replication.ts';
import { readDonor, seedStep } from '../../src/resources/mysql/seed.ts';
import { password, replica, seedPassword } from '../resources/mysql/answers.ts';
import { shellcheck } from '../../src/testing/shellcheck.ts';

// The conversation of a replica comes to these only on a host with a server.
const authority = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

test.each(['mysql', 'mariadb'] as const)('the script that seeds a replica of %s', (flavor) => {
  const { script } = seedStep(replicaSchema.parse(replica(flavor).attributes), authority);
  for (const secret of [password, seedPassword]) expect(script.text).not.toContain(secret);
  expect(shellcheck(script.text)).toBe('');
});

test('the script that reads the certificate of the primary', () => {
  expect(shellcheck(readDonor(replicaSchema.parse(replica('mysql').attributes)).text)).toBe('');
});
