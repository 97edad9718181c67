import { z } from 'zod';
import type { Action } from '../resources/state.ts';
import type { Section } from '../transport/sections.ts';
import { lines, sh, type Script } from '../transport/shell.ts';
import type { ResultEvent, RunOrigin } from './event.ts';

/**
 * What was done to a host, kept on the host itself: one JSON object a line. A run notes there what it begins, together
 * with the work itself, and at its end what has become of it. There is no text of a host, a file or a template in it,
 * so nothing in it can be a secret.
 */
const file = '/var/lib/hostwright/journal';
/** When a run that was to change the host last looked at it: one line. */
const lookedFile = '/var/lib/hostwright/looked';

/** Runs that are older are left out. */
const oldest = 400 * 86_400_000;
/** Bytes that the file may have at the end of a run, and what is kept of a larger one. */
const most = 1024 * 1024;
const kept = 512 * 1024;
/** Resources that one note names. */
const mostNamed = 500;

/** What changes hosts, and was asked for. */
export type JournalVerb = 'apply' | 'do';

export interface JournalHead extends RunOrigin {
  readonly verb: JournalVerb;
  /** The address that the connection came from, as the host sees it. */
  readonly from?: string;
  /** With `do`: the action, such as `mysql promote`. */
  readonly action?: string;
}

type Named<Word> = readonly (readonly [resource: string, word: Word])[];

export interface JournalEnd {
  readonly outcomes: Named<ResultEvent['outcome']>;
  /** Milliseconds since the start of the run. */
  readonly ms: number;
  readonly ok: boolean;
  readonly interrupted?: true;
}

function lineOf(id: string, more: object): string {
  return `${JSON.stringify({ run: id, ...more })}\n`;
}

/** Of many those that failed come first. */
function named<Word>(all: Named<Word>): { readonly of: Named<Word>; readonly more?: number } {
  if (all.length <= mostNamed) return { of: all };
  const first = all.filter(([, word]) => word === 'failed');
  const some = [...first, ...all.filter(([, word]) => word !== 'failed')].slice(0, mostNamed);
  return { of: some, more: all.length - some.length };
}

function headLine({ id, ...head }: JournalHead): string {
  return lineOf(id, head);
}

/** A line of before that was cut off, by a full disk or a host that died, is left alone. */
const append = sh`umask 077
mkdir -p /var/lib/hostwright
{ echo; cat; } >>${file}`;

/** Written before the work, in its request. */
export function beginNote(head: JournalHead, isFirst: boolean, changes: Named<Action>): Section {
  const { of, more } = named(changes);
  const begun =
    changes.length === 0 ? '' : lineOf(head.id, { begun: of, ...(more !== undefined && { more }) });
  return { script: append, stdin: Buffer.from(`${isFirst ? headLine(head) : ''}${begun}`) };
}

/** Of awk: a line that begins a run says when. */
const startOf = sh`{ found = match($0, /"start":"/) }`;

/** Written at the end of a run; in a file that has grown too long or too old, the older runs are left out. */
export function endNote(
  head: JournalHead,
  { outcomes, isFirst = false, ...end }: JournalEnd & { readonly isFirst?: boolean },
  now = Date.now(),
): Section {
  const { of, more } = named(outcomes);
  const line = lineOf(head.id, { ...end, done: of, ...(more !== undefined && { more }) });
  const script = lines([
    append,
    sh`since=${new Date(now - oldest).toISOString()} keep=${most}
is_young() { awk -v since="$since" '${startOf} found { exit substr($0, RSTART + 9) < since }' ${file}; }
if [ "$(stat -c %s ${file})" -gt ${most} ]; then keep=${kept}; elif is_young; then exit 0; fi
tail -c "$keep" ${file} | awk -v since="$since" '${startOf} found { kept = substr($0, RSTART + 9) >= since } kept' >${file}.new
sync ${file}.new
mv -fT ${file}.new ${file}`,
  ]);
  return { script, stdin: Buffer.from(`${isFirst ? headLine(head) : ''}${line}`) };
}

/** A part of the first request of a run that is to change the host: it costs no process and never fails. */
export function lookNote(head: JournalHead): Script {
  return sh`umask 077
{ printf '%s' ${headLine(head)} >${lookedFile}; } 2>/dev/null || :`;
}

/** Bytes that are read of a journal: a host may have a larger one than ours. */
const mostRead = 2 * most;

