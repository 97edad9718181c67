import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostRun } from '../../src/apply/host-run.ts';
import { openJournal } from '../../src/apply/journal.ts';
import { startStopwatch } from '../../src/apply/stopwatch.ts';
import { applyPlay } from '../../src/apply/host.ts';
import { preparePlay } from '../../src/apply/prepare.ts';
import { applyPlays } from '../../src/apply/plays.ts';
import { noteResult, startProgress } from '../../src/apply/progress.ts';
import { HostwrightError } from '../../src/errors.ts';
import { orderNodes, type PlanNode } from '../../src/plan/graph.ts';
import type { HostPlan } from '../../src/plan/host-plan.ts';
import { planHost } from '../../src/plan/plan.ts';
import { parseProbes, probeBatches } from '../../src/plan/probe.ts';
import type { ResultEvent } from '../../src/plan/event.ts';
import type { DeclaredResource } from '../../src/resources/resource.ts';
import type { ResourceId } from '../../src/resources/state.ts';
import type { PlayHosts } from '../../src/site/model.ts';
import { parseSections, sectionsRequest } from '../../src/transport/sections.ts';
import { cases, type Case } from './model/cases.ts';
import { copyOf } from './model/world.ts';
import { origin } from '../report/terminal.ts';
import { modelHost, type ModelHost } from './model/host.ts';

/** Cases of each property; nightly runs may ask for more. */
const numRuns = Number(process.env['HOSTWRIGHT_CASES'] ?? 300);

const plays = [0, 1].map((index): PlayHosts => ({
  play: { hosts: 'all', roles: [], place: { file: 'site.yml', line: index + 1 } },
  hosts: ['web1'],
}));

async function plan(resources: readonly DeclaredResource[], host: ModelHost): Promise<HostPlan> {
  const nodes = orderNodes('web1', resources);
  const batches = probeBatches(resources);
  const answer = await host.request(sectionsRequest(batches.map(({ probe }) => probe)));
  const answers = parseSections('web1', answer, batches.length);
  return planHost('web1', resources, nodes, parseProbes(batches, answers));
}

interface Applied {
  readonly results: readonly ResultEvent[];
  readonly lost: ReadonlyMap<string, HostwrightError>;
}

async function apply(made: HostPlan, host: ModelHost): Promise<Applied> {
  const results: ResultEvent[] = [];
  const changes = [...made.changes.values()];
  const progress = startProgress(
    changes.map(({ id, action, resource: { role } }) => ({ resource: id, action, role })),
  );
  const run: HostRun = {
    plan: made,
    transport: host,
    reconnect: () => Promise.resolve(host),
    login: undefined,
    confirmWithin: 1,
    outcomes: new Map(),
    signal: new AbortController().signal,
    stopwatch: startStopwatch(new Date().toISOString()),
    journal: openJournal(origin(), undefined),
    report: (event) => {
      if (event.type !== 'result') return;
      results.push(event);
      noteResult(progress, event);
    },
  };
  const lost = new Map<string, HostwrightError>();
  await applyPlays({
    ...{ plays, lost, forks: 1, signal: run.signal },
    hosts: new Map([['web1', progress]]),
    drains: () => false,
    preparePlay: () => Promise.reject(new Error('one host alone needs no preparation')),
    applyPlay: async (_, play) => {
      try {
        // As if other hosts had their turn between the two.
        if (play === 1) await preparePlay(run, play);
        await applyPlay(run, play);
        return undefined;
      } catch (error) {
        if (error instanceof HostwrightError) return error;
        throw error;
      }
    },
    report: run.report,
  });
  // However it went: what was planned is accounted for, each change once.
  expect(results.map(({ resource }) => resource).toSorted()).toEqual([...made.changes.keys()].toSorted());
  return { results, lost };
}

const planned = (made: HostPlan): readonly string[] =>
  [...made.changes.values()].map(({ id, action }) => `${action} ${id}`).toSorted();

const carriedOut = (results: readonly ResultEvent[]): readonly string[] =>
  results.map(({ resource, action }) => `${action} ${resource}`).toSorted();

/** Plans and applies on a host that does all it is told: what the plan says must be what happens. */
async function converge({ resources, world: before }: Case): Promise<void> {
  const world = copyOf(before);
  const host = modelHost(world);
  const made = await plan(resources, host);
  const { results, lost } = await apply(made, host);
  expect(lost.size).toBe(0);
  expect(results.filter(({ outcome }) => outcome !== 'changed')).toEqual([]);
  expect(carriedOut(results)).toEqual(planned(made));
  expect(planned(await plan(resources, modelHost(world)))).toEqual([]);
}

