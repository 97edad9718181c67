import { describe, expect, it } from 'vitest';
import { parseSince } from '../../src/cli/since.ts';
import { parseJournal } from '../../src/plan/journal.ts';
import { historyLines, mergeEntries, type HostEntry } from '../../src/report/history-lines.ts';
import { plainStyle } from '../../src/report/style.ts';

const head = {
  ...{ verb: 'apply', start: '2026-11-22T10:00:00.000Z', version: '0.1.0', who: 'anna@laptop' },
  ...{ inventory: '/site/inventory', from: '192.0.2.7', commit: 'a'.repeat(40), isClean: false },
};

function entries(host: string, ...lines: readonly object[]): readonly HostEntry[] {
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  return parseJournal(Buffer.from(text)).map((entry) => ({ host, entry }));
}

function shown(...all: readonly (readonly HostEntry[])[]): string {
  return mergeEntries(all.flat())
    .map((run) =>
      historyLines(run, plainStyle)
        .join('\n')
        .replace(/^\S+ \S+/, 'TIME'),
    )
    .join('\n\n');
}

const begun = {
  run: 'a',
  begun: [
    ['file:/etc/x', 'update'],
    ['package:nginx', 'create'],
  ],
};
const done = {
  run: 'a',
  ms: 65_000,
  ok: true,
  done: [
    ['file:/etc/x', 'changed'],
    ['package:nginx', 'changed'],
  ],
};

describe('history', () => {
  it('shows a run of several hosts as one, and the same outcome once', () => {
    const whole = [{ run: 'a', ...head }, begun, done];
    const failed = {
      ...done,
      ok: false,
      done: [
        ['file:/etc/x', 'failed'],
        ['package:nginx', 'changed'],
        ['service:nginx', 'skipped'],
      ],
    };
    expect(
      shown(
        entries('web1', ...whole),
        entries('web2', ...whole),
        entries('web3', { run: 'a', ...head }, begun, failed),
        entries('db1', { run: 'a', ...head }),
        entries('db2', { run: 'a', ...head }, begun),
      ),
    ).toBe(
      [
        'TIME  apply by anna@laptop from 192.0.2.7, commit aaaaaaaaaaaa with uncommitted changes, 1 min 5 s',
        '  ✓ web1, web2  2 changed: file /etc/x, package nginx',
        '  ✗ web3  1 failed: file /etc/x; 1 changed: package nginx; 1 skipped',
        '  ○ db1  no changes made',
        '  ✗ db2  no end is recorded: the run was cut off, or goes on; begun: file /etc/x, package nginx',
      ].join('\n'),
    );
  });

  it('is in the order of time over all hosts, the newest last', () => {
    const at = (run: string, start: string) => ({ run, ...head, start });
    const [first, second, third] = ['2026-11-20', '2026-11-21', '2026-11-22'].map(
      (day) => `${day}T00:00:00.000Z`,
    );
    const runs = mergeEntries([
      ...entries('web1', at('a', first ?? ''), at('c', third ?? '')),
      ...entries('web2', at('b', second ?? '')),
    ]);
    expect(runs.map((run) => run.head.run)).toEqual(['a', 'b', 'c']);
  });

  it('does not let a host speak for the others: what differs is another run', () => {
    const runs = mergeEntries([
      ...entries('web1', { run: 'a', ...head }),
      ...entries('evil', { run: 'a', ...head, who: 'mallory@laptop' }),
    ]);
    expect(runs.map((run) => run.hosts.map(({ host }) => host))).toEqual([['web1'], ['evil']]);
  });

  it('shows actions, with how they ended', () => {
    const action = { run: 'a', ...head, verb: 'do', action: 'mysql promote' };
    const ended = { run: 'a', ms: 10, ok: false, interrupted: true, done: [] };
    expect(shown(entries('db1', action))).toContain('do mysql promote by anna@laptop');
    expect(shown(entries('db1', action))).toContain('db1  no end is recorded');
    expect(shown(entries('db1', action, ended))).toContain('db1  interrupted');
    expect(shown(entries('db1', action, { ...ended, ok: true, interrupted: undefined }))).toContain(
      '✓ db1  done',
    );
  });

  it('prints nothing of a host that a terminal would obey', () => {
    const evil = '\u001b[2J\u202e\n';
    const text = shown(
      entries(
        `web${evil}`,
        {
          run: 'a',
          ...head,
          who: evil,
          from: evil,
          limit: evil,
          shard: evil,
          roles: [evil],
          commit: evil,
          action: evil,
        },
        { run: 'a', begun: [[`file:${evil}`, 'update']] },
        { ...done, ok: false, done: [[`file:${evil}`, 'failed']] },
      ),
    );
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain(String.raw`\x1b[2J\u202e\n`);
  });

  it.each([
    ['no JSON', 'x'],
    ['another form', '{"run":"a","verb":"apply"}'],
    ['a verb that is none', JSON.stringify({ run: 'a', ...head, verb: 'rm' })],
    ['a time that is none', JSON.stringify({ run: 'a', ...head, start: 'yesterday' })],
    ['a prototype', '{"__proto__":{"run":"a"}}'],
    ['half a line', JSON.stringify({ run: 'a', ...head }).slice(0, 50)],
    ['bytes', '\u0000\ufffd'],
  ])('passes over %s', (_, line) => {
    expect(parseJournal(Buffer.from(`${line}\n${JSON.stringify({ run: 'b', ...head })}\n`))).toMatchObject([
      { head: { run: 'b' } },
    ]);
  });

  it('takes a moment as people write it', () => {
    const now = Date.parse('2026-11-22T10:00:00Z');
    expect(parseSince('7d', now).toISOString()).toBe('2026-11-15T10:00:00.000Z');
    expect(parseSince('-90m', now).toISOString()).toBe('2026-11-22T08:30:00.000Z');
    expect(parseSince('2026-11-01T10:00:00Z').toISOString()).toBe('2026-11-01T10:00:00.000Z');
    expect(parseSince('2026-11-01 10:30').getTime()).toBe(new Date('2026-11-01T10:30').getTime());
    expect(parseSince('2026-11-01').getTime()).toBe(new Date('2026-11-01T00:00').getTime());
    for (const text of ['', 'yesterday', '7', '2026-13-01', '7w'])
      expect(() => parseSince(text)).toThrow(/expected/);
  });
});
