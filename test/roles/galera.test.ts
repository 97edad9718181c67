import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import arbitrator from '../../roles/galera_arbitrator/role.ts';
import mysql from '../../roles/mysql/role.ts';
import { startCommand, startOf, type Start } from '../../roles/mysql/galera-start.ts';
import { listed } from '../../src/roles/list.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { sh } from '../../src/transport/shell.ts';
import { contextOf, ofType, resourcesOf, type RoleCase } from '../../src/testing/index.ts';

const hosts = ['web1', 'web2', 'web3'].map((name, index) => ({
  name,
  address: `10.0.0.${index + 1}`,
  groups: name === 'web1' ? ['app', 'arbitrator'] : ['db'],
}));

const uuid = '198c0580-e60b-11f1-9937-720946ded47a';
const other = 'fc57667d-e60a-11f1-bbb6-27b3abd1fe00';

const fresh = 'unit=inactive\n';
const up = `unit=active\nlistens=yes\nuuid=${uuid}\nseqno=-1\nsafe_to_bootstrap=0\nview=yes\n`;
/** It has left in good order, or a start that found no cluster has looked into its data. */
const stopped = (seqno: number, last = 0): string =>
  `unit=inactive\nuuid=${uuid}\nseqno=${seqno}\nsafe_to_bootstrap=${last}\n`;
const crashed = `unit=failed\nuuid=${uuid}\nseqno=-1\nsafe_to_bootstrap=0\nview=yes\n`;
const recovered = (seqno: number): string => `${crashed}position=${uuid}:${seqno},0-342700358-10\n`;

/** How web2 and web3 start; `web1` is the arbitrator. A member without an answer is left out. */
function starts(answers: Readonly<Record<string, string>>): readonly Start[] {
  const members = hosts.map((host) => ({
    host,
    hasData: host.name !== 'web1',
    answer: answers[host.name],
  }));
  return ['web2', 'web3'].map((self) => startOf(self, 'web2', members));
}

const kinds = (answers: Readonly<Record<string, string>>): readonly string[] =>
  starts(answers).map(({ kind }) => kind);

describe('which member begins a cluster', () => {
  test('the first, where none has ever been in one', () => {
    expect(kinds({ web1: fresh, web2: fresh, web3: fresh })).toEqual(['begin', 'join']);
  });

  test('none, while one is in a cluster, whatever the others have', () => {
    for (const web2 of [fresh, stopped(9, 1), crashed])
      expect(kinds({ web1: fresh, web2, web3: up })).toEqual(['join', 'join']);
    expect(kinds({ web3: up })).toEqual(['join', 'join']);
  });

  test.each([
    ['web1', { web2: fresh, web3: fresh }],
    ['web3', { web1: fresh, web2: fresh }],
    ['web3', { web1: fresh, web2: stopped(9, 1) }],
  ])('none, while %s does not answer, and the start that fails says who has what', (silent, answers) => {
    const [first] = starts(answers);
    expect(first).toMatchObject({ kind: 'join or say' });
    expect(first).toHaveProperty('reason', expect.stringContaining(`not known without ${silent}`));
    expect(first).toHaveProperty('reason', expect.stringContaining('did not answer'));
  });

  test('the one that left last, and no other', () => {
    expect(kinds({ web1: fresh, web2: stopped(9), web3: stopped(12, 1) })).toEqual(['join', 'begin']);
    expect(kinds({ web1: fresh, web2: crashed, web3: stopped(12, 1) })).toEqual(['join', 'begin']);
  });

  test('the one with the last transaction, once that is known of all that have data', () => {
    expect(kinds({ web1: fresh, web2: stopped(9), web3: stopped(12) })).toEqual(['join', 'begin']);
    expect(kinds({ web1: fresh, web2: recovered(12), web3: recovered(12) })).toEqual(['begin', 'join']);
    expect(kinds({ web1: fresh, web2: recovered(11), web3: stopped(12) })).toEqual(['join', 'begin']);
    expect(kinds({ web1: fresh, web2: crashed, web3: stopped(12) })).toEqual(['join or say', 'join or say']);
    // It was emptied, and gets everything.
    expect(kinds({ web1: fresh, web2: fresh, web3: stopped(12) })).toEqual(['join', 'begin']);
  });

  test('none, where they have data of different clusters', () => {
    const web3 = stopped(12, 1).replace(uuid, other);
    const [first, second] = starts({ web1: fresh, web2: stopped(9, 1), web3 });
    for (const start of [first, second]) {
      expect(start).toMatchObject({ kind: 'refuse' });
      expect(start).toHaveProperty('reason', expect.stringMatching(new RegExp(`${uuid}[^]*${other}`)));
    }
  });

  test('none, while another starts, or the arbitrator holds the cluster without data', () => {
    expect(
      kinds({ web1: fresh, web2: stopped(9), web3: stopped(12).replace('inactive', 'activating') }),
    ).toEqual(['join or say', 'begin']);
    const [first] = starts({
      web1: 'unit=active\nlistens=yes\nview=yes\n',
      web2: stopped(9),
      web3: stopped(12),
    });
    expect(first).toMatchObject({ kind: 'refuse', reason: expect.stringContaining('systemctl stop garb') });
    // It looks for members.
    expect(kinds({ web1: 'unit=active\nlistens=yes\n', web2: fresh, web3: fresh })).toEqual([
      'begin',
      'join',
    ]);
  });

  test('none that would replace databases of another by its own, unless that one is a replica', () => {
    const web3 = 'unit=active\ndatabase=shop\n';
    expect(kinds({ web1: fresh, web2: fresh, web3 })).toEqual(['refuse', 'refuse']);
    expect(kinds({ web1: fresh, web2: web3, web3: `${web3}replica=yes\n` })).toEqual(['begin', 'join']);
    expect(kinds({ web1: fresh, web2: web3, web3: fresh })).toEqual(['begin', 'join']);
  });
});

