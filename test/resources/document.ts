import { readFileSync } from 'node:fs';
import { z } from 'zod';
import * as api from '../../src/index.ts';
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

/** The text of the example of a type, as examples.ts has it: the items of its list. */
function exampleText(name: string): string {
  const source = readFileSync(new URL('examples.ts', import.meta.url), 'utf8');
  const [, one, several] =
    new RegExp(`^  ${name}: \\[(?:(.+)\\],|\\n([^]*?)^  \\],)$`, 'm').exec(source) ?? [];
  if (several !== undefined) return several.replaceAll(/^ {4}/gm, '').trimEnd();
  if (one !== undefined) return `${one},`;
  throw new Error(`test/resources/examples.ts has no example of the type ${name}: add \`${name}: [ … ]\``);
}

/** `file(path, attributes, options?)`: the parameters of the function as it runs. */
function signature(constructor: string): string {
  const value: unknown = Object.entries(api).find(([name]) => name === constructor)?.[1];
  const [, parameters = ''] = /\(([^)]*)\)/.exec(String(value)) ?? [];
  const names = parameters
    .split(',')
    // The sources call the attribute `path` so beside the schema of that name.
    .map((parameter) => parameter.trim().replace(/^at$/, 'path'))
    .filter((parameter) => parameter !== '')
    .map((parameter) => (/=|^options$/.test(parameter) ? `${parameter.replace(/\s*=.*/, '')}?` : parameter));
  return `${constructor}(${names.join(', ')})`;
}

/** What the example imports, how its constructor is called, and its text. */
function example(name: string): string {
  const text = exampleText(name);
  const words = new Set(text.replaceAll(/'[^']*'/g, '').match(/\b\w+(?=\()/g));
  const imports = Object.keys(api).filter((exported) => words.has(exported));
  const [constructor = ''] = /^\w+/.exec(text) ?? [];
  return `\`${signature(constructor)}\`

\`\`\`ts
import { ${imports.join(', ')} } from 'hostwright';

const resources = [
${text.replaceAll(/^(?=.)/gm, '  ')}
];
\`\`\``;
}

function section(type: ResourceType): string {
  const shape = shapeSchema.parse(z.toJSONSchema(type.schema, { io: 'input', unrepresentable: 'any' }));
  const variants = (shape.anyOf ?? [shape]).map((variant) => attributes(variant).join('\n'));
  // One without attributes is its heading and its sentence.
  const text = variants.join('\n\nor\n\n');
  return `## ${type.name}\n\n${type.summary}.\n\n${example(type.name)}\n${text === '' ? '' : `\n${text}\n`}`;
}

const introduction = `# Resources

A resource is one declared piece of the state of a host. \`npm run docs\` writes this page from the schemas of the types and from test/resources/examples.ts, whose examples are type-checked and checked against the schemas.

A constructor takes the identity of the resource first, then its attributes, then options. The only option is \`{ needs: ['type:key'] }\`: resources that must come first, beyond those that follow from the attributes. Unknown attributes are errors. \`absent: true\` removes the resource, if the type has that attribute.

In the examples \`vars\` are the variables of the role. Those that hold secrets are declared with \`secret()\`: [writing-roles.md](writing-roles.md#variables).

A timer is a \`unit\` with a \`service\` of the same name; a time zone is a \`link\` from \`/etc/localtime\` to \`/usr/share/zoneinfo/…\`.
`;

/** The text of docs/resources.md. */
export function documentation(types: readonly ResourceType[]): string {
  return [introduction, ...types.map(section)].join('\n');
}
