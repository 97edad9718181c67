import { z } from 'zod';
import { sh } from '../transport/shell.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from './resource.ts';
import { replaceFunctions } from './shell/replace.ts';
import { each } from './step.ts';

const schema = z.strictObject({
  name: z
    .string()
    .max(64)
    .regex(
      /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
      'expected a host name of lower-case letters, digits and "-"',
    ),
  absent: z.literal(false).optional(),
});

export const hostnameType = defineResource({
  name: 'hostname',
  summary: 'The name of the host, now and after the next boot',
  schema,
  // A host has one name: two roles that want different ones must collide.
  key: () => 'system',
  want: ({ name }) => ({ running: name, persisted: name }),
  probe: (batch) => ({
    script: sh`cat /proc/sys/kernel/hostname /etc/hostname 2>/dev/null || :`,
    parse: (output) => {
      const [running, ...rest] = output.toString('utf8').split('\n');
      if (running === undefined || running === '') throw new RangeError('the kernel says no name');
      const persisted = rest.find((entry) => entry !== '' && !entry.startsWith('#')) ?? null;
      return batch.map(() => ({ running, persisted }));
    },
  }),
  apply: each(({ id, desired: { name } }) => ({
    resources: [id],
    title: `name the host ${name}`,
    // First the kernel: a name that it refuses is not kept for the next boot either.
    script: sh`${replaceFunctions}
hostname ${name}
printf '%s\n' ${name} | hw_replace 0644 /etc/hostname`,
  })),
  order: { provides: () => false },
});

/** The name of the host: `hostname('web1')`. */
export function hostname(name: string, options?: ResourceOptions): Resource {
  return declare(hostnameType, { name }, options);
}
