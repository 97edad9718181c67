import { action, HostwrightError, sh, z, type ActionHost } from 'hostwright';
import type { Variables } from './variables.ts';

type Host = ActionHost<Variables>;

/** The releases of a host, the newest first; `current` is empty where none is. */
interface Found {
  readonly host: Host;
  readonly current: string;
  readonly releases: readonly string[];
}

async function find(host: Host): Promise<Found> {
  const folder = `/srv/${host.vars.app_name}`;
  const answer = await host.run(sh`[ -d ${`${folder}/releases`} ] || exit 0
basename "$(readlink ${`${folder}/current`})"
cd ${`${folder}/releases`}
find . -mindepth 2 -maxdepth 2 -name .hostwright-release -printf '%T@ %h\n' | sort -rn | sed 's|^[^ ]* \./||'`);
  const [current = '', ...releases] = answer.split('\n');
  return { host, current, releases: releases.filter((name) => name !== '') };
}

function refuse(message: string, found: readonly Found[], hint: string): HostwrightError {
  return new HostwrightError('E_REFUSED', message, {
    found: found
      .map(({ host, current, releases }) => {
        const others = releases.filter((name) => name !== current);
        const all = current === '' ? others : [`${current} (current)`, ...others];
        return `${host.name}: ${all.join(', ') || 'none'}`;
      })
      .join('; '),
    hint,
  });
}

/** The release to go back to, which all hosts have: the one that is named, else the one before the current one. */
function chosen(found: readonly Found[], wanted: string | undefined): string {
  const hint = 'older releases are removed after app_keep_releases; deploy it from its source with `apply`';
  const [first] = found;
  const onAll =
    first?.releases.filter((name) => found.every(({ releases }) => releases.includes(name))) ?? [];
  if (wanted !== undefined) {
    if (onAll.includes(wanted)) return wanted;
    throw refuse(`not all hosts have the release ${wanted}`, found, hint);
  }
  const currents = new Set(found.map(({ current }) => current));
  const oldest = Math.max(...[...currents].map((current) => onAll.indexOf(current)));
  // Where a release has stopped half way, back to what the others have.
  const earlier = onAll[currents.size > 1 ? Math.max(oldest, 0) : oldest + 1];
  if (earlier !== undefined) return earlier;
  throw refuse('no earlier release is on all hosts', found, hint);
}

export const rollback = action({
  summary: 'go back to an earlier release that is still on the hosts',
  arguments: z.object({
    release: z.string().optional().describe('its name, as in /srv/NAME/releases; default: the one before'),
  }),
  on: 'site',
  async plan({
    hosts,
    args,
  }: {
    readonly hosts: readonly Host[];
    readonly args: { release?: string | undefined };
  }) {
    const found = await Promise.all(hosts.map(find));
    const name = chosen(found, args.release);
    const [group] = new Set(hosts.map(({ vars }) => vars.app_group));
    return {
      steps: [],
      remarks: [
        `app_release holds the application at ${name}: remove it from the inventory to deploy app_source again`,
      ],
      sets: [{ name: 'app_release', value: name, group: group ?? 'app' }],
      apply: { roles: ['app'] },
      verify: () => Promise.resolve(`${hosts.map((host) => host.name).join(', ')} go to the release ${name}`),
    };
  },
});
