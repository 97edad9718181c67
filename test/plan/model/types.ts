import { z } from 'zod';
import { ancestors } from '../../../src/resources/path.ts';
import type { DeclaredResource, Probe, ResourceType } from '../../../src/resources/resource.ts';
import { whenDue } from '../../../src/resources/service/change.ts';
import { Unreadable, type Actual, type Change, type ResourceId } from '../../../src/resources/state.ts';
import type { Conversation, Step } from '../../../src/resources/step.ts';
import { sh, type Script } from '../../../src/transport/shell.ts';

const names = z.array(z.string()).readonly();
const ids = z.array(z.templateLiteral([z.string(), ':', z.string()])).readonly();

/** What is asked of a probe: the attributes of a resource that identify it. */
const asked = z.object({
  path: z.string().optional(),
  name: z.string().optional(),
  server: z.string().optional(),
  key: z.string().optional(),
  reads: z.array(z.string()).default([]),
});

export type Asked = z.output<typeof asked>;

/** What a script asks the host of the model to do, or to read. */
export const instructionSchema = z.discriminatedUnion('do', [
  z.object({ ids, do: z.literal('probe'), type: z.string(), items: z.array(asked) }),
  z.object({ ids, do: z.literal('document'), path: z.string(), text: z.string().nullable() }),
  z.object({ ids, do: z.literal('directory'), path: z.string() }),
  z.object({ ids, do: z.literal('remove'), path: z.string() }),
  z.object({ ids, do: z.literal('packages'), install: names, purge: names }),
  z.object({
    ids,
    do: z.literal('service'),
    name: z.string(),
    enabled: z.boolean(),
    turn: z.enum(['start', 'stop', 'reload', 'stay']),
    reads: z.array(z.string()),
  }),
  z.object({
    ids,
    do: z.literal('record'),
    server: z.string(),
    key: z.string(),
    value: z.string().nullable(),
  }),
]);

export type Instruction = z.output<typeof instructionSchema>;

/** What the host of the model found: a state, or why there is none to read. */
const answer = z.array(
  z.union([z.string(), z.null(), z.record(z.string(), z.union([z.string(), z.boolean()]))]),
);

export function instruct(instruction: Instruction): Script {
  return sh`model ${JSON.stringify(instruction)}`;
}

function probe(type: string, items: readonly Partial<Asked>[]): Probe {
  const script = instruct({ ids: [], do: 'probe', type, items: items.map((item) => asked.parse(item)) });
  return { script, parse };
}

function parse(output: Buffer): readonly Actual[] {
  return answer
    .parse(JSON.parse(output.toString()))
    .map((state) => (typeof state === 'string' ? new Unreadable(state) : state));
}

function step(instruction: Instruction): Step {
  return { resources: instruction.ids, title: instruction.do, script: instruct(instruction) };
}

const absent = z.boolean().default(false);
const document = z.object({ path: z.string(), text: z.string().optional(), absent });
const directory = z.object({ path: z.string(), absent });
const item = z.object({ name: z.string(), absent });
const service = z.object({
  name: z.string(),
  running: z.boolean(),
  enabled: z.boolean(),
  reads: z.array(z.string()),
  validates: z.boolean(),
});
const record = z.object({
  server: z.string(),
  key: z.string(),
  value: z.string(),
  talks: z.boolean(),
  absent,
});

const above = ({ path }: { readonly path: string }): readonly ResourceId[] =>
  ancestors(path).map((at): ResourceId => `directory:${at}`);

export const documentType: ResourceType<z.output<typeof document>> = {
  name: 'document',
  summary: 'a file',
  schema: document,
  key: ({ path }) => path,
  want: (it) =>
    it.absent ? null : it.text === undefined ? { kind: 'document' } : { kind: 'document', text: it.text },
  probe: (batch) => probe('path', batch),
  apply: (changes) =>
    changes.map(({ id, desired: { path, text = null, absent } }) =>
      step(absent ? { ids: [id], do: 'remove', path } : { ids: [id], do: 'document', path, text }),
    ),
  order: { after: above },
  files: { path: ({ path }) => path, staged: 'path' },
};

