import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aptRepository, file, packageFiles, pkg, sh, type Resource, type Script } from '../../src/index.ts';
import { factsScript } from '../../src/plan/facts.ts';
import { findPackages } from '../../src/plan/package-lists.ts';
import { withoutStarting } from '../../src/resources/apt/start-policy.ts';
import {
  converge,
  convergeTogether,
  hostile,
  isUnharmed,
  openRoot,
  probe,
  refuse,
  type Root,
} from '../../src/testing/index.ts';
import { debianMirror } from '../../src/testing/root.ts';

let root: Root;
let mirror: string;

beforeAll(async () => {
  mirror = await debianMirror();
  root = await openRoot({ network: true });
});

afterAll(async () => {
  expect(await isUnharmed(root)).toBe(true);
  await root.close();
});

const backports = (attributes: Partial<Parameters<typeof aptRepository>[1]> = {}): Resource =>
  aptRepository('backports', { uris: [mirror], suites: ['trixie-backports'], ...attributes });
const policy = async (name: string): Promise<string> => await root.ask(sh`apt-cache policy ${name}`);

describe('package', () => {
  test('is installed on a host without lists, and purged', async () => {
    await root.ask(sh`rm -rf /var/lib/apt/lists; mkdir -p /var/lib/apt/lists`);
    await converge(root, pkg('ed'));
    await root.ask(sh`command -v ed`);
    await converge(root, pkg('ed', { absent: true }));
  });

  test('that no source lists is told apart, on a host that has lists', async () => {
    const names = ['ed', 'htpo', 'nosuch+package', 'mail-transport-agent'];
    expect(await root.ask(findPackages(names).script)).toBe('htpo\nnosuch+package\n');
    expect(await root.ask(findPackages(['ed']).script)).toBe('');
    expect(await root.ask(findPackages(['htpo']).script)).toBe('htpo\n');
    await root.ask(sh`mv /var/lib/apt/lists /var/lib/apt/kept; mkdir /var/lib/apt/lists`);
    expect(await root.ask(findPackages(names).script)).toBe('');
    await root.ask(sh`rmdir /var/lib/apt/lists; mv /var/lib/apt/kept /var/lib/apt/lists`);
  });

  test('those that are due together come together', async () => {
    await convergeTogether(root, [pkg('ed'), pkg('time')]);
    expect(await root.ask(sh`grep -c '^Start-Date' /var/log/apt/history.log`)).toBe('3\n');
  });

  test('that is half removed is installed again', async () => {
    await root.ask(sh`dpkg --remove ed >/dev/null`);
    await converge(root, pkg('ed'));
  });

  test('that somebody holds is released, unless it is to be held', async () => {
    await root.ask(sh`apt-mark -qq hold ed`);
    await converge(root, pkg('ed'));
    expect(await root.ask(sh`apt-mark showhold`)).toBe('');
    await converge(root, pkg('ed', { held: true }));
    expect(await root.ask(sh`apt-mark showhold`)).toBe('ed\n');
    await converge(root, pkg('ed', { absent: true }));
    await converge(root, pkg('ed'));
  });

  test('what a failed configuration leaves is cleared before it is tried once more, and after that', async () => {
    // A package that cannot be configured where its data are there already, and fails when it makes them.
    await root.ask(sh`mkdir -p /srv/repository/once/DEBIAN && cd /srv/repository
printf '%s\n' 'Package: once' 'Version: 1' 'Architecture: all' 'Maintainer: nobody <nobody@example.org>' 'Description: once' >once/DEBIAN/control
printf '%s\n' '#!/bin/sh' '[ ! -e /srv/data ] || exit 1' 'touch /srv/data' 'echo tried >>/srv/tries' '[ "$(wc -l </srv/tries)" -ge "$(cat /srv/needed)" ]' >once/DEBIAN/postinst
chmod 0755 once/DEBIAN/postinst
dpkg-deb --build once once.deb >/dev/null
{ cat once/DEBIAN/control; printf '%s\n' 'Filename: ./once.deb' "Size: $(stat -c %s once.deb)" "SHA256: $(sha256sum once.deb | cut -d' ' -f1)"; } >Packages
echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list.d/own.list
apt-get -qq update`);
    await root.ask(sh`echo 2 >/srv/needed`);
    await converge(root, pkg('once', { afterFailure: ['rm', '-f', '/srv/data'] }));
    expect(await root.ask(sh`wc -l </srv/tries`)).toBe('2\n');
    await root.ask(sh`dpkg --purge once >/dev/null; rm -f /srv/data; echo 5 >/srv/needed`);
    const failing = converge(root, pkg('once', { afterFailure: ['rm', '-f', '/srv/data'] }));
    await expect(failing).rejects.toThrow(/Errors were encountered while processing:\n once/);
    expect(await root.ask(sh`ls /srv`)).not.toContain('data');
    await root.ask(
      sh`dpkg --purge --force-all once >/dev/null; rm /etc/apt/sources.list.d/own.list; apt-get -qq update`,
    );
  });

  test('that does not exist is an error in the words of apt', async () => {
    expect(await refuse(root, pkg('no-such-package-anywhere'))).toContain('Unable to locate package');
  });
});

