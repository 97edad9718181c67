import { expect, test } from 'vitest';
import { orderNodes } from '../../src/plan/graph.ts';
import { planHost } from '../../src/plan/plan.ts';
import { ancestors, readAt } from '../../src/resources/path.ts';
import { directory } from '../../src/resources/directory.ts';
import type { Actual, ResourceId } from '../../src/resources/state.ts';
import { samples } from '../resources/samples.ts';
import { asDeclared, placed } from '../../src/testing/index.ts';

/** Resources of every type that reads a state at a path, and is not to be absent. */
const readers = samples
  .map((sample) => placed(sample))
  .filter((resource) => readAt(resource).length > 0 && resource.type.want(resource.desired) !== null);

test('types that read a path are among the samples', () => {
  expect(new Set(readers.map(({ type }) => type.name))).toEqual(
    new Set([
      'acme_certificate',
      'app_release',
      'apt_repository',
      'authorized_key',
      'directory',
      'file',
      'host_certificate',
      'line',
      'link',
      'sysctl',
      'tls_bundle',
      'unit',
    ]),
  );
});

test.each(readers.map((reader) => [reader.id, reader] as const))(
  '%s is made again where a folder above it is a link, in the order of declaration or not',
  (_, reader) => {
    for (const path of readAt(reader)) {
      const top = ancestors(path).at(-1) ?? path;
      const folder = placed(directory(top));
      for (const declared of [
        [reader, folder],
        [folder, reader],
      ]) {
        const found = new Map<ResourceId, Actual>([
          [reader.id, asDeclared(reader.type, reader.desired)],
          [folder.id, { kind: 'link', owner: 'root', group: 'root', mode: '0777' }],
        ]);
        const { changes } = planHost('web1', declared, orderNodes('web1', declared), found);
        expect([...changes.values()].map(({ id, action }) => `${action} ${id}`)).toEqual([
          `update ${folder.id}`,
          `create ${reader.id}`,
        ]);
      }
    }
  },
);
