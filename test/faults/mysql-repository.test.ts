import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { bareHosts, jsonLines, type Finished, type TestHosts } from '../lab/hosts.ts';

// The packages of sid need libraries that the release of the hosts has to have; trixie has not.
const release = 'forky';
const served = ['mysql-server', 'mysql-server-core', 'mysql-client', 'mysql-client-core'];

/**
 * web2 serves a repository of its own, which is made like that of MySQL: a package for the server, which it needs, and
 * a library that is newer than that of the release. Another key is made that signs nothing.
 */
const makeRepository = `set -eu
export DEBIAN_FRONTEND=noninteractive
printf 'Types: deb\\nURIs: http://deb.debian.org/debian\\nSuites: sid\\nComponents: main\\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\\n' >/etc/apt/sources.list.d/sid.sources
printf 'Package: *\\nPin: release n=sid\\nPin-Priority: 50\\n' >/etc/apt/preferences.d/sid
apt-get -q update
apt-get -qy install --no-install-recommends apt-utils gpg gpg-agent nginx-light
mkdir -p /var/www/html/mysql/pool /root/server/DEBIAN
cd /var/www/html/mysql/pool
apt-get -q download ${served.map((name) => `${name}/sid`).join(' ')}
printf 'Package: mysql-community-server\\nVersion: 9.7-1\\nArchitecture: all\\nMaintainer: x <x@x>\\nDepends: mysql-server\\nDescription: x\\n' >/root/server/DEBIAN/control
dpkg-deb --root-owner-group -b /root/server . >/dev/null
printf 'Package: psmisc\\nVersion: 999\\nArchitecture: all\\nMaintainer: x <x@x>\\nDescription: x\\n' >/root/server/DEBIAN/control
dpkg-deb --root-owner-group -b /root/server . >/dev/null
cd ..
part=dists/${release}/mysql-9.7-lts/binary-$(dpkg --print-architecture)
mkdir -p "$part"
apt-ftparchive packages pool >"$part/Packages"
at=APT::FTPArchive::Release
apt-ftparchive -o $at::Origin=MySQL -o $at::Codename=${release} -o $at::Components=mysql-9.7-lts \\
  -o $at::Architectures="$(dpkg --print-architecture)" release dists/${release} >/root/Release
for name in good other; do gpg --batch -q --passphrase '' --quick-gen-key "$name@lab" ed25519 sign never; done
gpg --batch -q -u good@lab --clearsign -o dists/${release}/InRelease /root/Release`;

let hosts: TestHosts;
let project: string;
let keys: { readonly good: string; readonly other: string };

/** Runs bin/hostwright with a repository that the key is said to sign. */
function hostwright(key: string, ...words: readonly string[]): Promise<Finished> {
  const mysql_repository = {
    uri: `http://${hosts.address('web2')}/mysql`,
    components: ['mysql-9.7-lts'],
    origin: 'MySQL',
    key,
  };
  const variables = JSON.stringify({ mysql_repository, mysql_innodb_buffer_pool_size: '128M' });
  const at = ['-i', join(project, 'hosts.yml'), '--site', join(project, 'site.yml'), '-e', variables];
  return hosts.hostwright(words[0] ?? '', ...at, ...words.slice(1));
}

beforeAll(async () => {
  hosts = await bareHosts('repo', '10.213.119', 2, release);
  project = await mkdtemp(join(tmpdir(), 'hostwright-repository-'));
  const { all } = parse(await readFile(join(hosts.inventory, 'hosts.yml'), 'utf8')) as { all: object };
  const children = { db: { hosts: { web1: null } } };
  await writeFile(join(project, 'hosts.yml'), stringify({ all: { ...all, children } }));
  await writeFile(join(project, 'site.yml'), '- hosts: db\n  roles: [pki, mysql]\n');
  await hosts.shell('web2', makeRepository);
  // The cache of the lab keeps packages by their names, also those of an earlier run.
  await hosts.shell(
    'web1',
    `echo 'Acquire::http::Proxy::${hosts.address('web2')} "DIRECT";' >/etc/apt/apt.conf.d/99-repository`,
  );
  const keyOf = (name: string) => hosts.shell('web2', `gpg --batch --armor --export ${name}@lab`);
  keys = { good: await keyOf('good'), other: await keyOf('other') };
});

afterAll(async () => {
  await hosts.down();
  await rm(project, { recursive: true, force: true });
});

it('a repository that another key has signed is refused, and nothing of it stays', async () => {
  await hosts.shell('web1', 'touch /root/before');
  const { code, stdout, stderr } = await hostwright(keys.other, 'apply', '--yes');
  expect(code).not.toBe(0);
  expect(stdout + stderr).toMatch(/NO_PUBKEY|no public key|Missing key/i);
  expect(stdout + stderr).toContain('apt_repository:mysql');
  expect(await hosts.shell('web1', 'find /etc/apt -newer /root/before -type f')).toBe('');
  expect(await hosts.shell('web1', 'dpkg-query -W -f "\\${Package}\\n" | grep mysql || :')).toBe('');
});

it('the server comes from it, and what apply does is what plan says', async () => {
  const planned = jsonLines(await hostwright(keys.good, 'plan', '--json'));
  const applied = await hostwright(keys.good, 'apply', '--yes', '--json');
  expect(applied.code, applied.stdout + applied.stderr).toBe(0);
  const ids = (type: string, lines: typeof planned) =>
    lines.filter((line) => line.type === type).map(({ resource }) => resource);
  expect(ids('change', planned)).toContain('package:mysql-community-server');
  expect(new Set(ids('result', jsonLines(applied)))).toEqual(new Set(ids('change', planned)));
  expect(await hosts.shell('web1', 'mysql --batch --skip-column-names -e "SELECT @@ssl_cert"')).toBe(
    '/etc/hostwright/pki/mysql.crt\n',
  );
});

it('the second plan is empty', async () => {
  const { code, stdout } = await hostwright(keys.good, 'plan');
  expect(code, stdout).toBe(0);
});

it('nothing but the packages of the server comes from it, also not with an upgrade', async () => {
  const policy = (name: string) => hosts.shell('web1', `apt-cache policy ${name}`);
  for (const name of served) expect(await policy(name)).toMatch(/\*\*\* \S+ 990\n.*http\S+\/mysql /);
  expect(await policy('psmisc')).toMatch(/^ +999 -1\n.*http\S+\/mysql /m);
  expect(await hosts.shell('web1', 'apt-get -s dist-upgrade | grep 999 || :')).toBe('');
});

it('AppArmor lets the server of it read its certificate', async () => {
  const profile = '/etc/apparmor.d/usr.sbin.mysqld';
  await hosts.shell(
    'web1',
    'DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends apparmor',
  );
  const rules = await hosts.shell('web1', `apparmor_parser --preprocess ${profile}`);
  expect(rules).toMatch(/^ *\/etc\/hostwright\/pki\/mysql\.key r,$/m);
  // Compiled, where the kernel need not have AppArmor.
  await hosts.shell('web1', `apparmor_parser -QKS -M /etc/apparmor.d/abi/4.0 ${profile} >/dev/null`);
});
