import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  beginNote,
  endNote,
  lookNote,
  parseJournal,
  readJournal,
  type JournalEntry,
  type JournalHead,
} from '../../src/plan/journal.ts';
import { sh } from '../../src/transport/shell.ts';
import type { Section } from '../../src/transport/sections.ts';
import type { Answer } from '../../src/transport/transport.ts';
import { openRoot, type Root } from '../../src/testing/index.ts';

let root: Root;

beforeAll(async () => {
  root = await openRoot();
}, 300_000);

beforeEach(() => root.ask(sh`umount /var/lib/hostwright 2>/dev/null || :; rm -rf /var/lib/hostwright`));

afterAll(() => root.close());

function head(id: string, more: Partial<JournalHead> = {}): JournalHead {
  const run = { id, start: '2026-11-22T10:00:00.000Z', version: '0.1.0', who: 'anna@laptop' };
  return { ...run, inventory: '/site/inventory', verb: 'apply', from: '192.0.2.7', ...more };
}

const run = ({ script, stdin }: Section): Promise<Answer> => root.run(script, stdin);

async function keep(section: Section): Promise<void> {
  const { code, stderr } = await run(section);
  expect(code, stderr.toString()).toBe(0);
}

const end = (id: string, outcomes: Parameters<typeof endNote>[1]['outcomes'], now?: number): Section =>
  endNote(head(id), { outcomes, ms: 1200, ok: true }, now);

async function read(): Promise<readonly JournalEntry[]> {
  return parseJournal((await run(readJournal)).stdout);
}

it('keeps what a run has begun, and what has become of it', async () => {
  await keep(beginNote(head('a'), true, [['file:/etc/x', 'update']]));
  expect(await read()).toEqual([
    {
      head: { ...head('a'), id: undefined, run: 'a' },
      changes: [{ resource: 'file:/etc/x', action: 'update', outcome: 'begun' }],
      more: 0,
      state: 'open',
    },
  ]);
  await keep(beginNote(head('a'), false, [['service:x', 'reload']]));
  await keep(
    end('a', [
      ['file:/etc/x', 'changed'],
      ['service:x', 'changed'],
    ]),
  );
  expect(await read()).toMatchObject([
    { state: 'ok', ms: 1200, changes: [{ outcome: 'changed' }, { action: 'reload', outcome: 'changed' }] },
  ]);
  expect(await root.ask(sh`stat -c '%a %U' /var/lib/hostwright /var/lib/hostwright/journal`)).toBe(
    '700 root\n600 root\n',
  );
});

it('knows of the last run that only looked', async () => {
  await root.ask(sh`mkdir -m 700 /var/lib/hostwright`);
  for (const id of ['a', 'b']) await root.ask(lookNote(head(id)));
  expect(await read()).toMatchObject([{ head: { run: 'b' }, changes: [], state: 'unchanged' }]);
  expect(await root.ask(sh`stat -c %a /var/lib/hostwright/looked`)).toBe('600\n');
  await keep(beginNote(head('b'), true, [['file:/etc/x', 'update']]));
  expect(await read()).toMatchObject([{ head: { run: 'b', from: '192.0.2.7' }, state: 'open' }]);
});

it('never fails an apply by looking, whatever is in its way', async () => {
  expect(await root.ask(lookNote(head('a')))).toBe('');
  await root.ask(sh`mkdir -p /var/lib/hostwright/looked`);
  expect(await root.ask(lookNote(head('a')))).toBe('');
  expect(await read()).toEqual([]);
});

it('says that the disk is full, and goes on behind what was cut off', async () => {
  await root.ask(sh`mkdir -p /var/lib/hostwright
mount -t tmpfs -o size=16k tmpfs /var/lib/hostwright`);
  await keep(beginNote(head('a'), true, [['file:/etc/x', 'update']]));
  await root.run(sh`cat /dev/zero >/var/lib/hostwright/ballast`);
  const many = Array.from({ length: 400 }, (_, index) => [`file:/etc/${index}`, 'update'] as const);
  const { code, stderr } = await run(beginNote(head('a'), false, many));
  expect([code, stderr.toString()]).toEqual([1, expect.stringContaining('No space left on device')]);
  await root.ask(sh`rm /var/lib/hostwright/ballast`);
  await keep(end('a', [['file:/etc/x', 'changed']]));
  expect(await read()).toMatchObject([{ state: 'ok', changes: [{ outcome: 'changed' }] }]);
});

it('grows neither too long nor too old, and keeps whole runs', async () => {
  const day = 86_400_000;
  const now = Date.parse('2026-11-22T10:00:00Z');
  await keep(beginNote(head('old', { start: '2025-01-01T00:00:00.000Z' }), true, []));
  await keep(end('old', [], Date.parse('2025-01-01T00:00:00Z')));
  await keep(beginNote(head('young'), true, []));
  await keep(end('young', [], now));
  expect((await read()).map((entry) => entry.head.run)).toEqual(['young']);
  await root.ask(sh`cd /var/lib/hostwright
awk '{ for (i = 0; i < 6000; i++) print }' journal >long
mv long journal`);
  await keep(beginNote(head('last'), true, [['file:/etc/x', 'update']]));
  await keep(end('last', [['file:/etc/x', 'changed']], now + day));
  const size = Number(await root.ask(sh`stat -c %s /var/lib/hostwright/journal`));
  expect(size).toBeLessThanOrEqual(512 * 1024);
  expect((await read()).map((entry) => [entry.head.run, entry.state])).toEqual([
    ['young', 'ok'],
    ['last', 'ok'],
  ]);
  expect(await root.ask(sh`ls /var/lib/hostwright; head -c 200 /var/lib/hostwright/journal`)).toMatch(
    /^journal\n\{"run":"young","start"/,
  );
});

it('names no more resources than a person reads, those that failed among them', async () => {
  const names = Array.from({ length: 900 }, (_, index) => `file:/etc/${index}`);
  await keep(
    beginNote(
      head('a'),
      true,
      names.map((name) => [name, 'update']),
    ),
  );
  await keep(
    end(
      'a',
      names.map((name, index) => [name, index === 899 ? 'failed' : 'changed']),
    ),
  );
  const [entry] = await read();
  expect(entry?.more).toBe(400);
  expect(entry?.changes.filter(({ outcome }) => outcome === 'failed')).toEqual([
    { resource: 'file:/etc/899', outcome: 'failed' },
  ]);
});
