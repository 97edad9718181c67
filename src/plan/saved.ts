import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { HostwrightError } from '../errors.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { HostPlan, PlannedChange } from './host-plan.ts';

/** How a plan was asked for; `apply FILE` asks in the same way. */
const request = z.object({
  /** Absolute. */
  inventory: z.string(),
  site: z.string().optional(),
  limit: z.string().optional(),
  shard: z.object({ index: z.number(), count: z.number() }).optional(),
  role: z.array(z.string()).optional(),
  deep: z.literal(true).optional(),
});

const savedChange = z.object({
  action: z.string(),
  /** Of the change with the state that it starts from and the state that it leads to. */
  digest: z.string(),
});

const schema = z.object({
  hostwright: z.literal(2),
  created: z.iso.datetime(),
  salt: z.string(),
  request,
  /** By host and resource. */
  hosts: z.record(z.string(), z.record(z.string(), savedChange)),
});

export type PlanRequest = z.output<typeof request>;
export type SavedPlan = z.output<typeof schema>;
/** The changes of one host, by resource. */
export type HostDigests = Readonly<Record<string, z.output<typeof savedChange>>>;

/** A resource whose change is not the one that was saved. */
export interface Deviation {
  readonly host: string;
  readonly resource: string;
  /** `update`, or undefined where the saved plan names no change. */
  readonly saved: string | undefined;
  readonly now: string | undefined;
}

function digestOf(change: PlannedChange, fingerprint: Fingerprint): string {
  const { id, action, attributes, knownAfter, desired } = change;
  return fingerprint({ id, action, attributes, knownAfter, desired });
}

/** What a saved plan says of a host. */
export function hostDigests(plan: HostPlan, fingerprint: Fingerprint): HostDigests {
  return Object.fromEntries(
    [...plan.changes.values()].map((change) => [
      change.id,
      { action: change.action, digest: digestOf(change, fingerprint) },
    ]),
  );
}

export function newSalt(): string {
  return randomBytes(16).toString('hex');
}

/** Writes a plan to a file, 0600, as a whole or not at all. Secrets are in it as salted slow hashes only. */
export async function savePlan(file: string, plan: Omit<SavedPlan, 'hostwright'>): Promise<void> {
  const part = `${file}.${randomBytes(4).toString('hex')}.part`;
  await writeFile(part, `${JSON.stringify({ hostwright: 2, ...plan }, undefined, 1)}\n`, { mode: 0o600 });
  await rename(part, file);
}

/** E_USAGE where the file is not a saved plan. */
export async function readSavedPlan(file: string): Promise<SavedPlan> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new HostwrightError('E_USAGE', 'the plan cannot be read', {
      place: { file },
      found: cause instanceof Error ? cause.message : String(cause),
      hint: 'make a plan with hostwright plan --out FILE',
      cause,
    });
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new HostwrightError('E_USAGE', 'the file is not a plan of this version of Hostwright', {
    place: { file },
    hint: 'make a new plan with hostwright plan --out FILE',
  });
}

/** Where the plan of now is another one than the saved: the hosts or the configuration have moved since. */
export function deviations(
  saved: SavedPlan,
  plans: ReadonlyMap<string, HostDigests | undefined>,
): readonly Deviation[] {
  const hosts = new Set([...Object.keys(saved.hosts), ...plans.keys()]);
  return [...hosts].flatMap((host) => {
    const before = saved.hosts[host] ?? {};
    const now = plans.get(host) ?? {};
    const ids = new Set([...Object.keys(before), ...Object.keys(now)]);
    return [...ids].flatMap((resource): Deviation[] => {
      const [earlier, current] = [before[resource], now[resource]];
      if (current !== undefined && earlier?.digest === current.digest) return [];
      return [{ host, resource, saved: earlier?.action, now: current?.action }];
    });
  });
}

/** The difference of the differences, as an error that names every resource that has moved. */
export function staleError(file: string, found: readonly Deviation[]): HostwrightError {
  const lines = found.map(({ host, resource, saved, now }) => {
    if (saved === undefined) return `${host}: ${resource}: ${now ?? ''} now, unchanged in the plan`;
    if (now === undefined) return `${host}: ${resource}: unchanged now, ${saved} in the plan`;
    return saved === now
      ? `${host}: ${resource}: ${now}, but between other states`
      : `${host}: ${resource}: ${now} now, ${saved} in the plan`;
  });
  const shown = lines.length > 20 ? [...lines.slice(0, 20), `and ${lines.length - 20} more`] : lines;
  return new HostwrightError(
    'E_PLAN_STALE',
    'the hosts or the configuration have changed since the plan was made',
    {
      place: { file },
      found: shown.join('\n'),
      expected: 'exactly the changes of the plan',
      hint: 'no changes made; make a new plan and read it',
    },
  );
}
