import { describe, expect, it } from 'vitest';
import { aptRepository, command, file, pkg, type Resource } from '../../src/index.ts';
import { changeEvent } from '../../src/plan/describe.ts';
import { orderNodes } from '../../src/plan/graph.ts';
import { packagesToFind, unlistedPackages } from '../../src/plan/package-lists.ts';
import type { HostPlan } from '../../src/plan/host-plan.ts';
import { planHost } from '../../src/plan/plan.ts';
import type { Actual, ResourceId } from '../../src/resources/state.ts';
import { placed } from '../../src/testing/index.ts';

function plan(declared: readonly Resource[], found: readonly [ResourceId, Actual][] = []): HostPlan {
  const resources = declared.map((resource) => placed(resource));
  return planHost('web1', resources, orderNodes('web1', resources), new Map(found));
}

describe('packages that a plan looks for in the lists', () => {
  it('are those that are to be installed', () => {
    const isThere: [ResourceId, Actual] = ['package:curl', { installed: true, held: false }];
    expect(
      packagesToFind(plan([pkg('htpo'), pkg('curl'), pkg('nano', { absent: true })], [isThere])),
    ).toEqual(['htpo']);
  });

  it.each([
    ['a source', aptRepository('own', { uris: ['https://example.org'], suites: ['stable'] })],
    ['a file of apt', file('/etc/apt/sources.list.d/own.sources', { content: 'x' })],
    ['a command', command('add a source', { run: ['true'], creates: '/nowhere' })],
  ])('are none where %s may bring them', (_, other) => {
    expect(packagesToFind(plan([pkg('htpo'), other]))).toEqual([]);
  });

  it('are named in the plan where no source has them', () => {
    const change = plan([pkg('htpo')]).changes.get('package:htpo');
    if (change === undefined) throw new Error('no change');
    const remarks = unlistedPackages(Buffer.from('htpo\n'));
    expect(
      changeEvent('web1', change, { cause: 'configuration' }, { texts: new Map(), remarks }).why,
    ).toMatch('no package source');
  });
});
