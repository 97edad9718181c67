import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { replicaSchema } from '../../src/resources/mysql/replication.ts';
import { seedStep } from '../../src/resources/mysql/seed.ts';
import { password, replica, seedPassword } from '../resources/mysql/answers.ts';

// The conversation of a replica comes to these only on a host with a server.
test.each(['mysql', 'mariadb'] as const)('the script that seeds a replica of %s', (flavor) => {
  const { script } = seedStep(replicaSchema.parse(replica(flavor).attributes));
  for (const secret of [password, seedPassword]) expect(script.text).not.toContain(secret);
  const options = ['--shell=dash', '--exclude=SC2016', '--format=gcc', '-'];
  const input = `#!/bin/sh\nset -eu\n: "\${HW:?}"\n${script.text}\n`;
  const checked = spawnSync('shellcheck', options, { input, encoding: 'utf8' });
  if (checked.error !== undefined) throw checked.error;
  expect(checked.stdout + checked.stderr).toBe('');
});