export const directoryType: ResourceType<z.output<typeof directory>> = {
  name: 'directory',
  summary: 'a directory',
  schema: directory,
  key: ({ path }) => path,
  want: (it) => (it.absent ? null : { kind: 'directory' }),
  probe: (batch) => probe('path', batch),
  apply: (changes) =>
    changes.map(({ id, desired: { path, absent } }) =>
      step({ ids: [id], do: absent ? 'remove' : 'directory', path }),
    ),
  order: { after: above },
  files: { path: ({ path }) => path, staged: 'below' },
};

export const packageType: ResourceType<z.output<typeof item>> = {
  name: 'package',
  summary: 'a package',
  schema: item,
  key: ({ name }) => name,
  want: (it) => (it.absent ? null : { installed: true }),
  probe: (batch) => probe('package', batch),
  apply: (changes) => {
    const names = (isAbsent: boolean): readonly string[] =>
      changes.filter(({ desired }) => desired.absent === isAbsent).map(({ desired }) => desired.name);
    const ids = changes.map(({ id }) => id);
    return [step({ ids, do: 'packages', install: names(false), purge: names(true) })];
  },
  order: { stage: 'package' },
};

function turnOf({ desired, action, attributes }: Change<z.output<typeof service>>) {
  const names = new Set(attributes.map(({ name }) => name));
  const first = action === 'create';
  if (first || names.has('running')) return desired.running ? 'start' : 'stop';
  return desired.running && (action === 'reload' || names.has('reload')) ? 'reload' : 'stay';
}

export const serviceType: ResourceType<z.output<typeof service>> = {
  name: 'service',
  summary: 'a service',
  schema: service,
  key: ({ name }) => name,
  want: ({ running, enabled }) => ({ running, enabled, reload: 'not due' }),
  probe: (batch) => probe('service', batch),
  comparison: {
    action: (attributes, actual) =>
      actual === null ? 'create' : attributes.every(({ name }) => name === 'reload') ? 'reload' : 'update',
  },
  apply: (changes) =>
    changes.map((change) => {
      const { name, enabled, reads } = change.desired;
      return step({ ids: [change.id], do: 'service', name, enabled, reads, turn: turnOf(change) });
    }),
  order: { stage: 'service' },
  runtime: {
    triggers: ({ running, reads }) => (running ? [{ action: 'reload', paths: reads }] : []),
    whenDue,
    transaction: ({ validates, reads }) => (validates ? { trees: reads, validate: sh`true` } : undefined),
  },
};

type Record = z.output<typeof record>;

function recordStep({
  id,
  desired: { server, key, value, absent, talks },
}: Change<Record>): Step | Conversation {
  const instruction: Instruction = { ids: [id], do: 'record', server, key, value: absent ? null : value };
  if (!talks) return step(instruction);
  return {
    resources: [id],
    title: 'record',
    converse: async (ask) => {
      await ask(instruct(instruction));
    },
  };
}

/** What a server holds: it cannot be read while the server does not run. */
export const recordType: ResourceType<Record> = {
  name: 'record',
  summary: 'a record of a server',
  schema: record,
  key: ({ server, key }) => `${server}/${key}`,
  want: ({ absent, value }) => (absent ? null : { value }),
  probe: (batch) => probe('record', batch),
  apply: (changes) => changes.map(recordStep),
};

export type Place = Pick<DeclaredResource, 'role' | 'play'>;

export function placed<Desired extends object>(
  type: ResourceType<Desired>,
  attributes: object,
  { role, play }: Place,
  needs: readonly ResourceId[],
): DeclaredResource {
  const desired = type.schema.parse(attributes);
  return { id: `${type.name}:${type.key(desired)}`, type, desired, needs, role, play };
}
