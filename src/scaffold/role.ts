import type { Names } from './names.ts';
import type { Draft } from './write.ts';

/** A role that writes one file from a template, with its test. */
export function roleFiles({ snake, kebab, camel }: Names): readonly Draft[] {
  return [
    {
      path: `roles/${snake}/role.ts`,
      text: `import { defineRole, file, z } from 'hostwright';

export default defineRole({
  name: '${snake}',
  variables: z.object({
    ${snake}_word: z.string().default('Hello').describe('the first word of the file'),
  }),
  resources: ({ vars, host, template }) => [
    file('/etc/${kebab}.conf', {
      content: template('${snake}/${kebab}.conf.hbs', { host, word: vars.${snake}_word }),
    }),
  ],
});
`,
    },
    { path: `templates/${snake}/${kebab}.conf.hbs`, text: '{{word}} from {{host.name}}\n' },
    {
      path: `roles/${snake}/README.md`,
      text: `# ${snake}

Writes \`/etc/${kebab}.conf\`.

| variable | default | |
| --- | --- | --- |
| \`${snake}_word\` | \`Hello\` | the first word of the file |
`,
    },
    {
      path: `test/${kebab}-role.test.ts`,
      text: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofType, planOf, resourcesOf, statesOf } from 'hostwright/testing';
import ${camel} from '../roles/${snake}/role.ts';

test('the file begins with the word that is set', () => {
  const resources = resourcesOf(${camel}, { variables: { ${snake}_word: 'Hi' } });
  assert.deepEqual(ofType(resources, 'file'), [{ path: '/etc/${kebab}.conf', content: 'Hi from web1\\n' }]);
});

test('a word that is not text is refused', () => {
  assert.throws(() => resourcesOf(${camel}, { variables: { ${snake}_word: 1 } }), /${snake}_word/);
});

test('a bare host gets the file, and a second run changes nothing', () => {
  const resources = resourcesOf(${camel});
  assert.deepEqual(
    planOf(resources, {}).map(({ id, action }) => [id, action]),
    [['file:/etc/${kebab}.conf', 'create']],
  );
  assert.deepEqual(planOf(resources, statesOf(resources)), []);
});
`,
    },
  ];
}
