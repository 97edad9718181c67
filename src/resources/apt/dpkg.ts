import { z } from 'zod';
import { lines, sh } from '../../transport/shell.ts';
import { aptGet } from './apt-get.ts';
import { declare, defineResource, type Resource, type ResourceOptions } from '../resource.ts';
import { withoutStarting } from './start-policy.ts';

const schema = z.strictObject({ absent: z.literal(false).optional() });

/** Of a package that an interrupted dpkg has left behind; `installed` and `config-files` are at rest. */
const halfway = 'half-installed|unpacked|half-configured|triggers-awaited|triggers-pending';

/**
 * The journal of dpkg has numbered entries only while it works, or after it was killed. A dpkg that works now
 * holds its lock, and is no damage. A host at rest, as nearly all are, is asked by one look into the list of packages.
 */
const probe = sh`for journal in /var/lib/dpkg/updates/[0-9]*; do break; done
if [ ! -e "$journal" ]; then
  found=0
  grep -qE ${`^Status: [a-z]+ [a-z]+ (${halfway})$`} /var/lib/dpkg/status || found=$?
  if [ "$found" -eq 1 ]; then exit; fi
fi
lock=$(stat -c %i /var/lib/dpkg/lock 2>/dev/null || echo none)
if grep -q ":$lock " /proc/locks; then exit; fi
if [ -e "$journal" ]; then echo journal; fi
dpkg-query -W -f '\${db:Status-Status} \${Package}\n' | grep -E ${`^(${halfway}) `} || :`;

export const dpkgType = defineResource({
  name: 'dpkg',
  summary: 'The state of dpkg: an interrupted run of dpkg is finished',
  schema,
  key: () => 'system',
  want: () => ({ interrupted: false, unfinished: 'none' }),
  probe: (batch) => ({
    script: probe,
    parse: (output) => {
      const found = output.toString('utf8').split('\n');
      const names = found.flatMap((line) => line.split(' ')[1] ?? []).toSorted();
      const unfinished = names.length === 0 ? 'none' : names.join(', ');
      return batch.map(() => ({ interrupted: found.includes('journal'), unfinished }));
    },
  }),
  apply: (changes, host) => [
    {
      resources: changes.map((change) => change.id),
      title: 'finish the interrupted run of dpkg: dpkg --configure -a',
      script: withoutStarting(
        host.declared('service'),
        lines([
          aptGet,
          // What it cannot configure alone, for want of a package, apt brings.
          sh`env DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a >"$HW/dpkg" 2>&1 || :
hw_apt --fix-broken install || { tail -n 20 "$HW/dpkg" >&2; exit 1; }`,
        ]),
      ),
      timeout: 30 * 60_000,
    },
  ],
  // Nothing can be installed before.
  order: { stage: 'source' },
});

/** dpkg at rest: `dpkg()`. */
export function dpkg(options?: ResourceOptions): Resource {
  return declare(dpkgType, {}, options);
}