describe('the files of packages', () => {
  const remarksOf = async (others: readonly Resource[] = []): Promise<string> => {
    const found = await probe(root, packageFiles(), others);
    return found === null ? '' : (packageFiles().type.comparison?.remarks?.(found) ?? []).join('\n');
  };

  test('that were changed or removed come back, and each is named with its package', async () => {
    await root.ask(sh`{ apt-get -qq update && apt-get -qq install ed time; } >/dev/null 2>&1
echo '# mine' >>/usr/share/doc/ed/copyright; rm /usr/bin/time`);
    expect(await probe(root, packageFiles())).toMatchObject({
      changed: '/usr/share/doc/ed/copyright (ed)',
      missing: '/usr/bin/time (time)',
      packages: 'ed time',
    });
    await converge(root, packageFiles());
    await root.ask(sh`command -v time; dpkg --verify ed time`);
  });

  test('that are settings stay, and are said unless a role declares them', async () => {
    await root.ask(sh`echo '# mine' >>/etc/bash.bashrc`);
    expect(await probe(root, packageFiles())).toMatchObject({ changed: 'none', missing: 'none' });
    expect(await remarksOf()).toMatch(/settings of packages .*: .*\/etc\/bash.bashrc/);
    const declared = file('/etc/bash.bashrc', { content: '# mine' });
    expect(await remarksOf([declared])).not.toContain('bash.bashrc');
    await root.ask(sh`sed -i '/mine/d' /etc/bash.bashrc`);
  });

  test('that are diverted, chosen among alternatives or of a version of nowhere are said', async () => {
    await root.ask(sh`dpkg-divert --local --no-rename --add /usr/bin/time >/dev/null
update-alternatives --set awk /usr/bin/mawk 2>/dev/null >/dev/null
mkdir -p /root/own/DEBIAN
printf '%s\n' 'Package: time' 'Version: 99' 'Architecture: all' 'Maintainer: x <x@example.org>' 'Description: x' >/root/own/DEBIAN/control
dpkg-deb --build /root/own /root/own.deb >/dev/null
dpkg -i /root/own.deb >/dev/null 2>&1`);
    const said = await remarksOf();
    expect(said).toContain('diverted by hand: /usr/bin/time');
    expect(said).toContain('awk is /usr/bin/mawk');
    expect(said).toMatch(/newer than every source of the host has: time 99 \(newest known: [\d.]/);
    await root.ask(sh`dpkg-divert --local --no-rename --remove /usr/bin/time >/dev/null
update-alternatives --auto awk; dpkg --purge time >/dev/null; rm -r /root/own /root/own.deb`);
    expect(await remarksOf()).not.toMatch(/diverted|alternatives|newer/);
  });
});

describe('the policy that keeps packages from starting services', () => {
  const held = (script: Script): Script => withoutStarting(['nginx.service', 'app.socket'], script);
  const names = ['nginx', 'nginx.service', 'app.socket', 'cron', ''];
  /** What a package is told, as invoke-rc.d and deb-systemd-invoke ask it. */
  const ask = sh`for name in ${names}; do
  code=0
  [ ! -x /usr/sbin/policy-rc.d ] || /usr/sbin/policy-rc.d "$name" start || code=$?
  printf '%s ' "$code"
done`;
  const nothing = '0 0 0 0 0 ';
  const left = sh`ls -A /usr/sbin /run/hostwright | grep -e policy -e held || :`;
  const killed = async (): Promise<void> => {
    // `$$` would be the shell of the whole request.
    const { code } = await root.run(held(sh`sh -c 'kill -KILL "$PPID"'`));
    expect(code).not.toBe(0);
    expect(await root.ask(ask)).toBe('101 101 101 0 0 ');
  };

  test('holds the services that are declared, and no other, for as long as the step lasts', async () => {
    expect(await root.ask(held(ask))).toBe('101 101 101 0 0 ');
    expect(await root.ask(left)).toBe('');
    expect((await root.run(held(sh`exit 75`))).code).toBe(75);
    expect(await root.ask(left)).toBe('');
  });

  test('ends with a reboot, and with the next run, where the step was killed', async () => {
    await killed();
    // All that a reboot changes about it.
    await root.ask(sh`rm /run/hostwright/held-services`);
    expect(await root.ask(ask)).toBe(nothing);
    expect(await root.ask(held(ask))).toBe('101 101 101 0 0 ');
    await killed();
    await root.ask(sh`touch /usr/sbin/.hostwright.policy-rc.d`);
    await root.ask(factsScript('exclusive'));
    expect(await root.ask(left)).toBe('');
  });

  test('leaves the decision to one that the host has of its own', async () => {
    const own = '#!/bin/sh\nexit 104\n';
    await root.ask(sh`printf '%s' ${own} >/usr/sbin/policy-rc.d; chmod 0755 /usr/sbin/policy-rc.d`);
    expect(await root.ask(held(ask))).toBe('104 104 104 104 104 ');
    await root.ask(factsScript('exclusive'));
    expect(await root.ask(sh`cat /usr/sbin/policy-rc.d; rm /usr/sbin/policy-rc.d`)).toBe(own);
  });
});

describe('apt_repository', () => {
  test('brings its lists with it, at its own priority, and those of the others where the host has none', async () => {
    await root.ask(sh`rm -rf /var/lib/apt/lists; mkdir -p /var/lib/apt/lists`);
    const pin = { release: 'o=Debian,n=sid', priority: 50 };
    await converge(
      root,
      aptRepository('sid', { uris: [mirror], suites: ['sid'], checkValidUntil: false, pin }),
    );
    expect(await policy('ed')).toMatch(/^ +50 http\S+ sid\/main/m);
    expect(await policy('ed')).toMatch(/^ +500 http\S+ trixie\/main/m);
    expect(await root.ask(sh`apt-get -s dist-upgrade | grep -c '^Inst' || :`)).toBe('0\n');
  });

  test('serves the packages that ask for it, without a further update', async () => {
    expect(await root.ask(sh`find /etc/apt -name '*.sources' -newer /var/lib/apt/lists`)).toBe('');
    await converge(root, pkg('hello', { release: 'sid' }));
    expect(await policy('hello')).toMatch(/\*\*\* \S+ \d+\n +50 http\S+ sid/);
  });

  test('changes its priority, and loses it', async () => {
    const pin = { release: 'o=Debian,n=trixie-backports', priority: 200 };
    await converge(root, backports({ pin }));
    const changed = await converge(root, backports({ pin: { ...pin, priority: 300 } }));
    expect(changed.attributes.map(({ name }) => name)).toEqual(['pin']);
    await converge(root, backports());
    expect(await root.ask(sh`ls /etc/apt/preferences.d`)).toBe('sid\n');
  });

  test('gives its priority to some packages, and another one to the others', async () => {
    const release = 'o=Debian Backports,n=trixie-backports';
    const pin = { release, priority: 990, packages: ['golang-*'], others: -1 };
    await converge(root, backports({ pin }));
    expect(await policy('golang-go')).toMatch(/ 990\n.*http\S+ trixie-backports\/main/);
    expect(await policy('curl')).toMatch(/ -1\n.*http\S+ trixie-backports\/main/);
    await converge(root, backports());
  });

  test('takes its key in the file itself', async () => {
    const key = await root.ask(sh`cat /etc/apt/trusted.gpg.d/debian-archive-trixie-automatic.asc`);
    await converge(root, backports({ signedBy: key }));
  });

  test.each([
    ['an address where nobody answers', { uris: ['http://127.0.0.1:9/debian'] }],
    ['a suite that is not there', { suites: ['no-such-suite'] }],
    ['a key that did not sign it', { signedBy: '/etc/apt/trusted.gpg.d/none.gpg' }],
    ['words from a shell', { uris: [`http://127.0.0.1:9/${hostile.replaceAll(/\s/g, '')}`] }],
  ])('with %s never gets in the way of apt', async (_, wrong) => {
    expect(await refuse(root, backports(wrong))).not.toBe('');
    await root.ask(sh`apt-get -q update 2>&1`);
  });

  test('goes with its priority', async () => {
    await converge(root, aptRepository('sid', { absent: true }));
    expect(await root.ask(sh`ls -A /etc/apt/sources.list.d /etc/apt/preferences.d`)).not.toMatch(
      /sid|hostwright/,
    );
  });
});
