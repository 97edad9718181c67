import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { guardedSection } from '../../src/rollback/guarded-step.ts';
import { rehearsalScripts } from '../../src/apply/rehearsal.ts';
import { transactionSection } from '../../src/apply/transaction.ts';
import { confirm, undoParts, type Undo } from '../../src/rollback/arm.ts';
import { readProject, readSiteOf } from '../../src/cli/project.ts';
import { readApplied, writeApplied } from '../../src/plan/applied.ts';
import { factsScript } from '../../src/plan/facts.ts';
import { findPackages } from '../../src/plan/package-lists.ts';
import { editKeys } from '../../src/resources/authorized-key.ts';
import { removeMembers } from '../../src/resources/members.ts';
import { mountsProbe } from '../../src/plan/mounts.ts';
import { isSecret } from '../../src/secrets/secret.ts';
import { hostResources } from '../../src/site/second-pass.ts';
import { policyText } from '../../src/resources/apt/start-policy.ts';
import { remoteLoop } from '../../src/transport/remote-loop.ts';
import { sectionsRequest } from '../../src/transport/sections.ts';
import type { Declared } from '../../src/roles/role.ts';
import { sh } from '../../src/transport/shell.ts';
import { startCommand } from '../../src/transport/start-command.ts';
import { shellcheck, shellcheckProgram } from '../../src/testing/shellcheck.ts';
import { createAgeKey } from '../../roles/backup/keys.ts';
import backup from '../../roles/backup/role.ts';
import mysql from '../../roles/mysql/role.ts';
import { ofType, resourcesOf } from '../../src/testing/index.ts';
import { actionScripts } from './action-scripts.ts';
import { makeFolder } from './sshd.ts';

const root = resolve(import.meta.dirname, '../..');

/** Everything of the project that begins as a shell script, whatever it is called. */
const programs = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && !file.endsWith('.hbs') && !file.endsWith('.ts'))
  .filter((file) => /^#!\S*[/ ](?:sh|bash|dash)\b/.test(readFileSync(join(root, file), 'latin1')));

test('the scripts of the project are found', () => {
  expect(programs).toEqual(
    expect.arrayContaining([
      '.ci/run',
      'bin/demo',
      'bin/prepare',
      'bin/test',
      'roles/certificate/hostwright-certificate.sh',
      'roles/mysql/mysql-open.sh',
    ]),
  );
});

test.each(programs)('%s is sound', (file) => {
  expect(shellcheckProgram(readFileSync(join(root, file), 'utf8'))).toBe('');
});

const undo: Undo = {
  guard: {
    unit: 'ssh.service',
    paths: ['/etc/ssh'],
    keep: sh`date >"$HW/kept"`,
    restore: sh`cat "$HW/kept"`,
  },
  title: 'reload ssh.service',
  token: 'token',
  seconds: 60,
};
const step = { script: sh`cat >/etc/c`, stdin: Buffer.from('text'), title: 'a step', resources: [] };
/** Two files that are trees of their own, and one in each of two folders. */
const files = ['/etc/c', '/etc/d', '/etc/a b/x', '/etc/b/y'].map((path) => ({ step, path, replaces: false }));
const transaction = { trees: ['/etc/a b', '/etc/b', '/etc/c', '/etc/d'], validate: sh`sshd -t` };

test.each([
  ['facts to read', factsScript('shared').text],
  ['facts to change', factsScript('exclusive').text],
  ['the policy while packages are installed', policyText],
  ['mounts', mountsProbe.script.text],
  ['packages to find', findPackages(['ed', 'htop']).script.text],
  ['the record of what was applied', readApplied.script.text],
  ['the record to come', writeApplied({ resources: new Map() }).script.text],
  ['several sections', sectionsRequest([{ script: sh`date` }, { script: sh`date` }]).script.text],
  ['a guarded step', guardedSection(step, undo).script.text],
  ['a guarded step that is prepared', guardedSection({ ...step, live: sh`date` }, undo).script.text],
  ['what confirms', confirm(undo).text],
  ['the set-up of a rehearsal', rehearsalScripts(sh`hw_write() { sh "$HW/file.$1.sh"; }`).setUp.text],
  ['the changes of a rehearsal', rehearsalScripts(sh`hw_write() { sh "$HW/file.$1.sh"; }`).write.text],
  ['the check of a rehearsal', rehearsalScripts(sh`hw_write() { sh "$HW/file.$1.sh"; }`).check.text],
  ['a transaction', transactionSection({ transaction, files }).script.text],
  [
    'a transaction with a guarded service',
    transactionSection({ transaction, files, service: step, undo }).script.text,
  ],
  ...undoParts(undo)
    .filter(({ name }) => name.endsWith('.sh'))
    .map(({ name, bytes }): [string, string] => [name, Buffer.from(bytes).toString()]),
  ['the start', startCommand(100, false).command],
  ['the start with sudo', startCommand(100, true).command],
  [
    'what takes members out of a group',
    removeMembers('app', 'a, b (its primary group), c (in d of the same number), e (its administrator)').text,
  ],
  ['what removes keys', editKeys('anna', ['AAAA'], '').text],
  [
    'the loop',
    remoteLoop({ session: 'abc', nonce: 'xyz', directory: '/run/hostwright', answerLimit: 1000 }).text,
  ],
])('%s is sound', (_name, script) => {
  // SC1091: /etc/os-release is the host's. SC2015: what comes between && and || does not fail. SC2086 and
  // SC2046: sizes are split on purpose. SC2317: it does not follow what is called by a trap.
  expect(shellcheck(script, 'dash', ['SC1091', 'SC2015', 'SC2046', 'SC2086', 'SC2317'])).toBe('');
});

/** What roles hand to a shell on the hosts of the example, and the scripts that they put there. */
async function ofRoles(): Promise<ReadonlyMap<string, string>> {
  const { folder, remove } = makeFolder();
  try {
    const options = { inventory: join(root, 'inventory/three-hosts'), site: join(root, 'site.yml') };
    const project = await readProject(options, { HOSTWRIGHT_IDENTITY: join(folder, 'identity.txt') });
    const site = await readSiteOf(project, options);
    const found = new Map<string, string>();
    for (const [index, host] of [...project.inventory.hosts.keys()].entries()) {
      const address = `10.0.0.${index + 11}`;
      const facts = {
        os: 'debian',
        codename: 'trixie',
        architecture: 'amd64',
        hostname: host,
        kernel: '6.12',
        processors: 2,
        memory: 2 ** 31,
        addresses: [address],
        interface: 'eth0',
        ipv6: 'off' as const,
        connection: { user: 'admin', address: '10.0.0.1', port: 22 },
      };
      for (const { id, desired } of hostResources(site, host, facts)) collect(id, desired, found);
    }
    return found;
  } finally {
    remove();
  }
}

function collect(id: string, value: unknown, found: Map<string, string>): void {
  if (isSecret(value)) return;
  if (typeof value === 'string' && value.startsWith('#!')) found.set(id, value);
  if (Array.isArray(value)) {
    const [shell, options, script] = value as readonly unknown[];
    const isShell = (shell === 'sh' || shell === 'bash') && typeof script === 'string';
    if (isShell && /^-\w*c$/.test(String(options)))
      found.set(`${id} ${shell}: ${script}`, `${shell}\n${script}`);
  }
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) collect(id, inner, found);
  }
}

