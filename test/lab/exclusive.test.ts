import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { transactionSection, type PathStep } from '../../src/apply/transaction.ts';
import { directory, file, sh, type Resource } from '../../src/index.ts';
import { converge, openRoot, placed, probe, refuse, type Root } from '../../src/testing/index.ts';

let root: Root;
const at = '/srv/web';
const exclusive = directory(at, { exclusive: true, keep: ['kept*'] });
const others = [file(`${at}/web.conf`, { content: 'x' }), file(`${at}/sites/one`, { content: 'x' })];

beforeAll(async () => {
  root = await openRoot();
});
afterAll(async () => root.close());
beforeEach(async () => {
  await root.ask(sh`chattr -R -i /srv 2>/dev/null || :
umount /srv/web/old/mounted 2>/dev/null || :
rm -rf /srv/*
mkdir -p ${`${at}/sites`} /srv/else
touch ${`${at}/web.conf`} ${`${at}/sites/one`} /srv/else/precious ${`${at}/kept.conf`}`);
});

const list = sh`cd /srv; find . -mindepth 1 | LC_ALL=C sort`;
const untouched =
  './else\n./else/precious\n./web\n./web/kept.conf\n./web/sites\n./web/sites/one\n./web/web.conf\n';

describe('an exclusive directory', () => {
  test('has no change while everything in it is declared or kept', async () => {
    expect(await probe(root, exclusive, others)).toMatchObject({ undeclared: 'nothing' });
  });

  test('loses what nobody declares: files, folders, links, hidden ones, at any depth, and nothing else', async () => {
    await root.ask(sh`cd ${at}
touch zzz.conf .hidden web.conf~ web.conf.dpkg-old sites/two
mkdir -p old/deep/er; head -c 3000 /dev/zero >old/deep/file
ln -s /srv/else elsewhere; ln -s ../else/precious link.conf; ln -s nowhere sites/broken; mkfifo pipe`);
    const { attributes } = await converge(root, exclusive, others);
    expect(attributes).toEqual([
      {
        name: 'undeclared',
        from: '.hidden, elsewhere (link), link.conf (link), old/ (3 entries, 3 KiB), pipe, sites/broken (link), sites/two, web.conf.dpkg-old, web.conf~, zzz.conf',
        to: 'nothing',
      },
    ]);
    expect(await root.ask(list)).toBe(untouched);
  });

  test('loses what has a name that no shell likes, or that is no text', async () => {
    await root.ask(sh`cd ${at}
touch -- '-rf' ' ' 'a "b" $(c) \' "it's" 'a, b' '*' "$(printf 'no\377text')" "$(printf 'line\nbreak')" "$(printf 'sites/\001')"`);
    await converge(root, exclusive, others);
    expect(await root.ask(list)).toBe(untouched);
  });

  test('is made, and its owner and mode are set, in the same step', async () => {
    await root.ask(sh`touch ${`${at}/zzz.conf`}; chmod 0777 ${at}`);
    const { attributes } = await converge(root, exclusive, others);
    expect(attributes.map(({ name }) => name)).toEqual(['mode', 'undeclared']);
    expect(
      await root.ask(sh`${list}
stat -c %a ${at}`),
    ).toBe(`${untouched}755\n`);
  });

  test('that is a link to a folder becomes a directory, and what the link led to stays', async () => {
    await root.ask(sh`rm -r ${at}; ln -s else ${at}`);
    await converge(root, exclusive);
    expect(await root.ask(list)).toBe('./else\n./else/precious\n./web\n');
  });

  test('loses what lies behind a link that others could have planted nowhere but in it', async () => {
    await root.ask(sh`rm -r ${`${at}/sites`}; ln -s ../else ${`${at}/sites`}`);
    expect(await probe(root, exclusive, others)).toMatchObject({ undeclared: 'nothing' });
    expect(await root.ask(sh`ls /srv/else`)).toBe('precious\n');
  });

  test('says that something is immutable, and has lost nothing of that', async () => {
    await root.ask(sh`mkdir ${`${at}/old`}; touch ${`${at}/old/x`}; chattr +i ${`${at}/old/x`}`);
    expect(await refuse(root, exclusive)).toMatch(
      /cannot be changed while it is immutable.*lsattr and chattr/,
    );
  });

  test('says that something is mounted in what is to go', async () => {
    await root.ask(
      sh`mkdir -p ${`${at}/old/mounted`}; mount -t tmpfs x ${`${at}/old/mounted`}; touch ${`${at}/old/mounted/y`}`,
    );
    expect(await probe(root, exclusive, others)).toMatchObject({ undeclared: 'old/ (1 entry, 0 KiB)' });
    expect(await refuse(root, exclusive)).toContain('cannot be changed while something is mounted there');
  });
});

