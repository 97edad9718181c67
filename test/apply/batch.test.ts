import { expect, it } from 'vitest';
import { nextBatch } from '../../src/apply/batch.ts';
import { orderNodes } from '../../src/plan/graph.ts';
import { planHost } from '../../src/plan/plan.ts';
import type { ResourceId } from '../../src/resources/state.ts';
import { sh } from '../../src/transport/shell.ts';
import { documentType, placed } from '../plan/model/types.ts';

const place = { role: 'web', play: 0 };
const guard = { unit: 'alpha.service', paths: [], keep: sh`true`, restore: sh`true` };
const guardedType = { ...documentType, name: 'wall', access: { guard: () => guard } };

it('leaves what may cut the controller off to a batch of its own, behind what goes together', () => {
  const resources = [
    placed(guardedType, { path: '/etc/wall/a', text: 'new' }, place, []),
    placed(documentType, { path: '/etc/b', text: 'new' }, place, []),
    placed(guardedType, { path: '/etc/wall/c', text: 'new' }, place, []),
    placed(documentType, { path: '/etc/d', text: 'new' }, place, []),
  ];
  const { nodes, changes } = planHost('web1', resources, orderNodes('web1', resources), new Map());
  const done = new Set<ResourceId>();
  const batches: ResourceId[][] = [];
  while (done.size < changes.size) {
    const ready = nodes.filter((node) => node.members.some(({ id }) => !done.has(id)));
    const ids = nextBatch(ready, changes, ({ resource }) => resource.type.access !== undefined).changes.map(
      ({ id }) => id,
    );
    for (const id of ids) done.add(id);
    batches.push(ids);
  }
  expect(batches).toEqual([
    ['document:/etc/b', 'document:/etc/d'],
    ['wall:/etc/wall/a'],
    ['wall:/etc/wall/c'],
  ]);
});
