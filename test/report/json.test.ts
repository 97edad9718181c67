import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Event } from '../../src/plan/event.ts';
import { errorCodes } from '../../src/errors.ts';
import { capture, change, host, origin, result, summary } from './terminal.ts';

const action = z.enum(['create', 'update', 'delete', 'run', 'reload', 'restart']);
const resource = z.string().regex(/^[a-z_]+:./);
const text = z.string().nullable();
const count = z.number().int().nonnegative();

/** What programs that read `--json` rely on. */
const line = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('change'),
    host: z.string(),
    role: z.string(),
    resource,
    action,
    attributes: z.array(z.strictObject({ name: z.string(), from: text, to: text })),
    diff: z.string().optional(),
    cause: z.enum(['drift', 'configuration']),
    knownAfter: resource.optional(),
    why: z.string().optional(),
  }),
  z.strictObject({
    type: z.literal('result'),
    host: z.string(),
    role: z.string(),
    resource,
    action,
    outcome: z.enum(['changed', 'failed', 'skipped']),
    reason: z.string().optional(),
    ms: z.number(),
    at: z.number().optional(),
    step: count.optional(),
  }),
  z.strictObject({ type: z.literal('notice'), host: z.string(), text: z.string() }),
  z.strictObject({
    type: z.literal('error'),
    code: z.string().refine((code) => code in errorCodes),
    message: z.string(),
    host: z.string().optional(),
    place: z.looseObject({}).optional(),
    found: z.string().optional(),
    expected: z.string().optional(),
    hint: z.string().optional(),
  }),
  z.strictObject({
    type: z.literal('summary'),
    command: z.enum(['plan', 'apply']),
    ok: z.boolean(),
    interrupted: z.literal(true).optional(),
    seconds: z.number(),
    run: z
      .strictObject({
        id: z.string(),
        start: z.iso.datetime(),
        version: z.string(),
        who: z.string(),
        inventory: z.string(),
        limit: z.string().optional(),
        shard: z.string().optional(),
        roles: z.array(z.string()).optional(),
        commit: z.string().optional(),
        isClean: z.boolean().optional(),
      })
      .optional(),
    hosts: z.record(
      z.string(),
      z.strictObject({
        resources: count,
        changes: count,
        pending: count.optional(),
        changed: count,
        failed: count,
        skipped: count,
        unreachable: z.boolean(),
        roundTrips: count,
      }),
    ),
  }),
]);

const events: Event[] = [
  { type: 'step', host: 'web1', title: 'probe' },
  change('web1', 'x', {
    attributes: [{ name: 'mode', from: null, to: '\u001b[2J\n\u2028' }],
    diff: '@@ -0,0 +1,1 @@\n+a',
    knownAfter: 'package:y',
    why: 'because',
  }),
  result('web1', 'x', { outcome: 'failed', reason: 'two\nlines', at: 100, step: 1 }),
  { type: 'notice', host: 'web1', text: 'disk full' },
  {
    type: 'error',
    code: 'E_REMOTE',
    message: 'boom',
    host: 'web1',
    place: { file: 'a', line: 1 },
    hint: 'mend',
  },
  summary({ web1: host({ failed: 1 }) }, { command: 'apply', ok: false, run: origin() }),
];

describe('--json', () => {
  it('is one object a line, every event but steps, unchanged and in order', () => {
    const { reporter, stdout } = capture({ mode: 'json' });
    for (const event of events) reporter.report(event);
    reporter.showPlan({ seconds: 1, hosts: {} });
    reporter.close();
    expect(stdout().endsWith('\n')).toBe(true);
    const parsed = stdout()
      .trimEnd()
      .split('\n')
      .map((json): unknown => JSON.parse(json));
    expect(parsed).toEqual(events.filter(({ type }) => type !== 'step'));
    for (const event of parsed) expect(line.safeParse(event).error).toBeUndefined();
  });

  it('leaves diffs out that are not wanted', () => {
    const { reporter, stdout } = capture({ mode: 'json', diff: false });
    reporter.report(change('web1', 'x', { diff: '+a', why: 'because' }));
    reporter.close();
    expect(JSON.parse(stdout())).toEqual(change('web1', 'x', { why: 'because' }));
  });

  it('tells people on stderr of errors, failures and the end, not the plan again', () => {
    const { reporter, stderr } = capture({ mode: 'json' });
    for (const event of events) reporter.report(event);
    reporter.close();
    expect(stderr()).toContain('warning: web1: disk full');
    expect(stderr()).toContain('error: boom  [E_REMOTE]');
    expect(stderr()).toContain('file /etc/motd not created');
    expect(stderr()).toContain('Failed: 0 changed, 1 failed on 1 host');
    expect(stderr()).not.toContain('known after');
  });
});
