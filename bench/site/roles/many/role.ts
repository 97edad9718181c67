import { defineRole, directory, file, z } from 'hostwright';

export default defineRole({
  name: 'many',
  variables: z.object({ many_files: z.number().int().min(0).describe('How many files') }),
  resources: ({ vars, host }) => [
    directory('/srv/many'),
    ...Array.from({ length: vars.many_files }, (_, index) =>
      file(`/srv/many/${index}.conf`, { content: `host=${host.name}\nvalue=${index}\n${'x'.repeat(400)}\n` }),
    ),
  ],
});
