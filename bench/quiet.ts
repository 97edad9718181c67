import { z } from 'zod';

const summarySchema = z.object({
  type: z.literal('summary'),
  hosts: z.record(
    z.string(),
    z.object({
      resources: z.number(),
      changes: z.number(),
      failed: z.number(),
      unreachable: z.boolean(),
      roundTrips: z.number(),
    }),
  ),
});

type Hosts = z.output<typeof summarySchema>['hosts'];

/** The hosts of a run with `--json`. */
export function hostsOf(stdout: string): Hosts {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return summarySchema.parse(JSON.parse(last)).hosts;
}

/** Throws unless each of the hosts was found as declared in two round trips; gives the resources of each. */
export function checkQuiet(hosts: Hosts, names: readonly string[]): readonly number[] {
  return names.map((name) => {
    const host = hosts[name];
    if (host?.changes !== 0 || host.roundTrips !== 2 || host.failed > 0 || host.unreachable)
      throw new Error(`${name} was not a no-op: ${JSON.stringify(host)}`);
    return host.resources;
  });
}
