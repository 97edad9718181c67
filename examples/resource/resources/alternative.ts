import {
  declare,
  defineResource,
  each,
  lines,
  path,
  sh,
  z,
  type Resource,
  type ResourceOptions,
} from 'hostwright';

const schema = z.strictObject({
  name: z.string().regex(/^[\w.+-]+$/, 'expected the name of an alternative, such as "pager"'),
  to: path.describe('The program that it leads to; a package must have registered it'),
});

export const alternativeType = defineResource({
  name: 'alternative',
  summary: 'The choice among programs that do the same (update-alternatives)',
  schema,
  key: (alternative) => alternative.name,
  want: (alternative) => ({ to: alternative.to }),
  probe: (batch) => ({
    script: lines(
      batch.map(
        ({ name }) =>
          sh`printf 'to=%s\n' "$(update-alternatives --query ${name} 2>/dev/null | sed -n 's/^Value: //p')"`,
      ),
    ),
    parse: (output) => {
      const answers = output.toString('utf8').split('\n');
      return batch.map(({ name }, index) => {
        const to = /^to=(.*)$/.exec(answers[index] ?? '')?.[1];
        if (to === undefined) throw new RangeError(`no answer for ${name}`);
        return to === '' ? null : { to };
      });
    },
  }),
  apply: each(({ id, desired: { name, to } }) => ({
    resources: [id],
    title: `choose ${to} as ${name}`,
    script: sh`update-alternatives --set ${name} ${to} >&2`,
  })),
});

/** A choice among programs: `alternative('pager', { to: '/usr/bin/less' })`. */
export function alternative(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'>,
  options?: ResourceOptions,
): Resource {
  return declare(alternativeType, { name, ...attributes }, options);
}
