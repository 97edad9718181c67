import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inventoryCommand } from '../../src/cli/inventory.ts';
import { failures } from '../inventory/failure.ts';

const fixtures = join(import.meta.dirname, '../inventory/fixtures');

async function output(words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  let text = '';
  const write = (part: string): void => {
    text += part;
  };
  await inventoryCommand({ write, environment }).parseAsync([...words], { from: 'user' });
  return text;
}

test('list shows a line a host', async () => {
  expect(await output(['list', '-i', join(fixtures, 'ports')])).toBe(
    [
      'web1         web1:2222           again',
      'web2         web2:22             again',
      '192.0.2.7    192.0.2.7:2224      ungrouped',
      '2001:db8::1  [2001:db8::1]:2225  ungrouped',
      '2001:db8::2  2001:db8::2         ungrouped',
      'zero         zero                ungrouped',
      '',
    ].join('\n'),
  );
});

test('list --limit shows those hosts only', async () => {
  const text = await output(['list', '-i', join(fixtures, 'ports'), '--limit', 'web1']);
  expect(text).toBe('web1  web1:2222  again\n');
});

test('list --json has groups, variables and those of the command line', async () => {
  const text = await output(['list', '--json', '-e', 'domain=x', '-e', '{"n": 1}'], {
    HOSTWRIGHT_INVENTORY: join(fixtures, 'single'),
  });
  expect(JSON.parse(text)).toStrictEqual({
    _meta: {
      hostvars: {
        web1: { ansible_host: '192.0.2.1', ansible_user: 'root', domain: 'x', n: 1 },
        web2: { ansible_host: '192.0.2.2', ansible_user: 'root', domain: 'x', n: 1 },
      },
    },
    all: { children: ['ungrouped'] },
    ungrouped: { hosts: ['web1', 'web2'] },
  });
});

test('graph shows the tree, from any group', async () => {
  const path = join(fixtures, 'nested');
  expect(await output(['graph', 'europe', '-i', path])).toBe(
    '@europe:\n  |--@paris:\n  |  |--par1\n  |  |--par2\n  |--@berlin:\n  |  |--ber1\n',
  );
  const found = await failures(() => output(['graph', 'eurpe', '-i', path]));
  expect(found).toMatchObject([{ code: 'E_PATTERN', hint: 'did you mean "europe"' }]);
});

test('--json does not go with --limit', async () => {
  const found = await failures(() =>
    output(['list', '--json', '--limit', 'web1', '-i', join(fixtures, 'single')]),
  );
  expect(found).toMatchObject([{ code: 'E_USAGE' }]);
});
