import { describe, expect, test } from 'vitest';
import { directory, file, link, user } from '../../src/index.ts';
import { directoryType } from '../../src/resources/directory.ts';
import type { DeclaredPaths, Probe } from '../../src/resources/resource.ts';
import { Unreadable } from '../../src/resources/state.ts';
import { namesOf, undeclaredIn } from '../../src/resources/undeclared.ts';
import { declaredPaths } from '../../src/testing/index.ts';

const at = '/etc/web';
const declared = declaredPaths([
  directory(at, { exclusive: true }),
  file(`${at}/web.conf`, { content: 'x' }),
  file(`${at}/gone.conf`, { absent: true }),
  link(`${at}/sites/one`, { to: '../web.conf' }),
  directory(`${at}/certs`),
  user('web', { home: `${at}/home` }),
]);

/** `KIND SIZE NAME` for each, as find(1) prints it. */
function inWords(names: readonly string[], keep: readonly string[] = []): string {
  const entries = names.map((name) => {
    const [kind = '', size = '', ...rest] = name.split(' ');
    return { path: Buffer.from(`${at}/${rest.join(' ')}`).toString('latin1'), kind, size: Number(size) };
  });
  return undeclaredIn(at, keep, entries, declared);
}

describe('what nobody declares in a folder', () => {
  test('is named, and what is declared, also to be absent, is not', () => {
    expect(inWords(['f 1 web.conf', 'f 1 gone.conf', 'd 4096 sites', 'l 3 sites/one'])).toBe('nothing');
    expect(inWords(['f 9 zzz.conf', 'l 3 a', 'p 0 pipe', 'f 1 .hidden', 'f 1 web.conf~'])).toBe(
      '.hidden, a (link), pipe, web.conf~, zzz.conf',
    );
  });

  test('is told of a folder with what it holds, the uppermost only', () => {
    expect(inWords(['d 4096 old', 'd 4096 old/x', 'f 10000 old/x/y', 'f 2288 old/z', 'd 4096 new'])).toBe(
      'new/ (empty), old/ (3 entries, 12 KiB)',
    );
    expect(inWords(['d 4096 sites', 'f 10 sites/two'])).toBe('sites/two');
  });

  test('is not what lies in a folder that is declared itself, or in the home of a user', () => {
    expect(inWords(['d 1 certs', 'f 1 certs/a.pem', 'd 1 home', 'f 1 home/.profile'])).toBe('nothing');
  });

  test('stays where it is named to be kept, a folder with everything in it', () => {
    const names = ['f 1 50-cloud.conf', 'd 1 own', 'd 1 own/a', 'f 1 own/a/b', 'f 1 sites/x.local', 'f 1 z'];
    expect(inWords(names, ['*-cloud.conf', 'own', 'sites/?.local'])).toBe('z');
    expect(inWords(names, ['*', 'sites/*'])).toBe('nothing');
    expect(inWords(names, ['.*', 'ow', '50'])).toContain('50-cloud.conf');
  });

  test('is not what dpkg is about to give its name', () => {
    expect(inWords(['f 1 a.conf.dpkg-new', 'f 1 a.conf.dpkg-tmp', 'f 1 a.conf.dpkg-old'])).toBe(
      'a.conf.dpkg-old',
    );
  });
});

test.each([
  'zzz.conf',
  'two words',
  'a, b',
  'a (link)',
  'say "x"',
  'back\\slash',
  '\\x41',
  'line\nbreak',
  'übersicht 1',
  'no text \xff\xfe',
  'c1 \u0085 end',
  'right \u202e left',
  'sub/of/it',
  '-rf',
])('the name %j is told in words that give it back', (name) => {
  const bytes = name.includes('\xff') ? Buffer.from(name, 'latin1') : Buffer.from(name);
  const entry = { path: `${at}/${bytes.toString('latin1')}`, size: 1 };
  const host = declaredPaths([file(`${at}/sub/of/declared`, { content: 'x' })]);
  for (const kind of ['f', 'l', 'd', 's']) {
    const text = undeclaredIn(at, [], [{ ...entry, kind }], host);
    expect(text).toMatch(/^[^\p{Cc}\p{Cf}]*$/u);
    expect(namesOf(text)).toEqual([bytes]);
    const more = undeclaredIn(
      at,
      [],
      [
        { ...entry, kind },
        { path: `${at}/~last`, kind, size: 1 },
      ],
      host,
    );
    expect(namesOf(more)).toEqual(expect.arrayContaining([bytes, Buffer.from('~last')]));
  }
});

describe('an exclusive directory', () => {
  const schema = directoryType.schema;
  const exclusive = schema.parse({ path: at, exclusive: true });
  const also = (host?: DeclaredPaths): Probe => {
    const probe = directoryType.probe([exclusive], host).also;
    if (probe === undefined) throw new Error('it does not look into the directory');
    return probe;
  };

  test('of which more is found than can be told is not compared', () => {
    const { parse } = also(declared);
    const name = `f 1 ${at}/${'x'.repeat(200)}\0`;
    const [state] = parse(Buffer.from(name.repeat(25_000).slice(0, 4 * 1024 * 1024 + 1)));
    expect(state).toBeInstanceOf(Unreadable);
    expect(() => parse(Buffer.from(name.slice(0, -1)))).toThrow(RangeError);
    expect(() => parse(Buffer.from('Permission denied\0'))).toThrow(RangeError);
  });

  test('removes nothing where the declarations of the host are not known', () => {
    expect(also().parse(Buffer.from(`f 1 ${at}/zzz\0`))).toEqual([{ undeclared: 'nothing' }]);
  });

  test('is not the root, and only an exclusive one names what is kept', () => {
    expect(schema.safeParse({ path: '/', exclusive: true }).success).toBe(false);
    expect(schema.safeParse({ path: at, keep: ['x'] }).success).toBe(false);
    for (const keep of ['/x', 'x/', '', 'a//b'])
      expect(schema.safeParse({ path: at, exclusive: true, keep: [keep] }).success).toBe(false);
  });
});
