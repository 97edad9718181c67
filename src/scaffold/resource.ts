import type { Names } from './names.ts';
import type { Draft } from './write.ts';

/** A type that keeps one line of text in a file of its own, with its test. */
export function resourceFiles({ snake, kebab, camel }: Names): readonly Draft[] {
  return [
    {
      path: `resources/${kebab}.ts`,
      text: `import { declare, defineResource, each, lines, oneLine, replaceFunctions, sh, z, type Resource, type ResourceOptions } from 'hostwright';

const schema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected lower-case letters, digits and "-"'),
  value: oneLine.default('').describe('The text that it has'),
  absent: z.boolean().default(false),
});

const folder = '/etc/${kebab}';

export const ${camel}Type = defineResource({
  name: '${snake}',
  summary: 'One line of text below /etc/${kebab}',
  schema,
  key: ({ name }) => name,
  // null for absent; its names are those that parse gives.
  want: ({ value, absent }) => (absent ? null : { value }),
  // One script for all, which changes nothing and ends with 0 where things are absent.
  probe: (batch) => ({
    script: lines(
      batch.map(({ name }) => {
        const file = \`\${folder}/\${name}\`;
        return sh\`if [ -f \${file} ]; then printf 'value=%s\\n' "$(head -c 4096 \${file} | head -n 1)"; else echo absent; fi\`;
      }),
    ),
    parse: (output) => {
      const answers = output.toString('utf8').split('\\n');
      return batch.map(({ name }, index) => {
        const [, value] = /^(?:absent|value=(.*))$/.exec(answers[index] ?? '') ?? [name];
        if (value === undefined && answers[index] !== 'absent') throw new RangeError(\`no answer for \${name}\`);
        return value === undefined ? null : { value };
      });
    },
  }),
  // Runs as root with set -eu, perhaps twice: hw_replace makes the file elsewhere and renames it when it is whole.
  apply: each(({ id, action, desired: { name, value } }) => {
    const file = \`\${folder}/\${name}\`;
    if (action === 'delete') return { resources: [id], title: \`remove \${file}\`, script: sh\`rm -f \${file}\` };
    return {
      resources: [id],
      title: \`write \${file}\`,
      script: sh\`\${replaceFunctions}
printf '%s\\n' \${value} | hw_replace 0644 \${file}\`,
    };
  }),
});

/** One line of text below /etc/${kebab}: \`${camel}('greeting', { value: 'Hello' })\`. */
export function ${camel}(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(${camel}Type, { name, ...attributes }, options);
}
`,
    },
    {
      path: `test/${kebab}-resource.test.ts`,
      text: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkType, planOf, statesOf } from 'hostwright/testing';
import { ${camel}, ${camel}Type } from '../resources/${kebab}.ts';

const greeting = ${camel}('greeting', { value: "it's $HOME" });

test('it holds what every type promises', async () => {
  await checkType(${camel}Type, [greeting, ${camel}('old', { absent: true })]);
});

test('it reads what its probe prints', () => {
  const { parse } = ${camel}Type.probe([
    { name: 'a', value: '', absent: false },
    { name: 'b', value: '', absent: false },
  ]);
  assert.deepEqual(parse(Buffer.from('value=Hello\\nabsent\\n')), [{ value: 'Hello' }, null]);
  assert.throws(() => parse(Buffer.from('garbage\\n')), RangeError);
});

test('it is made where it is absent, updated where it differs, and left alone where it is as declared', () => {
  const actions = (found: Parameters<typeof planOf>[1]) => planOf([greeting], found).map(({ action }) => action);
  assert.deepEqual(actions({}), ['create']);
  assert.deepEqual(actions({ '${snake}:greeting': { value: 'x' } }), ['update']);
  assert.deepEqual(actions(statesOf([greeting])), []);
});
`,
    },
  ];
}
