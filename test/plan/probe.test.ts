import { expect, it } from 'vitest';
import { aptRepository, command, directory, file, line, link, user } from '../../src/index.ts';
import { parseProbes, probeBatches } from '../../src/plan/probe.ts';
import { commandType } from '../../src/resources/command.ts';
import type { DeclaredPaths, Joint } from '../../src/resources/resource.ts';
import { placed as placedResource } from '../../src/testing/index.ts';
import { sh } from '../../src/transport/shell.ts';
import { documentType, packageType, placed } from './model/types.ts';

const place = { role: 'web', play: 0 };

it('probes all resources of a type together where what there is of one depends on the others', () => {
  const whole = { ...documentType, comparison: { together: true } as const };
  const declared = [
    placed(whole, { path: '/etc/a', text: 'a' }, place, []),
    placed(whole, { path: '/etc/b', text: 'b' }, place, []),
    placed(packageType, { name: 'alpha' }, place, []),
    placed(packageType, { name: 'beta' }, place, []),
  ];
  const [first, , third] = declared;
  if (first === undefined || third === undefined) throw new Error('nothing is declared');
  const ids = probeBatches([first, third], declared).map(({ parts }) =>
    parts.flatMap(({ resources }) => resources.map(({ id }) => id)),
  );
  expect(ids).toEqual([['document:/etc/a', 'document:/etc/b'], ['package:alpha']]);
});

it('tells a probe which paths other resources declare, whatever their type, and also those that are to go', () => {
  let seen: DeclaredPaths | undefined;
  const asking = {
    ...commandType,
    probe: (batch: Parameters<typeof commandType.probe>[0], host?: DeclaredPaths) => {
      seen = host;
      return commandType.probe(batch, host);
    },
  };
  const due = [
    placedResource({ type: asking, attributes: { name: 'x', run: ['true'], creates: '/x/made' } }),
  ];
  const declared = [
    directory('/etc/web'),
    file('/etc/web/old/site', { absent: true }),
    line('/etc/fstab', { line: 'x' }),
    aptRepository('sid', { uris: ['http://x'], suites: ['sid'] }),
    user('anna'),
    command('make it', { run: ['true'], creates: '/srv/made' }),
  ].map((resource) => placedResource(resource));
  probeBatches(due, [...due, ...declared]);
  const paths = [
    ...['/etc/web', '/etc/web/old/site', '/etc/fstab', '/home/anna', '/srv/made', '/x/made'],
    ...['/etc/apt/sources.list.d/sid.sources', '/etc/apt/preferences.d/sid'],
  ];
  expect(paths.filter((path) => seen?.owns(path) !== true)).toEqual([]);
  expect(['/etc', '/etc/web/old', '/etc/web/old/site/x'].filter((path) => seen?.owns(path))).toEqual([]);
  const above = ['/etc', '/etc/web/old', '/etc/web/old/site', '/var'];
  expect(above.filter((path) => seen?.ownsBelow(path))).toEqual(['/etc', '/etc/web/old']);
});

const alpha = placed(packageType, { name: 'alpha' }, place, []);
const document = placed(documentType, { path: '/etc/a', text: 'a' }, place, []);
const answer = (stdout: string, code = 0, stderr = '') => ({
  code,
  stdout: Buffer.from(stdout),
  stderr: Buffer.from(stderr),
});

it.each([
  ['fails', answer('', 1, 'ERROR: problem running iptables\n'), 'ERROR: problem running iptables'],
  ['fails without a word', answer('', 137), 'exit status 137'],
  [
    'answers in another form',
    answer('garbage'),
    expect.stringContaining('unexpected output of the package probe'),
  ],
])('costs the resources of one type where its script %s', (_, failing, reason) => {
  const batches = probeBatches([alpha, document]);
  const found = parseProbes(batches, [failing, answer('[{"kind":"document"}]')]);
  expect(found.get(alpha.id)).toEqual({ reason });
  expect(found.get(document.id)).toEqual({ kind: 'document' });
});

it('reads types with the same joint by one script, each by its own part of the answer', () => {
  const joint: Joint = {
    section: (probes) => ({ script: sh`echo ${probes.length}` }),
    answers: ({ stdout }, count) =>
      stdout
        .toString()
        .split('\n', count)
        .map((text) => answer(text, text === 'broken' ? 1 : 0, text)),
  };
  const joined = (type: typeof documentType) => ({
    ...type,
    probe: (batch: Parameters<typeof type.probe>[0]) => ({ ...type.probe(batch), joint }),
  });
  const [one, other] = [
    { ...joined(documentType), name: 'one' },
    { ...joined(documentType), name: 'other' },
  ].map((type) => placed(type, { path: '/etc/a', text: 'a' }, place, []));
  if (one === undefined || other === undefined) throw new Error('nothing is declared');
  const batches = probeBatches([one, alpha, other]);
  expect(batches.map(({ probe }) => probe.script.text)).toEqual(['echo 2', expect.any(String)]);
  const found = parseProbes(batches, [answer('[{"kind":"document"}]\nbroken'), answer('[null]')]);
  expect(found.get(other.id)).toEqual({ reason: 'broken' });
  expect(found.get(one.id)).toEqual({ kind: 'document' });
});

it('looks at the paths of all types in one script, and reads contents up to the largest that is declared', () => {
  const declared = [
    file('/etc/a', { content: '12345' }),
    file('/etc/b', { content: '1' }),
    link('/etc/c', { to: 'a' }),
    directory('/etc/d'),
    aptRepository('e', { uris: ['http://x'], suites: ['sid'] }),
  ].map((resource) => placedResource(resource));
  const batches = probeBatches(declared);
  const looking = batches.filter(({ joint }) => joint !== undefined);
  expect(looking).toHaveLength(1);
  const paths = looking[0]?.probe.stdin?.toString().split('\0').slice(0, -1) ?? [];
  expect(paths.filter((path) => path.length === 6)).toEqual(['/etc/d', '/etc/a', '/etc/b', '/etc/c']);
  const row = (kind: string, path: string, target = '') =>
    [kind, '644', 'root', '0', 'root', '0', '5', target, path].join('\0') + '\0';
  const rows = `${row('f', '/etc/a')}${'0'.repeat(64)}  /etc/a\0${row('l', '/etc/c', 'a')}${row('d', '/etc/d')}`;
  const found = parseProbes(
    batches,
    batches.map(({ joint }) => answer(joint === undefined ? '' : rows)),
  );
  const kinds = declared.map(({ id }) => (found.get(id) as { kind?: string } | null)?.kind);
  expect(kinds).toEqual(['file', undefined, 'link', 'directory', undefined]);
});

it('joins what a second script of a type reads to what is there, and loses it where that script fails', () => {
  const own = placed(
    {
      ...documentType,
      probe: (batch: Parameters<typeof documentType.probe>[0]) => ({
        ...documentType.probe(batch),
        also: { script: sh`more`, parse: (output: Buffer) => batch.map(() => ({ more: output.toString() })) },
      }),
    },
    { path: '/etc/a', text: 'a' },
    place,
    [],
  );
  const batches = probeBatches([own]);
  const state = (...answers: Parameters<typeof parseProbes>[1]) => parseProbes(batches, answers).get(own.id);
  expect(state(answer('[{"kind":"document"}]'), answer('x'))).toEqual({ kind: 'document', more: 'x' });
  expect(state(answer('[null]'), answer('x'))).toBeNull();
  expect(state(answer('[{"kind":"document"}]'), answer('', 1, 'broken'))).toEqual({ reason: 'broken' });
});
