import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareHosts, type TestHosts } from '../lab/hosts.ts';
import { databaseOutages } from './database-outages.ts';
import { databasePromotions } from './database-promotions.ts';
import { databaseReads } from './database-reads.ts';

let hosts: TestHosts;

beforeAll(async () => {
  hosts = await bareHosts('databases', '10.213.96', 3);
  const first = await hosts.hostwright('apply', '--yes', '--json', '--no-diff');
  expect(first.code, first.stdout).toBe(0);
});

afterAll(async () => {
  await hosts.down();
});

describe('a primary and its replica', () => {
  databaseOutages(() => hosts);
  databaseReads(() => hosts);
  databasePromotions(() => hosts);

  it('are as declared after all of it, or after one apply', async () => {
    const apply = await hosts.hostwright('apply', '--yes', '--json', '--no-diff');
    expect(apply.code, apply.stdout).toBe(0);
    const plan = await hosts.hostwright('plan', '--json');
    expect(plan.code, plan.stdout).toBe(0);
  });
});