export const readJournal: Section = {
  script: sh`cd /var/lib/hostwright 2>/dev/null || exit 0
{ tail -c ${mostRead} journal; echo; head -c 8192 looked; } 2>/dev/null || :`,
};

const text = z.string().max(4096);
const actionSchema = z.enum(['create', 'update', 'delete', 'run', 'reload', 'restart']);
const outcomeSchema = z.enum(['changed', 'failed', 'skipped']);
const count = z.number().int().nonnegative();

const headSchema = z.object({
  run: text,
  verb: z.enum(['apply', 'do']),
  start: z.iso.datetime(),
  version: text,
  who: text,
  inventory: text,
  from: text.optional(),
  action: text.optional(),
  limit: text.optional(),
  shard: text.optional(),
  roles: z.array(text).optional(),
  commit: text.optional(),
  isClean: z.boolean().optional(),
});
const begunSchema = z.object({
  run: text,
  begun: z.array(z.tuple([text, actionSchema])),
  more: count.optional(),
});
const doneSchema = z.object({
  run: text,
  ms: count,
  ok: z.boolean(),
  interrupted: z.literal(true).optional(),
  done: z.array(z.tuple([text, outcomeSchema])),
  more: count.optional(),
});

/** What became of one resource; `begun` where the run never said, because it was cut off. */
export interface JournalChange {
  readonly resource: string;
  /** Left out: it was not begun. */
  readonly action?: Action;
  readonly outcome: ResultEvent['outcome'] | 'begun';
}

/** What one run did to one host. */
export interface JournalEntry {
  readonly head: z.output<typeof headSchema>;
  readonly changes: readonly JournalChange[];
  /** So many further changes are not named. */
  readonly more: number;
  /** `open`: the run was cut off, or goes on; `unchanged`: nothing was begun. */
  readonly state: 'ok' | 'failed' | 'interrupted' | 'open' | 'unchanged';
  readonly ms?: number;
}

type Head = z.output<typeof headSchema>;
type End = z.output<typeof doneSchema>;

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function stateOf(begun: number, end: End | undefined): JournalEntry['state'] {
  if (end === undefined) return begun === 0 ? 'unchanged' : 'open';
  if (end.interrupted === true) return 'interrupted';
  return end.ok ? 'ok' : 'failed';
}

function entryOf(head: Head, actions: ReadonlyMap<string, Action>, left: number, end?: End): JournalEntry {
  const outcomes = new Map(end?.done);
  const names = new Set([...actions.keys(), ...outcomes.keys()]);
  const changes = [...names].map((resource): JournalChange => {
    const action = actions.get(resource);
    return { resource, ...(action && { action }), outcome: outcomes.get(resource) ?? 'begun' };
  });
  return {
    head,
    changes,
    more: end?.more ?? left,
    state: head.verb === 'do' && end === undefined ? 'open' : stateOf(actions.size, end),
    ...(end !== undefined && { ms: end.ms }),
  };
}

/** The runs that a journal knows, in the order of its lines. Lines of another form are passed over. */
export function parseJournal(output: Buffer): readonly JournalEntry[] {
  const heads = new Map<string, Head>();
  const actions = new Map<string, Map<string, Action>>();
  const left = new Map<string, number>();
  const ends = new Map<string, End>();
  for (const line of output
    .subarray(-2 * mostRead)
    .toString('utf8')
    .split('\n')) {
    const value = line === '' ? undefined : parseLine(line);
    if (value === undefined) continue;
    const head = headSchema.safeParse(value).data;
    // A run that has changed something has noted more than that it looked.
    if (head !== undefined && !heads.has(head.run)) heads.set(head.run, head);
    const begun = begunSchema.safeParse(value).data;
    if (begun !== undefined) {
      const known = actions.get(begun.run) ?? new Map<string, Action>();
      for (const [resource, action] of begun.begun) known.set(resource, action);
      actions.set(begun.run, known);
      left.set(begun.run, (left.get(begun.run) ?? 0) + (begun.more ?? 0));
    }
    const end = doneSchema.safeParse(value).data;
    if (end !== undefined) ends.set(end.run, end);
  }
  return [...heads].map(([run, head]) =>
    entryOf(head, actions.get(run) ?? new Map<string, Action>(), left.get(run) ?? 0, ends.get(run)),
  );
}
