import { HostwrightError } from '../errors.ts';
import { deviations, staleError, type SavedPlan } from '../plan/saved.ts';
import type { OpenRun } from './open-run.ts';
import type { RunOptions } from './options.ts';

/** The options of a saved plan with those of this command line. */
export function savedOptions<Options extends RunOptions>(saved: SavedPlan, options: Options): Options {
  const given = (['inventory', 'site', 'limit', 'shard', 'role', 'deep'] as const).find(
    (name) => options[name] !== undefined,
  );
  if (given !== undefined) {
    throw new HostwrightError('E_USAGE', 'a saved plan already contains its inventory, hosts and roles', {
      found: `--${given}`,
      hint: `remove --${given}, or make a new plan with it`,
    });
  }
  const { inventory, site, limit, shard, role, deep } = saved.request;
  return {
    ...options,
    inventory,
    ...(site === undefined ? {} : { site }),
    ...(limit === undefined ? {} : { limit }),
    ...(shard === undefined ? {} : { shard }),
    ...(role === undefined ? {} : { role }),
    ...(deep === undefined ? {} : { deep }),
  };
}

/** E_PLAN_STALE, before the first write, when the hosts need other changes than the saved plan names. */
export function checkSaved(file: string, saved: SavedPlan, { hosts, lost }: OpenRun): void {
  const plans = new Map([...hosts].map(([name, { digests }]) => [name, digests]));
  const found = deviations(saved, plans).filter(({ host }) => !lost.has(host));
  if (found.length > 0) throw staleError(file, found);
}