/** What the plan of an exclusive directory does in a transaction. */
async function pathStep(resource: Resource): Promise<PathStep> {
  const { id, type, desired } = placed(resource);
  const found = await probe(root, resource, others);
  const from = found?.['undeclared'];
  const attributes = [{ name: 'undeclared', from, to: 'nothing' }];
  const change = { id, desired, actual: found, action: 'update', attributes } as const;
  const [step] = type.apply([change], { declared: () => [] });
  if (step === undefined || 'converse' in step) throw new Error('no step');
  return { step, path: at, replaces: false, removes: type.files?.removes?.(change) ?? [] };
}

describe('a service that reads an exclusive directory', () => {
  const before = sh`cd ${at}
touch zzz.conf; chmod 0604 zzz.conf
mkdir -p old/deep; echo deep >old/deep/file
ln -s ../else elsewhere`;
  const attempt = async (validate: string, service: string) => {
    const files = [await pathStep(exclusive)];
    const section = transactionSection({
      transaction: { trees: [at], validate: sh`sh -c ${validate}` },
      files,
      service: { resources: [], title: 'reload', script: sh`sh -c ${service}` },
    });
    return await root.run(section.script, section.stdin);
  };

  test('checks its configuration without what is to go, and only then it goes', async () => {
    await root.ask(before);
    const answer = await attempt(
      `[ ! -e ${at}/zzz.conf ] && [ ! -e ${at}/old ] && [ ! -L ${at}/elsewhere ] && [ -e ${at}/web.conf ]`,
      `[ ! -e ${at}/zzz.conf ]`,
    );
    expect(answer.stderr.toString()).toBe('');
    expect(answer.code).toBe(0);
    expect(await root.ask(list)).toBe(untouched);
  });

  test('keeps everything where the check fails', async () => {
    await root.ask(before);
    const all = await root.ask(list);
    const answer = await attempt('echo no good; exit 1', 'true');
    expect(answer.stderr.toString()).toContain('no good');
    expect(await root.ask(list)).toBe(all);
  });

  test('gets everything back where it fails with the rest', async () => {
    await root.ask(before);
    const all = await root.ask(list);
    const answer = await attempt('true', `[ -e ${at}/zzz.conf ]`);
    expect(answer.stderr.toString()).toContain('the previous configuration is restored');
    expect(await root.ask(list)).toBe(all);
    expect(
      await root.ask(
        sh`stat -c %a ${`${at}/zzz.conf`}; readlink ${`${at}/elsewhere`}; cat ${`${at}/old/deep/file`}`,
      ),
    ).toBe('604\n../else\ndeep\n');
  });

  test('is rehearsed as well where the directory is too large to be copied', async () => {
    await root.ask(before);
    await root.ask(
      sh`head -c 20000000 /dev/zero >${`${at}/large`}; mkdir ${`${at}/kept`}; touch ${`${at}/kept/x`}`,
    );
    const answer = await attempt(
      `[ ! -e ${at}/large ] && [ ! -e ${at}/zzz.conf ] && [ ! -e ${at}/old ]`,
      'true',
    );
    expect(answer.stderr.toString()).toBe('');
    expect(await root.ask(list)).toBe(
      untouched
        .replace('./web/sites\n', './web/kept\n./web/kept/x\n./web/sites\n')
        .replace(
          './web/kept.conf\n./web/kept\n./web/kept/x\n',
          './web/kept\n./web/kept.conf\n./web/kept/x\n',
        ),
    );
  });

  test('has no changes where a name cannot be tried', async () => {
    await root.ask(sh`touch "$(printf '%s/line\nbreak' ${at})"`);
    const all = await root.ask(list);
    const answer = await attempt('true', 'true');
    expect(answer.stderr.toString()).toContain('a name with a line break cannot be tried, no changes made');
    expect(await root.ask(list)).toBe(all);
  });
});