/** How web2, the primary, and web3, its replica, start, with what each has executed. */
function startsOutside(
  executed: Readonly<Record<'web2' | 'web3', string>>,
  given: { readonly discard?: string; readonly state?: string } = {},
): readonly Start[] {
  const { discard, state = '' } = given;
  const members = hosts.map((host) => ({
    host,
    hasData: host.name !== 'web1',
    answer: `unit=active\ndatabase=shop\n${state}${host.name === 'web3' ? 'replica=yes\n' : ''}`,
    ...(host.name === 'web2' && { outside: `opener=yes\noutside=20 ${executed.web2}` }),
    ...(host.name === 'web3' && { outside: `opener=yes\noutside=30 ${executed.web3}`, discard }),
  }));
  return ['web2', 'web3'].map((self) => startOf(self, 'web2', members));
}

describe('a running primary and its replica', () => {
  const kindsOf = (all: readonly Start[]): readonly string[] => all.map(({ kind }) => kind);

  test('become a group, where the replica has nothing of its own, in either order of answers', () => {
    expect(kindsOf(startsOutside({ web2: '0-20-9,7-20-1,', web3: ',0-20-9,7-20-1' }))).toEqual([
      'begin',
      'join',
    ]);
    expect(kindsOf(startsOutside({ web2: '0-20-9,', web3: ',0-20-12' }))).toEqual(['begin', 'join']);
  });

  test('stay as they are, where the replica has what the primary lacks, unless exactly that is given up', () => {
    const executed = { web2: '0-20-9,', web3: '0-30-10,0-20-9' };
    for (const start of startsOutside(executed)) {
      expect(start).toMatchObject({ kind: 'refuse' });
      expect(start).toHaveProperty(
        'reason',
        expect.stringMatching(/web3 has transactions that web2 lacks.*: 0-30-10\n/),
      );
    }
    expect(kindsOf(startsOutside(executed, { discard: '0-30-9' }))).toEqual(['refuse', 'refuse']);
    expect(kindsOf(startsOutside(executed, { discard: '0-30-10' }))).toEqual(['begin', 'join']);
  });

  test('begin a new cluster, whatever they have noted of one that they have left', () => {
    const state = `uuid=${uuid}\nseqno=9\nsafe_to_bootstrap=1\n`;
    expect(startsOutside({ web2: '0-20-9,', web3: ',0-20-9' }, { state })).toMatchObject([
      { kind: 'begin', data: 'none' },
      { kind: 'join' },
    ]);
  });
});

