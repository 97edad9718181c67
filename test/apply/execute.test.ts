import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { applyPlay } from '../../src/apply/host.ts';
import { openJournal } from '../../src/apply/journal.ts';
import type { HostRun } from '../../src/apply/host-run.ts';
import { startStopwatch } from '../../src/apply/stopwatch.ts';
import { orderNodes } from '../../src/plan/graph.ts';
import { planHost } from '../../src/plan/plan.ts';
import type { ResultEvent } from '../../src/plan/event.ts';
import type { DeclaredResource, Probe } from '../../src/resources/resource.ts';
import { Unreadable, type Actual, type ResourceId } from '../../src/resources/state.ts';
import { notBegun } from '../../src/transport/sections.ts';
import { sh } from '../../src/transport/shell.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { origin } from '../report/terminal.ts';
import { modelHost } from '../plan/model/host.ts';
import { documentType, packageType, placed, serviceType } from '../plan/model/types.ts';
import { install, type World } from '../plan/model/world.ts';

const place = { role: 'web', play: 0 };

function withAlpha(): World {
  const world: World = { entries: new Map(), packages: new Set(), daemons: new Map(), records: new Map() };
  install(world, 'alpha');
  return world;
}

/** Applies what is planned from `found`, whatever the host is like. */
async function results(
  resources: readonly DeclaredResource[],
  found: ReadonlyMap<ResourceId, Actual>,
  more: Partial<HostRun> = {},
): Promise<readonly object[]> {
  const events: ResultEvent[] = [];
  const run: HostRun = {
    plan: planHost('web1', resources, orderNodes('web1', resources), found),
    transport: modelHost(withAlpha()),
    reconnect: () => Promise.reject(new Error('nothing here is guarded')),
    login: undefined,
    confirmWithin: 1,
    outcomes: new Map(),
    signal: new AbortController().signal,
    stopwatch: startStopwatch(new Date().toISOString()),
    journal: openJournal(origin(), undefined),
    report: (event) => {
      if (event.type === 'result') events.push(event);
    },
    ...more,
  };
  await applyPlay(run, 0);
  return events.map(({ resource, outcome, reason }) => ({ resource, outcome, reason }));
}

/** Documents whose probe finds what `parse` says. */
function readAs(parse: Probe['parse']): typeof documentType {
  return { ...documentType, probe: (batch) => ({ ...documentType.probe(batch), parse }) };
}

