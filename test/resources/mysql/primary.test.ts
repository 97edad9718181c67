import { describe, expect, test } from 'vitest';
import { mysqlPrimary, type Change, type Step } from '../../../src/index.ts';
import { compare } from '../../../src/plan/compare.ts';
import { Unreadable } from '../../../src/resources/state.ts';

const { type, attributes } = mysqlPrimary('web2', { flavor: 'mysql' });
const desired = type.schema.parse(attributes);
const history = 'f22c49c6-e53c-11f1-8880-2e3fcee93386:1-33';
const marked = `686f7374-7772-6967-6874-0123456789ab:1,${history}`;

function changeOf(...rows: readonly string[]): Change | undefined {
  const [actual] = type.probe([desired]).parse(Buffer.from(`${rows.join('\n')}\n`));
  if (actual === undefined || actual === null || actual instanceof Unreadable) throw new Error('no state');
  const difference = compare(type, desired, actual);
  return difference && { id: 'mysql_primary:web2', desired, actual, ...difference };
}

function differences(...rows: readonly string[]): readonly unknown[] {
  return changeOf(...rows)?.attributes.map(({ name, from }) => [name, from]) ?? [];
}

function steps(...rows: readonly string[]): string {
  const change = changeOf(...rows);
  const made = change === undefined ? [] : type.apply([change], { declared: () => [] });
  return made.map((step) => Buffer.from((step as Step).stdin ?? []).toString()).join();
}

describe('a primary', () => {
  test('that takes writes, with a mark in its history, has no changes', () => {
    expect(differences('ready', '0', marked)).toEqual([]);
  });

  test.each([
    ['read-only', ['1', marked], [['readOnly', true]]],
    ['of an empty history', ['0', ''], [['history', 'not marked']]],
    ['of a history without a mark', ['0', history], [['history', 'not marked']]],
    [
      'that was a replica whose copy broke off',
      ['0', marked, 'seeding begun'],
      [['seeding', 'left over from when it was a replica']],
    ],
  ])('%s is changed', (_, rows, expected) => {
    expect(differences('ready', ...rows)).toEqual(expected);
  });

  test('is changed in what differs alone', () => {
    expect(steps('ready', '1', marked)).toBe('SET GLOBAL read_only = OFF;\n');
    expect(steps('ready', '0', history)).toMatch(/^SET gtid_next = '686f7374-.*:1';\nBEGIN;\nCOMMIT;/);
    expect(steps('ready', '0', marked, 'seeding begun')).toBe('');
  });

  test('that is not there yet is unreadable', () => {
    const reason = 'its client is not installed';
    expect(type.probe([desired]).parse(Buffer.from(`away ${reason}\n`))).toEqual([new Unreadable(reason)]);
  });
});