test('what roles give to a shell is sound', async () => {
  const found = await ofRoles();
  const owners = new Set([...found.keys()].map((id) => id.split(' ')[0]));
  expect([...owners]).toEqual(
    expect.arrayContaining([
      'service:haproxy.service',
      'service:nginx.service',
      'service:ssh.service',
      'file:/usr/local/sbin/hostwright-certificate',
      'file:/usr/local/lib/hostwright/certificate-metrics',
      'file:/usr/local/lib/hostwright/journal-metrics',
    ]),
  );
  const complaints = [...found].map(([id, text]) => {
    if (text.startsWith('#!')) return [id, shellcheckProgram(text)];
    const [shell, ...lines] = text.split('\n');
    return [id, shellcheck(lines.join('\n'), shell === 'bash' ? 'bash' : 'dash')];
  });
  expect(complaints.filter(([, text]) => text !== '')).toEqual([]);
});

test('the scripts of backups, which the example has not, are sound', () => {
  const host = (name: string, ...groups: string[]) => ({ name, address: `10.0.0.${name.slice(-1)}`, groups });
  const hosts = [host('web1', 'backup'), host('web2', 'db')];
  const variables = { backup_test_key: createAgeKey(), backup_ssh_seed: 'seed' };
  const declared = hosts
    .slice(1)
    .map((one): Declared => ({ kind: 'database', flavor: 'mysql', host: one, role: 'mysql' }));
  const scripts = hosts.flatMap(({ name }) =>
    ofType(resourcesOf(backup, { variables, host: name, hosts, declared }), 'file').flatMap((file) =>
      'content' in file && typeof file.content === 'string' && file.content.startsWith('#!')
        ? [file.content]
        : [],
    ),
  );
  expect(scripts.map((text) => shellcheckProgram(text))).toEqual(['', '', '']);
});

test('what a group of databases hands to a shell, which the example has not, is sound', () => {
  const hosts = ['web1', 'web2', 'web3'].map((name, index) => ({
    name,
    address: `10.0.0.${index + 1}`,
    groups: ['db'],
  }));
  const found = new Map<string, string>();
  const [service] = ofType(
    resourcesOf(mysql, {
      hosts,
      variables: {
        ...{ mysql_topology: 'group', mysql_replication_password: 'R1' },
        ...{ mysql_seed_password: 'S1', mysql_observer_password: 'O1' },
      },
    }),
    'service',
  );
  collect('service', service, found);
  expect([...found.values()].join('\n')).toContain('group_replication_set_as_primary');
  for (const text of found.values())
    expect(shellcheck(text.split('\n').slice(1).join('\n'), 'dash')).toBe('');
});

test('what the actions of roles hand to a shell is sound', async () => {
  const all = await actionScripts();
  const withActions = readdirSync(join(root, 'roles')).filter((name) => {
    const file = join(root, 'roles', name, 'role.ts');
    return existsSync(file) && /^ {2}actions: /m.test(readFileSync(file, 'utf8'));
  });
  expect(new Set([...all.keys()].map((id) => id.split(' ')[0]))).toEqual(new Set(withActions));
  for (const [id, scripts] of all) {
    expect(scripts, id).not.toEqual([]);
    for (const script of scripts) {
      // SC2016: commands of an inner shell. SC2119 and SC2120: a function that some scripts give options.
      expect({ id, said: shellcheck(script, 'dash', ['SC2016', 'SC2119', 'SC2120']) }).toEqual({
        id,
        said: '',
      });
    }
  }
  // Of steps that only a dead server, an undo, or a longer plan has.
  const text = [...all.values()].flat().join('\n');
  for (const part of [
    'systemctl kill',
    'what was received',
    'rm -f /run/hostwright-drain',
    'ExecStopPost=',
  ]) {
    expect(text).toContain(part);
  }
});
