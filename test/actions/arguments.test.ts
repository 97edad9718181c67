import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { argumentOptions, checkArguments } from '../../src/actions/arguments.ts';
import { HostwrightErrors } from '../../src/errors.ts';

const schema = z.object({
  colour: z.enum(['red', 'blue']).describe('the colour'),
  coatCount: z.number().int().default(1).describe('how often'),
  dry_time: z.string().optional(),
  wet: z.boolean().default(false),
});

function refusal(given: Readonly<Record<string, unknown>>): readonly object[] {
  try {
    checkArguments(schema, given);
  } catch (error) {
    if (error instanceof HostwrightErrors) return error.errors;
  }
  return [];
}

describe('the arguments of an action', () => {
  it('are options of the command line', () => {
    const options = argumentOptions(schema).map(({ flag, isRequired, isSwitch }) => [
      flag,
      isRequired,
      isSwitch,
    ]);
    expect(options).toEqual([
      ['--colour', true, false],
      ['--coat-count', false, false],
      ['--dry-time', false, false],
      ['--wet', false, true],
    ]);
  });

  it('are read by the types of the schema, with defaults', () => {
    expect(checkArguments(schema, { colour: 'red', coatCount: '3', dry_time: '10' })).toEqual({
      ...{ colour: 'red', coatCount: 3, dry_time: '10', wet: false },
    });
  });

  it('are refused together, each with what is expected', () => {
    expect(refusal({ colour: 'rad', coatCount: '1.5' })).toMatchObject([
      { code: 'E_USAGE', message: 'invalid value for --colour', found: 'rad', hint: 'did you mean "red"' },
      { code: 'E_USAGE', message: 'invalid value for --coat-count', found: '1.5', hint: 'how often' },
    ]);
    expect(refusal({})).toMatchObject([{ message: '--colour is missing', hint: 'the colour' }]);
  });
});
