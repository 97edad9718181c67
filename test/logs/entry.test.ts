import { describe, expect, it } from 'vitest';
import { parseEntry } from '../../src/logs/entry.ts';

const base = { __CURSOR: 's=1', __REALTIME_TIMESTAMP: '1795345247333279' };
const read = (fields: object) => parseEntry('web1', JSON.stringify({ ...base, ...fields }));

describe('an entry of a journal', () => {
  it('has what journalctl writes', () => {
    const fields = {
      MESSAGE: 'hi',
      PRIORITY: '3',
      SYSLOG_IDENTIFIER: 'app',
      _PID: '7',
      _SYSTEMD_UNIT: 'app.service',
    };
    expect(read(fields)).toEqual({
      ...{ host: 'web1', cursor: 's=1', time: 1_795_345_247_333_279 },
      ...{ priority: 3, unit: 'app.service', identifier: 'app', pid: '7', message: 'hi' },
    });
  });

  it('is of the unit that it is about', () => {
    expect(read({ UNIT: 'app.service', _SYSTEMD_UNIT: 'init.scope' }).unit).toBe('app.service');
  });

  it.each([
    ['bytes that are no text', [104, 255, 105], 'h\ufffdi'],
    ['a field that is there twice', ['one', 'two'], 'one\ntwo'],
    ['a field that is too large', null, undefined],
    ['something else', { a: 1 }, undefined],
  ])('is read with %s', (_, message, text) => {
    expect(read({ MESSAGE: message }).message).toBe(text);
  });

  it('has no priority that is none', () => {
    expect(read({ PRIORITY: '\u001b[2J' })).not.toHaveProperty('priority');
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"MESSAGE":"x"}',
    JSON.stringify({ ...base, __REALTIME_TIMESTAMP: '1e99' }),
  ])('is refused: %s', (line) => {
    expect(() => parseEntry('web1', line)).toThrow(
      expect.objectContaining({ code: 'E_REMOTE', place: { host: 'web1' } }),
    );
  });
});
