import { describe } from 'vitest';
import { expectTruePlans } from '../lab/true-plan.ts';
import { seed } from './moment.ts';

describe('a plan is true on a real host, whatever was done to it', () => {
  expectTruePlans(Number(process.env['HOSTWRIGHT_CASES'] ?? 300), seed);
});
