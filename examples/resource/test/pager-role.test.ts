import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, resourcesOf, statesOf } from 'hostwright/testing';
import pager from '../roles/pager/role.ts';

test('the package comes before the choice', () => {
  const plan = planOf(resourcesOf(pager), { 'alternative:pager': { to: '/bin/more' } });
  assert.deepEqual(
    plan.map(({ id, action }) => `${action} ${id}`),
    ['create package:less', 'update alternative:pager'],
  );
});

test('a host with the pager changes nothing', () => {
  const resources = resourcesOf(pager, { variables: { pager_program: 'most' } });
  assert.deepEqual(planOf(resources, statesOf(resources)), []);
});

test('another program is refused', () => {
  assert.throws(() => resourcesOf(pager, { variables: { pager_program: 'cat' } }), /pager_program/);
});
