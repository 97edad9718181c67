import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizedKey, file, line, Secret, sh, unit, type Resource } from '../../src/index.ts';
import { converge, openRoot, probe, type Root } from '../../src/testing/index.ts';

// What a user can make of a file in a folder of his own in no time: a terabyte that takes no space.

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5m1T6VxkKc0rj1VZk6n0kqWmS3aB anna@laptop';
const terabyte = '1099511627776';

let root: Root;

beforeAll(async () => {
  root = await openRoot();
  await root.ask(sh`useradd -m anna
setpriv --reuid=anna --regid=anna --clear-groups sh -euc 'cd /home/anna; mkdir .ssh; truncate -s 1T .ssh/authorized_keys big big.conf'`);
});

afterAll(async () => {
  await root.close();
});

test.each<[string, Resource, string]>([
  [
    'its keys',
    authorizedKey('anna', key),
    `/home/anna/.ssh/authorized_keys is too large: ${terabyte} bytes, at most 1048576 are read`,
  ],
  [
    'lines',
    line('/home/anna/big.conf', { line: 'a=1', match: '^a=' }),
    `/home/anna/big.conf is too large: ${terabyte} bytes, at most 16777216 are read`,
  ],
])('a file of a terabyte is not searched for %s', async (_, resource, reason) => {
  await expect(probe(root, resource)).rejects.toThrow(reason);
});

describe('a file that is larger than any that is declared', () => {
  test.each<[string, Resource]>([
    ['a file', file('/home/anna/big', { content: 'small' })],
    ['a unit', unit('big.timer', { content: '[Timer]\nOnCalendar=daily\n' })],
  ])('is no content of %s, without a look into it', async (_, resource) => {
    await root.ask(sh`truncate -s 1T /etc/systemd/system/big.timer`);
    expect(await probe(root, resource)).toMatchObject({ kind: 'file', content: `${terabyte} bytes` });
  });

  test('gives way to the one that is declared', async () => {
    expect((await converge(root, file('/home/anna/big', { content: 'small' }))).attributes).toContainEqual(
      expect.objectContaining({ name: 'content', from: `${terabyte} bytes` }),
    );
  });

  test('is left alone where no content is declared', async () => {
    await root.ask(sh`truncate -s 1T /home/anna/data`);
    const owned = file('/home/anna/data', { owner: 'anna', group: 'anna', mode: '0600' });
    await converge(root, owned);
    expect(await root.ask(sh`stat -c %s /home/anna/data`)).toBe(`${terabyte}\n`);
  });

  test('says nothing of itself where a secret is declared', async () => {
    await root.ask(sh`truncate -s 1T /home/anna/token`);
    const state = await probe(root, file('/home/anna/token', { content: new Secret('hunter2') }));
    expect(String(state?.['content'])).toBe('***');
  });
});
