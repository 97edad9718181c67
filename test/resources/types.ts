import { readdirSync } from 'node:fs';
import { z } from 'zod';
import type { ResourceType } from '../../src/resources/resource.ts';

const folder = new URL('../../src/resources/', import.meta.url);

const typeShape = z.looseObject({
  name: z.string(),
  summary: z.string(),
  schema: z.instanceof(z.ZodType),
  probe: z.function(),
});

function isType(value: unknown): value is ResourceType {
  return typeShape.safeParse(value).success;
}

interface FoundType {
  readonly type: ResourceType;
  /** What else its file exports: its constructor is among them. */
  readonly beside: readonly unknown[];
}

async function typesIn(name: string): Promise<readonly FoundType[]> {
  const exported: Readonly<Record<string, unknown>> = await import(new URL(name, folder).href);
  const values = Object.values(exported);
  return values.filter(isType).map((type) => ({ type, beside: values.filter((value) => value !== type) }));
}

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);

/** Every type of resource that a file below `src/resources` exports, by name. */
export const foundTypes: readonly FoundType[] = (await Promise.all(files.map(typesIn)))
  .flat()
  .toSorted((a, b) => a.type.name.localeCompare(b.type.name));

export const resourceTypes: readonly ResourceType[] = foundTypes.map(({ type }) => type);