describe('executing a batch', () => {
  it('fails a change for which its type has no step, instead of trying for ever', async () => {
    const idle = { ...documentType, apply: () => [] };
    const resources = [placed(idle, { path: '/etc/alpha/conf', text: 'new' }, place, [])];
    expect(await results(resources, new Map())).toEqual([
      {
        resource: 'document:/etc/alpha/conf',
        outcome: 'failed',
        reason: 'the resource type document returned no step for this change',
      },
    ]);
  });

  it('fails what the plan could not read, and goes on with what does not need it', async () => {
    const resources = ['a', 'b', 'c'].map((name) =>
      placed(
        documentType,
        { path: `/etc/alpha/${name}`, text: 'new' },
        place,
        name === 'c' ? ['document:/etc/alpha/a'] : [],
      ),
    );
    const found = new Map([['document:/etc/alpha/a', new Unreadable('too large')]] as const);
    expect(await results(resources, found)).toEqual([
      { resource: 'document:/etc/alpha/a', outcome: 'failed', reason: 'cannot be read: too large' },
      { resource: 'document:/etc/alpha/b', outcome: 'changed' },
      {
        resource: 'document:/etc/alpha/c',
        outcome: 'skipped',
        reason: 'needs document:/etc/alpha/a, which failed',
      },
    ]);
  });

  it.each([
    [true, ['changed', 'failed']],
    [undefined, ['failed', 'failed']],
  ])(
    'of a step for several resources that fails keeps what is as declared where it is divisible: %s',
    async (isDivisible, outcomes) => {
      const paths = ['/etc/alpha/a', '/etc/alpha/b'];
      const together: typeof documentType = {
        ...documentType,
        apply: (changes, host) => {
          const [first, second] = documentType.apply(changes, host);
          if (first === undefined || second === undefined || !('script' in second))
            throw new Error('no steps');
          return [
            first,
            {
              ...second,
              script: sh`model broken`,
              resources: changes.map(({ id }) => id),
              ...(isDivisible === true && { isDivisible }),
            },
          ];
        },
      };
      const resources = paths.map((path) => placed(together, { path, text: 'new' }, place, []));
      expect(await results(resources, new Map())).toMatchObject(outcomes.map((outcome) => ({ outcome })));
    },
  );

  it('interrupted in the middle of a request skips what the host has not begun', async () => {
    const controller = new AbortController();
    const host = modelHost(withAlpha());
    const transport: Transport = {
      ...host,
      async request(request) {
        const answer = await host.request(request);
        if (request.heedsStop !== true) return answer;
        controller.abort();
        const [note, first, , ...rest] = answer.stdout.toString('latin1').split('\n');
        const stdout = Buffer.from([note, first, `${notBegun} 0 0`, ...rest].join('\n'), 'latin1');
        return { ...answer, stdout };
      },
    };
    const paths = ['/etc/alpha/a', '/etc/alpha/b', '/etc/alpha/c'];
    const resources = paths.map((path, index) => {
      const needs = index === 2 ? (['document:/etc/alpha/b'] as const) : [];
      return placed(documentType, { path, text: 'new' }, place, [...needs]);
    });
    expect(await results(resources, new Map(), { transport, signal: controller.signal })).toEqual([
      { resource: 'document:/etc/alpha/a', outcome: 'changed', reason: undefined },
      { resource: 'document:/etc/alpha/b', outcome: 'skipped', reason: 'interrupted' },
    ]);
  });

  it('says when the host began each step of a request, and how long it took', async () => {
    const host = modelHost(withAlpha());
    const transport: Transport = {
      ...host,
      async request(request) {
        const answer = await host.request(request);
        if (request.heedsStop !== true) return answer;
        const [, , , ...rest] = answer.stdout.toString('latin1').split('\n');
        // It was booted 7 s ago, and takes the third for a year, which the request did not take.
        const headers = ['0@7.00@7.00 0 0', '0@7.00@7.02 0 0', '0@7.02@7.02 0 0', '0@7.02@31536000.00 0 0'];
        const stdout = Buffer.from([...headers, ...rest.slice(1)].join('\n'), 'latin1');
        await sleep(50);
        return { ...answer, stdout };
      },
    };
    const paths = ['/etc/alpha/a', '/etc/alpha/b', '/etc/alpha/c'];
    const resources = paths.map((path) => placed(documentType, { path, text: 'new' }, place, []));
    const told: ResultEvent[] = [];
    const report: HostRun['report'] = (event) => {
      if (event.type === 'result') told.push(event);
    };
    const start = new Date(Date.now() - 1000).toISOString();
    await results(resources, new Map(), { transport, report, stopwatch: startStopwatch(start) });
    const [first, second, third] = told;
    expect(told.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(first).toMatchObject({ ms: 20 });
    expect(first?.at).toBeGreaterThanOrEqual(1000);
    expect(second).toMatchObject({ at: (first?.at ?? 0) + 20, ms: 0 });
    expect(third?.at).toBe(second?.at);
    expect(third?.ms).toBeLessThan(60_000);
  });

  it('leaves a file of a later play, and the service that goes live with it, to that play', async () => {
    const resources = [
      placed(documentType, { path: '/etc/alpha/conf', text: 'new' }, { role: 'later', play: 1 }, []),
      placed(
        serviceType,
        { name: 'alpha', running: true, enabled: true, reads: ['/etc/alpha'], validates: true },
        place,
        [],
      ),
    ];
    expect(await results(resources, new Map())).toEqual([]);
  });

  it('lets nothing of a transaction go live when one of its files cannot be read', async () => {
    const unreadable = readAs(() => [new Unreadable('no permission')]);
    const running = { running: true, enabled: true, reload: 'not due' };
    const resources = [
      placed(packageType, { name: 'gamma' }, place, []),
      placed(documentType, { path: '/etc/alpha/conf', text: 'new' }, place, []),
      placed(unreadable, { path: '/etc/alpha/other', text: 'new' }, place, ['package:gamma']),
      placed(
        serviceType,
        { name: 'alpha', running: true, enabled: true, reads: ['/etc/alpha'], validates: true },
        place,
        [],
      ),
    ];
    const found = new Map<ResourceId, Actual>([
      ['document:/etc/alpha/other', new Unreadable('no permission')],
      ['service:alpha', running],
    ]);
    const reason = 'needs document:/etc/alpha/other, which failed';
    expect(await results(resources, found)).toEqual([
      { resource: 'package:gamma', outcome: 'changed', reason: undefined },
      {
        resource: 'document:/etc/alpha/other',
        outcome: 'failed',
        reason: 'cannot be read: no permission',
      },
      { resource: 'document:/etc/alpha/conf', outcome: 'skipped', reason },
      { resource: 'service:alpha', outcome: 'skipped', reason },
    ]);
  });

  it('fails what cannot be read after its change, and goes on with the rest', async () => {
    const garbled = {
      ...readAs(() => {
        throw new RangeError('garbage');
      }),
      name: 'garbled',
    };
    const resources = [
      placed(garbled, { path: '/etc/alpha/garbled', text: 'new' }, place, []),
      placed(documentType, { path: '/etc/alpha/conf', text: 'new' }, place, []),
    ];
    expect(await results(resources, new Map())).toEqual([
      {
        resource: 'garbled:/etc/alpha/garbled',
        outcome: 'failed',
        reason: 'cannot be read after the change: unexpected output of the garbled probe: garbage',
      },
      { resource: 'document:/etc/alpha/conf', outcome: 'changed', reason: undefined },
    ]);
  });
});
