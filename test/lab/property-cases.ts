import * as fc from 'fast-check';

/** A resource as the role of the test makes it: its type, its key, its attributes, what it needs. */
export type Declared = readonly [type: string, key: string, attributes: object, needs?: readonly string[]];

/** What is declared, and what somebody has done to the host before, as lines of shell. */
export interface Case {
  readonly resources: readonly Declared[];
  readonly damage: readonly string[];
}

const root = '/srv/prop';

type Arbitraries<T> = fc.Arbitrary<readonly T[]>;

const modes = fc.constantFrom('0644', '0600', '0755', '0700');
const contents = fc.constantFrom('one\n', 'two\nwords\n', '');
const lines = ['alpha=1', 'beta=2'] as const;
const present = (chance: number): fc.Arbitrary<boolean> =>
  fc.integer({ min: 1, max: 100 }).map((number) => number <= chance);

interface Accounts {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

function owned(accounts: Accounts) {
  return {
    owner: fc.constantFrom('root', ...accounts.users),
    group: fc.constantFrom('root', ...accounts.groups),
    mode: modes,
  };
}

/** What may be declared of a path that is no directory. A folder that damage put there is to go. */
function leaf(at: string, accounts: Accounts): Arbitraries<Declared> {
  const withContent = fc
    .record({ ...owned(accounts), content: contents, force: fc.constant(true) })
    .map((it): Declared[] => [['file', at, it]]);
  const withLines = fc
    .record({
      file: fc.record({ ...owned(accounts), force: fc.constant(true) }),
      lines: fc.subarray([...lines]),
    })
    .map((it): Declared[] => [
      ['file', at, it.file],
      ...it.lines.map((line): Declared => ['line', at, { line, match: `^${line.slice(0, 4)}` }]),
    ]);
  // A line alone cannot be put where no regular file is; that is said at apply.
  const lineAlone = fc.constant<Declared[]>([['line', at, { match: '^alpha', absent: true }]]);
  const link = fc
    .constantFrom('../two', '/srv/elsewhere', '/nowhere')
    .map((to): Declared[] => [['link', at, { to, force: true }]]);
  const gone = fc
    .constantFrom('file', 'link')
    .map((type): Declared[] => [[type, at, { absent: true, force: true }]]);
  return fc.oneof(withContent, withLines, lineAlone, link, gone, fc.constant([]));
}

/** A directory with what is in it, to some depth; or that there is none; or a leaf in its place. */
function tree(at: string, accounts: Accounts, depth: number): Arbitraries<Declared> {
  if (depth === 0) return leaf(at, accounts);
  const directory = fc
    .tuple(
      fc.record(owned(accounts)).map((it): Declared => ['directory', at, { ...it, mode: '0755' }]),
      tree(`${at}/one`, accounts, depth - 1),
      tree(`${at}/two`, accounts, 0),
    )
    .map(([own, ...below]) => [own, ...below.flat()]);
  const gone = fc.constant<Declared[]>([['directory', at, { absent: true }]]);
  return fc.oneof(
    { weight: 6, arbitrary: directory },
    { weight: 1, arbitrary: gone },
    { weight: 2, arbitrary: leaf(at, accounts) },
  );
}

const userAttributes = fc.record(
  {
    uid: fc.constantFrom(70101, 70102),
    comment: fc.constantFrom('Somebody', 'Somebody else'),
    shell: fc.constantFrom('/bin/sh', '/usr/sbin/nologin'),
    locked: fc.boolean(),
    home: fc.constantFrom('/srv/homes/one', '/srv/homes/other'),
  },
  { requiredKeys: [] },
);

const accountSet = fc
  .record({
    user: fc.option(fc.record({ attributes: userAttributes, groups: fc.subarray(['prop_two']) }), {
      nil: undefined,
    }),
    own: fc.boolean(),
    gid: fc.constantFrom(undefined, 70201, 70202),
    two: fc.boolean(),
  })
  .map(({ user, own, gid, two }): { resources: readonly Declared[]; accounts: Accounts } => {
    const groups = ['prop_one', ...(two ? ['prop_two'] : []), ...(own ? ['prop_user'] : [])];
    const userGroups = user === undefined || !two ? {} : { groups: user.groups };
    return {
      accounts: { users: user === undefined ? [] : ['prop_user'], groups },
      resources: [
        ['group', 'prop_one', gid === undefined ? {} : { gid }],
        ['group', 'prop_two', two ? {} : { absent: true }],
        ...(own ? ([['group', 'prop_user', {}]] as const) : []),
        ['user', 'prop_user', user === undefined ? { absent: true } : { ...user.attributes, ...userGroups }],
      ],
    };
  });

const unitText = (word: string): string =>
  `[Service]\nExecStart=/bin/sleep infinity\nExecReload=/bin/true\nEnvironment=WORD=${word}\n\n[Install]\nWantedBy=multi-user.target\n`;

const daemon: Arbitraries<Declared> = fc.oneof(
  fc.constant<Declared[]>([['unit', 'prop.service', { absent: true }]]),
  fc
    .record({
      word: fc.constantFrom('one', 'two'),
      dropIn: fc.constantFrom('none', 'there', 'gone'),
      running: present(70),
      enabled: fc.boolean(),
      reloadOn: fc.subarray([root, '/srv/prop/one']),
      restartOn: fc.subarray(['/srv/prop/two']),
      validate: fc.boolean(),
    })
    .map(({ word, dropIn, validate, ...service }): Declared[] => [
      ['unit', 'prop.service', { content: unitText(word) }],
      ...(dropIn === 'there'
        ? ([['unit', 'prop.service', { dropIn: 'more', content: '[Service]\nNice=5\n' }]] as const)
        : []),
      ...(dropIn === 'gone' ? ([['unit', 'prop.service', { dropIn: 'more', absent: true }]] as const) : []),
      ['service', 'prop', { ...service, ...(validate ? { validate: ['test', '-d', root] } : {}) }],
    ]),
);

const paths = [
  '/srv/prop',
  '/srv/prop/one',
  '/srv/prop/two',
  '/srv/prop/one/one',
  '/srv/prop/one/two',
  '/srv/prop/one/one/one',
];

const elsewhere =
  'mkdir -p /srv/elsewhere/one; echo elsewhere >/srv/elsewhere/two; echo elsewhere >/srv/elsewhere/one/one';

const damageToPath = fc
  .constantFrom(...paths)
  .chain((at) =>
    fc.constantFrom(
      `rm -rf ${at}`,
      `rm -rf ${at}; mkdir -p ${at}/one`,
      `rm -rf ${at}; ln -s /srv/elsewhere ${at}`,
      `rm -rf ${at}; ln -s ../two ${at}`,
      `rm -rf ${at}; mkfifo ${at}`,
      `rm -rf ${at}; printf 'by hand' >${at}`,
      `rm -rf ${at}; ln -s /dev/null ${at}`,
      `if [ -f ${at} ]; then echo alpha=9 >>${at}; fi`,
      `chmod 0777 ${at}`,
      `chmod 4711 ${at}`,
      `chown nobody:games ${at}`,
      `chown 4321 ${at}`,
      `chown prop_user ${at}`,
      `chgrp prop_one ${at}`,
    ),
  );

const damageToAccounts = fc.constantFrom(
  'userdel prop_user',
  'groupdel prop_two',
  'useradd -u 70103 prop_user',
  'usermod -u 70104 prop_user',
  'usermod -a -G prop_two,games prop_user',
  'usermod -c "Some Body" -s /bin/bash prop_user',
  'groupmod -g 70203 prop_one',
  'groupadd -g 70204 prop_two',
  'chage -E 1 prop_user',
  'rm -rf /srv/homes',
);

const damageToUnits = fc.constantFrom(
  'systemctl stop prop',
  'systemctl start prop',
  'systemctl restart prop',
  'systemctl disable prop',
  'systemctl enable prop',
  'systemctl kill -s KILL prop',
  'rm -f /etc/systemd/system/prop.service; systemctl daemon-reload',
  'rm -f /etc/systemd/system/prop.service',
  'echo "# by hand" >>/etc/systemd/system/prop.service',
  'systemctl stop prop; ln -sf /dev/null /etc/systemd/system/prop.service; systemctl daemon-reload',
  'chmod 0600 /etc/systemd/system/prop.service',
  'rm -rf /etc/systemd/system/prop.service; mkdir /etc/systemd/system/prop.service',
  'mkdir -p /etc/systemd/system/prop.service.d; printf "[Service]\\nNice=7\\n" >/etc/systemd/system/prop.service.d/more.conf',
  'mkdir -p /etc/systemd/system/prop.service.d; printf "[Service]\\nNice=7\\n" >/etc/systemd/system/prop.service.d/hand.conf; systemctl daemon-reload',
  'rm -rf /etc/systemd/system/prop.service.d; systemctl daemon-reload',
  'rm -rf /run/hostwright/loaded',
);

const damages = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: damageToPath },
      { weight: 1, arbitrary: damageToAccounts },
      { weight: 2, arbitrary: damageToUnits },
    ),
    { maxLength: 6 },
  )
  .map((commands) => [elsewhere, ...commands]);

export const cases: fc.Arbitrary<Case> = fc
  .tuple(accountSet, daemon, damages)
  .chain(([{ resources, accounts }, service, damage]) =>
    fc.tuple(tree(`${root}/one`, accounts, 2), tree(`${root}/two`, accounts, 0)).chain(([one, two]) => {
      const all: readonly Declared[] = [...resources, ['directory', root, {}], ...one, ...two, ...service];
      return fc
        .shuffledSubarray([...all], { minLength: all.length, maxLength: all.length })
        .map((shuffled) => ({ resources: shuffled, damage }));
    }),
  );