describe('the script of a replica that joins', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hostwright-galera-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs it with a client that answers for both servers; what it says, and whether the server was restarted. */
  function joins(
    own: string,
    theirs: string,
    discard?: string,
    runs: 'up' | 'down' = 'up',
  ): { readonly said: string; readonly did: string } {
    const tool = (name: string, text: string): void =>
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    const did = join(folder, 'did');
    writeFileSync(did, '');
    tool('systemctl', `echo "$*" >>${did}`);
    tool('my_print_defaults', `echo --datadir=${folder}`);
    tool(
      'mariadb',
      `case "$*" in
*--defaults-file=*) printf '1\\t%s\\n' '${theirs}' ;;
*wsrep_on*) [ ${runs} = up ] && printf '0\\t%s\\n' '${own}' ;;
*local_state*) printf 'wsrep_local_state\\t4\\n' ;;
esac`,
    );
    rmSync(join(folder, 'grastate.dat'), { force: true });
    if (runs === 'up') writeFileSync(join(folder, 'grastate.dat'), '');
    rmSync(join(folder, 'stays'), { force: true });
    const holder = { name: 'web2', address: '10.0.0.2', port: 3306 };
    const script = startCommand('web3', { kind: 'join' }, sh`:`, { holder, discard });
    const { stderr } = spawnSync('sh', ['-euc', script.text], {
      encoding: 'utf8',
      env: { PATH: `${folder}:${process.env['PATH'] ?? ''}`, HW: folder },
    });
    return { said: stderr, did: readFileSync(did, 'utf8') };
  }

  test('compares with a member first, and changes nothing where something would be lost', () => {
    const lost = joins('0-20-7,0-30-18,,0-20-12', '0-20-12,');
    expect(lost.said).toContain('web3 has transactions that web2 lacks');
    expect(lost.said).toContain(': 0-30-18\n');
    expect(lost.did).toBe('');
    expect(existsSync(join(folder, 'grastate.dat'))).toBe(true);
    expect(joins('0-20-13,', '0-20-12,').said).toContain('0-20-13');
    expect(joins('7-20-1,', '0-20-12,').said).toContain('7-20-1');
    mkdirSync(join(folder, 'shop'), { recursive: true });
    expect(joins(',', '0-20-12,').said).toContain('databases without GTIDs');
    expect(joins('', '0-20-12,', undefined, 'down').said).toContain('does not run');
  });

  test('joins where the member has all, or what it lacks is given up, and forgets an earlier cluster', () => {
    for (const { said, did } of [
      joins('0-20-9,', '0-20-12,'),
      joins('0-30-18,0-20-9', '0-20-12,', '0-30-18'),
    ]) {
      expect(said).toBe('');
      expect(did).toContain('restart mariadb.service');
    }
    expect(existsSync(join(folder, 'grastate.dat'))).toBe(false);
  });
});

const variables = {
  mysql_flavor: 'mariadb',
  mysql_topology: 'group',
  mysql_replication_password: 'Repl1',
  mysql_seed_password: 'Seed1',
  mysql_observer_password: 'Obs1',
};

function on(host: string, given: RoleCase = {}): readonly Resource[] {
  const address = hosts.find(({ name }) => name === host)?.address ?? '';
  return resourcesOf(host === 'web1' ? arbitrator : mysql, {
    ...{ host, hosts, facts: { addresses: [address] } },
    ...(host === 'web1' ? {} : { variables: { ...variables, ...given.variables } }),
    ...given,
  });
}

const contentOf = (resources: readonly Resource[], path: string): string =>
  ofType(resources, 'file')
    .filter((file) => 'path' in file && file.path === path)
    .map((file) => ('content' in file ? String(file.content) : ''))
    .join('');

