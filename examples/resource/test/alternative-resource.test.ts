import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkType } from 'hostwright/testing';
import { alternative, alternativeType } from '../resources/alternative.ts';

test('it holds what every type promises', async () => {
  await checkType(alternativeType, [
    alternative('pager', { to: '/usr/bin/less' }),
    alternative('x-www-browser', { to: "/opt/it's a browser" }),
  ]);
});

test('it reads what its probe prints, and takes nothing else for a state', () => {
  const { parse } = alternativeType.probe([
    { name: 'pager', to: '/usr/bin/less' },
    { name: 'editor', to: '/usr/bin/vim' },
  ]);
  assert.deepEqual(parse(Buffer.from('to=/bin/more\nto=\n')), [{ to: '/bin/more' }, null]);
  assert.throws(() => parse(Buffer.from('Permission denied\n')), RangeError);
});
