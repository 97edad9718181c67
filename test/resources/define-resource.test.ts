import { expect, test } from 'vitest';
import { defineResource, sh, z } from '../../src/index.ts';

const schema = z.strictObject({ name: z.string(), mode: z.string().optional() });
const common = {
  name: 'thing',
  summary: 'A thing',
  schema,
  key: ({ name }: z.output<typeof schema>) => name,
  apply: () => [],
};

// The compiler checks this file: an error that it expects and does not find is an error.
test('the names that want and the probe use are compared by the compiler', () => {
  const whole = defineResource({
    ...common,
    want: ({ mode }) => ({ kind: 'file', mode }),
    probe: (batch) => ({ script: sh``, parse: () => batch.map(() => ({ kind: 'file', mode: '0644' })) }),
  });
  const computed = defineResource({
    ...common,
    want: () => ({ kind: 'file' }),
    probe: (batch) => ({ script: sh``, parse: () => batch.map(() => ({ kind: 'file', size: 1 })) }),
    comparison: { computed: ['size'] },
  });
  const neverRead = defineResource({
    ...common,
    // @ts-expect-error the probe does not read it
    want: () => ({ kind: 'file', mdoe: '0644' }),
    probe: (batch) => ({ script: sh``, parse: () => batch.map(() => ({ kind: 'file', mode: '0644' })) }),
  });
  const neverWanted = defineResource({
    ...common,
    // @ts-expect-error the probe reads it
    want: () => ({ kind: 'file' }),
    probe: (batch) => ({ script: sh``, parse: () => batch.map(() => ({ kind: 'file', mode: '0644' })) }),
  });
  const unknownComputed = defineResource({
    ...common,
    want: () => ({ kind: 'file' }),
    probe: (batch) => ({ script: sh``, parse: () => batch.map(() => ({ kind: 'file' })) }),
    // @ts-expect-error no attribute of that name is read
    comparison: { implied: ['knid'] },
  });
  expect([whole, computed, neverRead, neverWanted, unknownComputed].map(({ name }) => name)).toEqual(
    Array.from({ length: 5 }, () => 'thing'),
  );
});