describe('mysql_topology: group', () => {
  test('has accounts and databases on one member, which all copy', () => {
    expect(ofType(on('web2'), 'mysql_user').length).toBeGreaterThan(0);
    expect(ofType(on('web3'), 'mysql_user')).toEqual([]);
    for (const host of ['web2', 'web3']) {
      expect(ofType(on(host), 'mysql_replica')).toEqual([]);
      expect(ofType(on(host), 'galera_member')).toMatchObject([{ name: host }]);
    }
  });

  test('tells all members of each other, over TLS, and none of them to begin a cluster by itself', () => {
    const text = contentOf(on('web3'), '/etc/mysql/mariadb.conf.d/zz-hostwright.cnf');
    expect(text).toContain('wsrep_cluster_address = gcomm://10.0.0.2,10.0.0.3,10.0.0.1\n');
    expect(text).toContain('wsrep_node_address = 10.0.0.3\n');
    expect(text).toContain('socket.ssl=yes');
    expect(text).toContain('read_only = OFF\n');
    expect(text).not.toContain('Seed1');
    const garb = contentOf(on('web1'), '/etc/default/garb');
    expect(garb).toContain('GALERA_NODES="10.0.0.2:4567 10.0.0.3:4567"');
    expect(garb).toContain('WORK_DIR="/var/lib/garb"');
    const times = (of: string): readonly string[] => of.match(/evs\.\w+=\w+(?:\.\w+)?/g) ?? [];
    expect(times(garb)).toEqual(times(text));
    expect(times(text)).toHaveLength(4);
  });

  test('opens its ports to members only', () => {
    const context = contextOf(mysql.variables.parse(variables), { host: 'web2', hosts });
    const ports = listed(mysql.listens?.(context) ?? []).flatMap((listen) =>
      listen.port === 3306 ? [] : [[listen.port, listen.from]],
    );
    expect(ports).toEqual([
      [4567, { group: 'db' }],
      [4567, { group: 'arbitrator' }],
      [4568, { group: 'db' }],
      [4444, { group: 'db' }],
    ]);
  });

  test('says in the plan which member begins a cluster', () => {
    const observed = { galera: { web1: fresh, web2: fresh, web3: fresh } };
    expect(ofType(on('web2', { observed, variables }), 'galera_member')).toMatchObject([
      { start: 'begins a new cluster: no member has data of one' },
    ]);
    expect(ofType(on('web3', { observed, variables }), 'galera_member')).toMatchObject([{ start: 'joins' }]);
  });

  test('takes what a copy under writes has numbered before, which a replica must not', () => {
    const strict = (topology: string): string | undefined => {
      const files = ofType(on('web2', { variables: { ...variables, mysql_topology: topology } }), 'file');
      const text = files.map((one) => ('content' in one ? String(one.content) : '')).join('\n');
      return /^gtid_strict_mode = (.*)$/m.exec(text)?.[1];
    };
    expect(strict('group')).toBe('OFF');
    expect(strict('primary_replica')).toBe('ON');
  });

  test('needs a third vote', () => {
    const two = hosts.filter(({ name }) => name !== 'web1');
    expect(() => on('web2', { hosts: two, variables })).toThrow('mysql_topology: group has 2 members');
  });

  test('the default has nothing of it', () => {
    const resources = on('web2', { variables: { ...variables, mysql_topology: 'primary_replica' } });
    expect(ofType(resources, 'galera_member')).toEqual([]);
    expect(JSON.stringify(ofType(resources, 'service'))).not.toContain('galera');
    const context = contextOf(mysql.variables.parse({ ...variables, mysql_topology: 'primary_replica' }), {
      hosts,
    });
    // One process-free look at whether it was in a cluster, and of MySQL none.
    expect(listed(mysql.observes?.(context) ?? []).map(({ name }) => name)).toEqual(['galera']);
    const ofMysql = { ...variables, mysql_topology: 'primary_replica', mysql_flavor: 'mysql' };
    expect(mysql.observes?.(contextOf(mysql.variables.parse(ofMysql), { hosts }))).toEqual([]);
  });
});
