import { describe, expect, it } from 'vitest';
import { HostwrightErrors } from '../../src/errors.ts';
import { orderNodes } from '../../src/plan/graph.ts';
import { parseMounts, type Mount } from '../../src/plan/mounts.ts';
import { planHost } from '../../src/plan/plan.ts';
import { authorizedKey } from '../../src/resources/authorized-key.ts';
import { directory } from '../../src/resources/directory.ts';
import { file } from '../../src/resources/file.ts';
import { link } from '../../src/resources/link.ts';
import type { Resource } from '../../src/resources/resource.ts';
import type { State } from '../../src/resources/state.ts';
import { tlsBundle } from '../../src/resources/certificate/tls-bundle.ts';
import { unit } from '../../src/resources/service/unit.ts';
import { placed } from '../../src/testing/index.ts';

const at = '/srv/data';

/** The changes of resources in one state, or the errors, each as its resource and what was found. */
function plan(found: State | null, mounts: readonly Mount[], ...declared: readonly Resource[]) {
  const resources = declared.map((one) => placed(one));
  const states = new Map(resources.map(({ id }) => [id, found]));
  try {
    const { changes } = planHost('web1', resources, orderNodes('web1', resources), states, mounts);
    return [...changes.values()].map(({ id, attributes }) => ({ id, attributes }));
  } catch (error) {
    if (!(error instanceof HostwrightErrors)) throw error;
    return error.errors.map(({ code, place, found: seen, hint }) => ({ code, place, found: seen, hint }));
  }
}

const folder = { kind: 'directory', owner: 'root', group: 'root', mode: '0755' };
const full = { ...folder, entries: '12,403 (1.2 GiB)' };
const going = { name: 'entries', from: '12,403 (1.2 GiB)', to: undefined };

describe('a folder that is not empty', () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0+x/Zl0pXyBn0R5m1T6VxkKc0rj1VZk6n0kqWmS3aB anna';

  it.each<readonly [string, Resource, RegExp]>([
    ['a file', file(at, {}), /force: true/],
    ['an absent file', file(at, { absent: true }), /force: true/],
    ['a link', link(at, { to: '/mnt' }), /force: true/],
    ['an absent link', link(at, { absent: true }), /force: true/],
    ['a unit', unit('x.service', { content: '[Service]\n' }), /^move the folder away, or remove it$/],
    ['a certificate', tlsBundle(at, { names: ['a'] }), /^move the folder away, or remove it$/],
    ['a key', authorizedKey('anna', key), /^move the folder away, or remove it$/],
  ])('is refused in the place of %s, with what it holds', (_, resource, hint) => {
    const { id } = placed(resource);
    expect(plan(full, [], resource)).toEqual([
      {
        code: 'E_REFUSED',
        place: { host: 'web1', resource: id },
        found: expect.stringContaining('entries 12,403 (1.2 GiB)'),
        hint: expect.stringMatching(hint),
      },
    ]);
  });

  it('goes where that is said outright, and the plan says how much', () => {
    expect(plan(full, [], directory(at, { absent: true }))).toEqual([
      { id: `directory:${at}`, attributes: [going] },
    ]);
    const [change] = plan(full, [], link(at, { to: '/mnt', force: true }));
    expect(change).toMatchObject({ id: `link:${at}`, attributes: expect.arrayContaining([going]) });
  });

  it('is refused together with all others of the host', () => {
    expect(plan(full, [], file(at, {}), link('/srv/other', { to: 'x' }))).toHaveLength(2);
  });
});

describe('a mount', () => {
  const disk = (path: string, isConfigured: boolean): Mount => ({
    at: path,
    what: '/dev/sdb (ext4)',
    isConfigured,
  });

  it.each([
    ['in the folder', disk(`${at}/a b`, true)],
    ['at the folder', disk(at, true)],
  ])('%s keeps it from being removed, whatever is said', (_, mount) => {
    for (const resource of [directory(at, { absent: true }), link(at, { to: 'x', force: true })]) {
      expect(plan(full, [mount], resource)).toMatchObject([
        {
          code: 'E_REFUSED',
          found: `${mount.at}: /dev/sdb (ext4)`,
          hint: `unmount it first, with umount ${mount.at}`,
        },
      ]);
    }
  });

  it('beside it, or in a folder that stays, is of no concern', () => {
    expect(plan(folder, [disk(`${at}/a`, false), disk('/srv/data2', false)], directory(at))).toEqual([]);
    expect(plan(full, [disk('/srv/data2', false)], directory(at, { absent: true }))).toHaveLength(1);
  });

  it('over what is declared is refused where nothing would mount it again', () => {
    expect(plan(folder, [disk(at, true)], directory(at))).toEqual([]);
    expect(plan(folder, [disk(at, false)], directory(at))).toMatchObject([
      { code: 'E_REFUSED', found: `${at}: /dev/sdb (ext4)`, hint: expect.stringContaining(`umount ${at};`) },
    ]);
  });
});

describe('what a host says of its mounts', () => {
  it('is read with what mounts them again', () => {
    const said = `mount / / overlay overlay
mount /run / tmpfs tmpfs
mount /srv/my\\040d\\303\\244ta /copy ext4 /dev/sda1
mount /srv/disk / ext4 /dev/sdb1
mount /srv/unit-1 / xfs /dev/sdc1
mount /srv/auto / autofs systemd-1
mount /srv/auto / nfs server:/x
mount /tank / zfs tank
fstab /srv/disk
unit srv-unit\\x2d1.mount
`;
    expect(parseMounts(Buffer.from(said))).toEqual([
      { at: '/', what: 'overlay (overlay)', isConfigured: true },
      { at: '/run', what: 'tmpfs (tmpfs)', isConfigured: true },
      { at: '/srv/my däta', what: '/copy of /dev/sda1 (ext4)', isConfigured: false },
      { at: '/srv/disk', what: '/dev/sdb1 (ext4)', isConfigured: true },
      { at: '/srv/unit-1', what: '/dev/sdc1 (xfs)', isConfigured: true },
      { at: '/srv/auto', what: 'systemd-1 (autofs)', isConfigured: true },
      { at: '/srv/auto', what: 'server:/x (nfs)', isConfigured: true },
      { at: '/tank', what: 'tank (zfs)', isConfigured: true },
    ]);
  });

  it('may be nothing', () => {
    expect(parseMounts(Buffer.from(''))).toEqual([]);
  });
});

it('nothing is removed of a directory while something is mounted in it', () => {
  const found = { ...folder, undeclared: 'a.conf, old/ (1 entry, 0 KiB)' };
  const exclusive = directory(at, { exclusive: true });
  const mounted = (where: string): readonly Mount[] => [{ at: where, what: 'tmpfs', isConfigured: true }];
  for (const where of [`${at}/old/data`, `${at}/old`, `${at}/a.conf`]) {
    expect(plan(found, mounted(where), exclusive)).toEqual([
      {
        code: 'E_REFUSED',
        place: { host: 'web1', resource: `directory:${at}` },
        found: `${where}: tmpfs`,
        hint: `unmount it first, with umount ${where}`,
      },
    ]);
  }
  expect(plan(found, mounted(`${at}/other`), exclusive)).toHaveLength(1);
});
