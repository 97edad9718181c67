import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { reportCommand } from '../../src/cli/report.ts';
import type { Event } from '../../src/plan/event.ts';
import { mergeEvents, mergeSummaries } from '../../src/report/merge.ts';
import { readRecordedRun, type RecordedRun } from '../../src/report/recorded.ts';
import { capture, change, host, origin, result, summary } from './terminal.ts';

const lines = (events: readonly Event[]): string =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

function run(file: string, events: readonly Event[]): RecordedRun {
  const read = readRecordedRun(file, lines(events));
  if (!('summary' in read)) throw new Error(read.message);
  return read;
}

describe('what a run wrote', () => {
  test('is read back as it was reported', () => {
    const events: Event[] = [
      change('web1', 'x', { diff: '+a', knownAfter: 'package:y', why: 'because' }),
      change('web1', 'x', { cause: 'fact', facts: [{ name: 'memory', from: '1 MiB', to: '2 MiB' }] }),
      { type: 'remark', host: 'web1', role: 'x', resource: 'package_files:system', text: 'diverted' },
      result('web1', 'x', { outcome: 'failed', reason: 'two\nlines', at: 12, step: 2 }),
      { type: 'notice', host: 'web1', text: 'disk full' },
      { type: 'error', code: 'E_REMOTE', message: 'boom', host: 'web1', place: { file: 'a', line: 1 } },
    ];
    const end = summary({ web1: host({ changes: 1 }) }, { command: 'apply', run: origin({ commit: 'a1' }) });
    const { reporter, stdout } = capture({ mode: 'json' });
    for (const event of [...events, end]) reporter.report(event);
    reporter.close();
    expect(readRecordedRun('a.jsonl', stdout())).toEqual({ file: 'a.jsonl', events, summary: end, line: 7 });
  });

  test.each([
    ['nothing', '', 'an empty file', 1],
    ['no summary', lines([change('web7', 'x'), change('web8', 'x')]), 'the last line is 2, about web8', 2],
    ['half a summary', lines([change('web7', 'x')]) + lines([summary({})]).slice(0, 30), 'about web7', 1],
    ['a summary without its end of line', lines([summary({})]).trimEnd(), 'an empty file', 1],
  ])('with %s has not come to its end', (_, content, found, line) => {
    expect(readRecordedRun('a.jsonl', content)).toMatchObject({
      type: 'error',
      code: 'E_REPORT',
      place: { file: 'a.jsonl', line },
      found: expect.stringContaining(found),
    });
  });

  test.each([
    ['text', `${lines([change('web1', 'x')])}Plan: 1 to create\n${lines([summary({})])}`, 2],
    ['another object', '{"type":"change","host":1}\n', 1],
    ['a list', '[]\n', 1],
    ['a second run', lines([summary({}), summary({})]), 1],
  ])('is refused with %s in it', (_, content, line) => {
    expect(() => readRecordedRun('a.jsonl', content)).toThrowError(
      expect.objectContaining({ code: 'E_REPORT', place: { file: 'a.jsonl', line } }),
    );
  });
});

describe('mergeSummaries', () => {
  test('has the hosts of all and the time of the longest', () => {
    const [a, b] = [host({ changes: 1 }), host({ unreachable: true })];
    const merged = mergeSummaries([
      run('a', [summary({ a }, { seconds: 2 })]),
      run('b', [summary({ b }, { seconds: 5, ok: false })]),
      run('c', [summary({}, { seconds: 0.1 })]),
    ]);
    expect(merged).toEqual(summary({ a, b }, { seconds: 5, ok: false }));
  });

  test('was interrupted where one run was', () => {
    const merged = mergeSummaries([
      run('a', [summary({ a: host() }, { command: 'apply' })]),
      run('b', [summary({ b: host() }, { command: 'apply', ok: false, interrupted: true })]),
    ]);
    expect(merged).toMatchObject({ ok: false, interrupted: true });
  });

  test('refuses a host that two runs have, and runs of different verbs', () => {
    const both = (): unknown =>
      mergeSummaries([
        run('a', [summary({ web1: host() })]),
        run('b', [change('web2', 'x'), summary({ web2: host(), web1: host() })]),
      ]);
    expect(both).toThrowError(
      expect.objectContaining({
        message: 'the host web1 is in two files',
        place: { file: 'b', line: 2 },
        found: 'also in a:1',
      }),
    );
    const verbs = (): unknown =>
      mergeSummaries([run('a', [summary({})]), run('b', [summary({}, { command: 'drift' })])]);
    expect(verbs).toThrowError(
      expect.objectContaining({ message: 'the files come from different commands' }),
    );
  });
});

