import { defineRole, pkg, z } from 'hostwright';
import { alternative } from '../../resources/alternative.ts';

export default defineRole({
  name: 'pager',
  variables: z.object({
    pager_program: z.enum(['less', 'most']).default('less').describe('what shows long texts'),
  }),
  resources: ({ vars: { pager_program: program } }) => [
    pkg(program),
    alternative('pager', { to: `/usr/bin/${program}` }, { needs: [`package:${program}`] }),
  ],
});
