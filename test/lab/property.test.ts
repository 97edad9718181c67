import { describe } from 'vitest';
import { expectTruePlans } from './true-plan.ts';

describe('a plan is true on a real host', () => {
  expectTruePlans(20, 20261121);
});
