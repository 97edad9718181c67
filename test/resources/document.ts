import { z } from 'zod';
import type { ResourceType } from '../../src/resources/resource.ts';

/** As much of a JSON Schema as zod makes of the types. */
const shapeSchema = z.object({
  type: z.string().optional(),
  title: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  get anyOf() {
    return z.array(shapeSchema).optional();
  },
  get items() {
    return shapeSchema.optional();
  },
  get properties() {
    return z.record(z.string(), shapeSchema).optional();
  },
  required: z.array(z.string()).optional(),
});

type Shape = z.output<typeof shapeSchema>;

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

/** What stands for an attribute that this variant does not have. */
const nothing = 'nothing';

function plural(word: string): string {
  return /^[a-z]+$/.test(word) ? `${word}s` : word;
}

/** `list of strings`, `string or Secret`. */
function kind(shape: Shape): string {
  if (shape.title !== undefined) return shape.title;
  if (shape.const !== undefined) return code(shape.const);
  if (shape.enum !== undefined) return shape.enum.map(code).join(' or ');
  if (shape.anyOf !== undefined) return [...new Set(shape.anyOf.map(kind))].join(' or ');
  if (shape.type === 'array')
    return `list of ${plural(shape.items === undefined ? 'value' : kind(shape.items))}`;
  return shape.type ?? nothing;
}

function attribute(name: string, shape: Shape, required: boolean, indent = ''): readonly string[] {
  const standard = shape.default === undefined ? [] : [`default ${code(shape.default)}`];
  const facts = [kind(shape), ...(required ? ['required'] : []), ...standard].join(', ');
  const text = shape.description === undefined ? '' : `: ${shape.description}`;
  return [`${indent}- **${name}** (${facts})${text}`, ...attributes(shape, `${indent}  `)];
}

function attributes(shape: Shape, indent = ''): readonly string[] {
  const required = shape.required ?? [];
  return Object.entries(shape.properties ?? {})
    .filter(([, value]) => value.const !== false && kind(value) !== nothing)
    .flatMap(([name, value]) =>
      // With a default there is nothing that must be written.
      attribute(name, value, required.includes(name) && value.default === undefined, indent),
    );
}

function section(type: ResourceType): string {
  const shape = shapeSchema.parse(z.toJSONSchema(type.schema, { io: 'input', unrepresentable: 'any' }));
  const variants = (shape.anyOf ?? [shape]).map((variant) => attributes(variant).join('\n'));
  // One without attributes is its heading and its sentence.
  const text = variants.join('\n\nor\n\n');
  return `## ${type.name}\n\n${type.summary}.\n${text === '' ? '' : `\n${text}\n`}`;
}

const introduction = `# Resources

One declared piece of the state of a host each. This page is made from the schemas of the types: \`npm run docs\`.

Every constructor takes what identifies the resource first, then its attributes, then \`{ needs: ['type:key'] }\` for what must come first beyond what follows from the attributes. Unknown attributes are errors. \`absent: true\`, where there is such an attribute, asks for the removal.

A timer is a \`unit\` with a \`service\` of the same name; a time zone is a \`link\` from \`/etc/localtime\` to \`/usr/share/zoneinfo/…\`.
`;

/** The text of docs/resources.md. */
export function documentation(types: readonly ResourceType[]): string {
  return [introduction, ...types.map(section)].join('\n');
}
