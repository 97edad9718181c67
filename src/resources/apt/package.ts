import { z } from 'zod';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { aptGet } from './apt-get.ts';
import { argv } from '../attribute.ts';
import { prefetch, prefetched } from './prefetch.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import type { Change } from '../state.ts';
import type { ApplyContext, Step } from '../step.ts';
import { withoutStarting } from './start-policy.ts';

const schema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'expected a Debian package name'),
  release: z
    .string()
    .regex(/^\w[\w./~+-]*$/, 'expected the name of a release, such as "sid"')
    .optional()
    .describe('The release to install from, such as `sid`. Default: the default release of the host'),
  held: z
    .boolean()
    .default(false)
    .describe('Keeps the version, also during security upgrades, like `apt-mark hold`'),
  afterFailure: argv
    .optional()
    .describe(
      'A command that runs when the installation failed, before a second attempt: it removes the remains of a failed configuration',
    ),
  absent: z.boolean().default(false).describe('Purges the package with its configuration'),
});

type Package = z.output<typeof schema>;

const minute = 60_000;

/** What comes from the sources that are there already; others come with their keys. */
function ofDefaultRelease(changes: readonly Change<Package>[]): readonly string[] {
  return changes.flatMap(({ desired: { name, release, absent } }) =>
    absent || release !== undefined ? [] : [name],
  );
}

/** Marks that are in the way of apt-get, or are not declared, go before it; those that are come after it. */
function marks(changes: readonly Change<Package>[]): { readonly before: Script; readonly after: Script } {
  const released = changes.filter(({ actual }) => actual?.['held'] === true);
  const held = changes.filter(({ desired }) => desired.held && !desired.absent);
  const mark = (verb: string, marked: readonly Change<Package>[]): Script =>
    marked.length === 0 ? sh`` : sh`apt-mark ${verb} ${marked.map(({ desired }) => desired.name)} >&2`;
  return { before: mark('unhold', released), after: mark('hold', held) };
}

function transaction(
  changes: readonly Change<Package>[],
  host: ApplyContext,
  later: readonly Change<Package>[] = [],
): Step {
  const installs = changes
    .filter(({ desired, actual }) => !desired.absent && actual?.['installed'] !== true)
    .map((change) => change.desired);
  const removals = changes.filter((change) => change.desired.absent).map((change) => change.desired.name);
  const { before, after } = marks(changes);
  const script = [aptGet, prefetched, before];
  if (removals.length > 0) script.push(sh`hw_apt purge ${removals}`);
  if (installs.length > 0) script.push(sh`hw_apt_update_if_old`);
  if (later.length > 0) script.push(prefetch(ofDefaultRelease(later)));
  for (const release of new Set(installs.map((item) => item.release))) {
    const wanted = installs.filter((item) => item.release === release);
    const target = release === undefined ? [] : ['-t', release];
    const clear = wanted.flatMap(({ afterFailure }) =>
      afterFailure === undefined ? [] : [sh`${afterFailure} >&2`],
    );
    // The lists may be younger than twelve hours and still name versions that the mirror has dropped.
    script.push(sh`hw_install_or_clear() {
  hw_apt install --no-install-recommends ${target} ${wanted.map(({ name }) => name)} && return
  ${lines(clear)}
  return 1
}
hw_install_or_clear || { hw_apt update; hw_install_or_clear; }`);
  }
  script.push(after);
  const verb = installs.length > 0 ? 'install' : removals.length > 0 ? 'remove' : 'hold or release';
  return {
    resources: changes.map((change) => change.id),
    title: `${verb} ${changes.map((change) => change.desired.name).join(', ')}`,
    script: withoutStarting(host.declared('service'), lines(script)),
    timeout: 30 * minute,
    isDivisible: true,
  };
}

export const packageType = defineResource({
  name: 'package',
  summary: 'A Debian package; packages that change together are one apt transaction',
  schema,
  key: (item) => item.name,
  want: (item) => (item.absent ? null : { installed: true, held: item.held }),
  probe: (batch) => ({
    script: sh`dpkg-query -W -f '\${Package}\t\${db:Status-Status}\t\${db:Status-Want}\n' ${batch.map((item) => item.name)} 2>/dev/null || :`,
    parse: (output) => {
      const status = new Map<string, { readonly found: string; readonly held: boolean }>();
      for (const line of output.toString('utf8').split('\n')) {
        const [name, found, wanted] = line.split('\t');
        if (name !== undefined && found !== undefined) status.set(name, { found, held: wanted === 'hold' });
      }
      return batch.map((item) => {
        const { found, held } = status.get(item.name) ?? {};
        if (found === undefined || found === 'not-installed' || (found === 'config-files' && !item.absent))
          return null;
        return { installed: found === 'installed', held: held === true };
      });
    },
  }),
  apply: (changes, host, later) => [transaction(changes, host, later)],
  order: { stage: 'package' },
  interruption: { interrupts: ({ actual }) => actual !== null },
  preparation: {
    fetch: (changes) => lines([aptGet, sh`hw_apt_update_if_old`, prefetch(ofDefaultRelease(changes))]),
  },
  access: {
    endsLogin: ({ name, absent }, login) =>
      absent && (name === 'openssh-server' || (name === 'sudo' && login.user !== 'root'))
        ? `${name} would be removed`
        : undefined,
  },
});

/** A Debian package: `pkg('nginx-light')`, `pkg('mysql-server', { release: 'sid' })`. */
export function pkg(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'> = {},
  options?: ResourceOptions,
): Resource {
  return declare(packageType, { name, ...attributes }, options);
}
