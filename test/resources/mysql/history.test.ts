import { describe, expect, test } from 'vitest';
import { marksIn, markStatements } from '../../../src/resources/mysql/history.ts';

const other = '0a8ff1ce-e53d-11f1-a544-d2607f8e5dc8:1-2';

describe('the marks of a history', () => {
  test.each([
    ['mysql', '', ''],
    ['mysql', other, ''],
    ['mysql', `${other}, 686F7374-7772-6967-6874-0123456789AB:1`, '686F7374-7772-6967-6874-0123456789AB:1'],
    ['mariadb', '', ''],
    ['mariadb', '0-1-9,1-2-3', ''],
    ['mariadb', '0-1-9,1744830464-1-1,1761607679-2-7', '1744830464-1-1,1761607679-2-7'],
    ['mariadb', '1744830463-1-1,1761607680-1-1', ''],
  ] as const)('in %s are found in "%s"', (flavor, gtids, marks) => {
    expect(marksIn(flavor, gtids)).toBe(marks);
  });

  test('are written so that they are found, and never the same twice', () => {
    const written = (flavor: 'mysql' | 'mariadb') => markStatements(flavor)[0] ?? '';
    const gtid = /'(.*)'/.exec(written('mysql'))?.[1] ?? '';
    expect(marksIn('mysql', gtid)).toBe(gtid);
    const domain = /\d+$/.exec(written('mariadb'))?.[0] ?? '';
    expect(marksIn('mariadb', `${domain}-1-1`)).toBe(`${domain}-1-1`);
    for (const flavor of ['mysql', 'mariadb'] as const) expect(written(flavor)).not.toBe(written(flavor));
  });
});