describe('merging runs that began at different times', () => {
  const [early, late] = [
    run('a', [
      result('a', 'x', { at: 100, step: 1 }),
      result('a', 'x', { outcome: 'skipped' }),
      summary({ a: host() }, { run: origin({ shard: '1/2', limit: 'all' }) }),
    ]),
    run('b', [
      result('b', 'x', { at: 100, step: 1 }),
      summary(
        { b: host() },
        { run: origin({ id: '2', start: '2026-11-22T10:00:01.500Z', shard: '2/2', limit: 'all' }) },
      ),
    ]),
  ];

  test('counts all times from the first of them', () => {
    const times = mergeEvents([late, early]).map((event) => ('at' in event ? event.at : undefined));
    expect(times).toEqual([1600, 100, undefined]);
  });

  test('keeps what they have in common', () => {
    expect(mergeSummaries([late, early]).run).toEqual(origin({ limit: 'all' }));
  });
});

describe('hostwright report merge', () => {
  let folder: string;
  const files = {
    well: [summary({ web1: host() })],
    changed: [change('web2', 'x'), summary({ web2: host({ changes: 1 }) })],
    lost: [
      { type: 'error', code: 'E_CONNECT', message: 'web3 cannot be reached', host: 'web3' },
      summary({ web3: host({ resources: 0, unreachable: true }) }, { ok: false }),
    ],
    wrong: [
      { type: 'error', code: 'E_VARIABLE', message: 'x is not set', host: 'web4' },
      summary({ web4: host({ resources: 0, failed: 1 }) }, { ok: false }),
    ],
    failed: [
      { type: 'error', code: 'E_PROBE', message: 'web5 answers badly', host: 'web5' },
      summary({ web5: host({ resources: 0, failed: 1 }) }, { ok: false }),
    ],
    refused: [
      { type: 'error', code: 'E_INVENTORY', message: 'the inventory does not exist' },
      summary({}, { ok: false }),
    ],
    cut: [change('web6', 'x')],
    applied: [
      change('web7', 'x'),
      result('web7', 'x'),
      summary({ web7: host({ changes: 1, changed: 1 }) }, { command: 'apply' }),
    ],
  } as const satisfies Record<string, readonly Event[]>;
  type Name = keyof typeof files;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hostwright-merge-'));
    for (const [name, events] of Object.entries(files)) await writeFile(join(folder, name), lines(events));
  });

  afterAll(() => rm(folder, { recursive: true }));

  async function merge(names: readonly string[], ...options: readonly string[]) {
    const written = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        written[name] += String(text);
        return true;
      });
    }
    let status: number | undefined;
    const command = reportCommand((finished) => {
      status = finished;
    });
    const paths = names.map((name) => join(folder, name));
    const refused = await command
      .parseAsync(['merge', ...options, ...paths], { from: 'user' })
      .then(
        () => undefined,
        (error: unknown) => error,
      )
      .finally(() => vi.restoreAllMocks());
    return { status, refused, ...written };
  }

  const worst: readonly [readonly Name[], number][] = [
    [['well'], 0],
    [['applied'], 0],
    [['well', 'changed'], 2],
    [['changed', 'lost'], 3],
    [['changed', 'wrong', 'lost'], 4],
    [['well', 'wrong', 'failed', 'lost'], 1],
    [['well', 'cut'], 1],
    [['changed', 'refused'], 4],
    [['refused'], 4],
  ];
  test.each(worst)('%j ends with %d', async (names, status) => {
    expect(await merge(names)).toMatchObject({ status });
  });

  test('shows all of them as one plan', async () => {
    const { stdout, stderr } = await merge(['well', 'changed', 'lost']);
    expect(stdout).toBe(
      'web2 · x\n  + file /etc/motd\n\nPlan: 1 to create on 1 host; 19 unchanged; unreachable: web3. 0.8 s\n',
    );
    expect(stderr).toContain('error: web3 cannot be reached  [E_CONNECT]');
  });

  test('says why a run was refused before its first host', async () => {
    const { stdout, stderr } = await merge(['refused']);
    expect(stdout).toBe('');
    expect(stderr).toContain('error: the inventory does not exist  [E_INVENTORY]');
  });

  test('gives one stream with --json, which can be merged again', async () => {
    const first = await merge(['well', 'changed'], '--json');
    const parsed = first.stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(parsed).toEqual([change('web2', 'x'), summary({ web1: host(), web2: host({ changes: 1 }) })]);
    await writeFile(join(folder, 'merged'), first.stdout);
    expect(await merge(['merged', 'lost'])).toMatchObject({ status: 3 });
  });

  test('says which run was cut off or is not there, and merges the others', async () => {
    const { stdout, stderr, status } = await merge(['changed', 'cut', 'nowhere'], '--json');
    expect(status).toBe(1);
    expect(stderr).toContain(`--> ${join(folder, 'cut')}:1`);
    expect(stderr).toContain(`--> ${join(folder, 'nowhere')}`);
    expect(stdout).not.toContain('"host":"web6"');
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'summary',
      ok: false,
    });
  });

  test('merges nothing where a host is in two files, and where no run has ended', async () => {
    const twice = await merge(['changed', 'changed']);
    expect(twice).toMatchObject({ status: undefined, stdout: '' });
    expect(twice.refused).toMatchObject({ code: 'E_REPORT', message: 'the host web2 is in two files' });
    const none = await merge(['cut', 'nowhere']);
    expect(none).toMatchObject({ status: undefined, stdout: '', refused: { code: 'E_REPORT' } });
  });
});
