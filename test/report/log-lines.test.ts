import { describe, expect, it } from 'vitest';
import { coloursOf, logJson, logLines } from '../../src/report/log-lines.ts';
import { chooseStyle, plainStyle } from '../../src/report/style.ts';
import type { Entry } from '../../src/logs/entry.ts';

const entry: Entry = {
  ...{ host: 'web1', cursor: 's=1', time: Date.UTC(2026, 2, 1, 10, 0, 0, 123) * 1000 + 456 },
  ...{ priority: 3, unit: 'app.service', identifier: 'app', pid: '7', message: 'went\nwrong \u001b[2J' },
};
const colours = coloursOf(['web1', 'balancer']);

describe('a line of a log', () => {
  it('has time, host and program, and further lines of the message below it', () => {
    const [first = '', second = ''] = logLines(entry, colours, plainStyle);
    expect(first).toMatch(/^\d{4}-\d\d-\d\d \d\d:00:00\.123 web1     app\[7\]: went$/);
    expect(second).toBe(`${' '.repeat(first.indexOf('app['))}wrong \\x1b[2J`);
  });

  it('fits a narrow terminal', () => {
    const style = chooseStyle({ env: { LANG: 'C.UTF-8', NO_COLOR: '1' }, isTTY: true, columns: () => 40 });
    const lines = logLines({ ...entry, message: 'a message of many words '.repeat(5) }, colours, style);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.filter((line) => line.length > 40)).toEqual([]);
    expect(lines[0]).toMatch(/^\d\d:00:00 web1     app: a message/);
  });

  it('has a colour for each host, and one for errors', () => {
    const style = chooseStyle({ env: { LANG: 'C.UTF-8' }, isTTY: true });
    const [first = ''] = logLines(entry, colours, style);
    const [other = ''] = logLines({ ...entry, host: 'balancer' }, colours, style);
    expect(first).toContain('\u001b[36mweb1');
    expect(other).toContain('\u001b[32mbalancer');
    expect(first).toContain('\u001b[31mwent');
  });

  it('says where a message is that journalctl leaves out', () => {
    const { message: _, ...rest } = entry;
    expect(logLines(rest, colours, plainStyle)[0]).toContain('journalctl --all');
  });

  it('is one JSON object, with the time to the microsecond', () => {
    expect(JSON.parse(logJson(entry))).toEqual({
      ...{ type: 'log', host: 'web1', time: '2026-03-01T10:00:00.123456Z', priority: 3 },
      ...{ unit: 'app.service', identifier: 'app', pid: '7', message: 'went\nwrong \u001b[2J' },
    });
  });
});