function ancestors(unit: PlanNode, found = new Set<PlanNode>()): ReadonlySet<PlanNode> {
  for (const earlier of unit.after) {
    if (!found.has(earlier)) ancestors(earlier, found.add(earlier));
  }
  return found;
}

/** One of the changes of a case, chosen by a number. */
function pick(made: HostPlan, number: number): ResourceId | undefined {
  const ids = [...made.changes.keys()];
  return ids[number % ids.length];
}

describe('a plan is true', { timeout: 120_000 }, () => {
  it('names every change that apply makes, on whatever host, and none is left', async () => {
    await fc.assert(fc.asyncProperty(cases, converge), { numRuns });
  });

  it('is carried out in an order that respects what is needed', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ resources, world: before }) => {
        const world = copyOf(before);
        const host = modelHost(world);
        const made = await plan(resources, host);
        await apply(made, host);
        const at = new Map(
          host.log.flatMap((done, request) => done.map((id, index) => [id, [request, index]])),
        );
        for (const { id, needs } of resources) {
          for (const need of needs) {
            const [later, earlier] = [at.get(id), at.get(need)];
            if (later === undefined || earlier === undefined) continue;
            const isLater =
              (later[0] ?? 0) > (earlier[0] ?? 0) ||
              (later[0] === earlier[0] && (later[1] ?? 0) > (earlier[1] ?? 0));
            expect(isLater, `${need} before ${id} in ${JSON.stringify(host.log)}`).toBe(true);
          }
        }
      }),
      { numRuns },
    );
  });

  it('goes on after a failure with what does not depend on it, and a further run finishes', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), async ({ resources, world: before }, number) => {
        const world = copyOf(before);
        const first = await plan(resources, modelHost(world));
        const broken = pick(first, number);
        fc.pre(broken !== undefined);
        const { results } = await apply(first, modelHost(world, { broken }));
        const outcomes = new Map(results.map((result) => [result.resource, result]));
        const hasFailed = ({ members }: PlanNode) =>
          members.some(({ id }) => outcomes.get(id)?.outcome === 'failed');
        // What was only known after another change may turn out to need no step.
        if (first.changes.get(broken)?.knownAfter === undefined)
          expect(outcomes.get(broken)?.outcome).toBe('failed');
        for (const unit of first.nodes) {
          const before = [...ancestors(unit)];
          const isBlocked = before.some(hasFailed);
          // A host that failed takes no part in later plays.
          const isDue = [unit, ...before].every(({ members }) => members.every(({ play }) => play === 0));
          for (const { id } of unit.members.filter((member) => first.changes.has(member.id))) {
            if (isBlocked)
              expect(outcomes.get(id)).toMatchObject({
                outcome: 'skipped',
                reason: expect.stringMatching(/^needs .*, which failed$/),
              });
            else if (isDue && first.changes.get(id)?.knownAfter === undefined)
              expect(outcomes.get(id)?.outcome, id).toBe(hasFailed(unit) ? 'failed' : 'changed');
          }
        }
        await converge({ resources, world });
      }),
      { numRuns },
    );
  });

  it('is not believed to be carried out before it is seen to be', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), async ({ resources, world: before }, number) => {
        const world = copyOf(before);
        const first = await plan(resources, modelHost(world));
        const idle = pick(first, number);
        fc.pre(idle !== undefined && first.changes.get(idle)?.knownAfter === undefined);
        const { results } = await apply(first, modelHost(world, { idle }));
        const result = results.find(({ resource }) => resource === idle);
        // Another may have done it on its way, as a package brings its directories.
        if (result?.outcome === 'changed')
          expect((await plan(resources, modelHost(world))).changes.has(idle)).toBe(false);
        else expect(result?.outcome).toBe('failed');
        await converge({ resources, world });
      }),
      { numRuns },
    );
  });

  it('is finished by a further run wherever the connection was lost', async () => {
    const losses = fc.record({
      request: fc.integer({ min: 1, max: 10 }),
      done: fc.constantFrom('nothing' as const, 'half' as const, 'all' as const),
    });
    await fc.assert(
      fc.asyncProperty(cases, losses, async ({ resources, world: before }, loss) => {
        const world = copyOf(before);
        const host = modelHost(world, { loss });
        const { results, lost } = await apply(await plan(resources, host), host);
        if (lost.size > 0) expect(results.map(({ outcome }) => outcome)).not.toContain('failed');
        await converge({ resources, world });
      }),
      { numRuns },
    );
  });
});
