import * as api from '../index.ts';
import { targetsOf } from '../inventory/target.ts';
import { readSiteModel } from '../site/model.ts';
import { createConnect } from '../transport/connect.ts';
import { parentChannel } from '../workers/process.ts';
import { serve } from '../workers/serve.ts';
import { siteWorker } from '../workers/site-worker.ts';
import { packageFolder } from './project.ts';

// Started by a run with several --workers, and of its process group: what ends the run is for the run to decide.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

serve(parentChannel(), async (settings, { site: file, inventory, variables, generated }, report) => {
  const site = await readSiteModel({
    ...{ file, inventory, variables, packageFolder, api },
    // The run has made all there are, before it started any worker.
    generate: () => Promise.resolve(generated),
  });
  return siteWorker({ site, targets: targetsOf(variables), connect: createConnect(), settings, report });
});
