import { describe, expect, it } from 'vitest';
import { rollback } from '../../roles/app/actions.ts';
import { variables, type Variables } from '../../roles/app/variables.ts';
import { Secret } from '../../src/secrets/secret.ts';
import type { HostActionContext } from '../../src/roles/action.ts';

type Context = HostActionContext<Variables, { readonly release?: string | undefined }>;

const vars = variables.parse({
  ...{ app_source: 'shop', app_command: ['/bin/true'], app_database_password: new Secret('password') },
});

/** Hosts by what is on them: the current release, then all of them, the newest first. */
async function planned(onHosts: Readonly<Record<string, readonly string[]>>, release?: string) {
  const hosts = Object.entries(onHosts).map(([name, lines]) => ({
    ...{ name, address: name, groups: ['app'], vars },
    run: () => Promise.resolve(`${lines.join('\n')}\n`),
  }));
  const args = { release };
  const [host] = hosts;
  if (host === undefined) throw new TypeError('no hosts');
  const context: Context = { hosts, host, args, site: { hosts: () => [], declared: () => [] } };
  const plan = await rollback.plan?.(context);
  return plan?.sets?.map(({ name, value, group }) => `${group}: ${name}=${value}`);
}

describe('a rollback of the application', () => {
  it('goes to the release before the current one, which all hosts must have', async () => {
    const all = { web1: ['c', 'c', 'b', 'a'], web2: ['c', 'c', 'a'] };
    expect(await planned(all)).toEqual(['app: app_release=a']);
    expect(await planned({ web1: ['b', 'c', 'b', 'a'] })).toEqual(['app: app_release=a']);
  });

  it('goes to what the others have where a release has stopped half way', async () => {
    expect(await planned({ web1: ['c', 'c', 'b', 'a'], web2: ['b', 'b', 'a'] })).toEqual([
      'app: app_release=b',
    ]);
    expect(await planned({ web1: ['c', 'c', 'b', 'a'], web2: ['b', 'c', 'b', 'a'] })).toEqual([
      'app: app_release=b',
    ]);
  });

  it('goes to the one that is named', async () => {
    expect(await planned({ web1: ['c', 'c', 'b', 'a'] }, 'a')).toEqual(['app: app_release=a']);
  });

  it('is refused where not all hosts have it, and says what they have', async () => {
    await expect(planned({ web1: ['c', 'c', 'b'], web2: ['c', 'c'] })).rejects.toMatchObject({
      code: 'E_REFUSED',
      found: 'web1: c (current), b; web2: c (current)',
    });
    await expect(planned({ web1: ['c', 'c', 'b'], web2: [], web3: ['', 'b'] })).rejects.toMatchObject({
      found: 'web1: c (current), b; web2: none; web3: b',
    });
    await expect(planned({ web1: ['c', 'c', 'b'], web2: ['c', 'c'] }, 'b')).rejects.toMatchObject({
      code: 'E_REFUSED',
    });
  });
});
