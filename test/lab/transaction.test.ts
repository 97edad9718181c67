import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { transactionSection } from '../../src/apply/transaction.ts';
import { file, link, sh, type Resource, type Script } from '../../src/index.ts';
import type { Step } from '../../src/resources/resource.ts';
import type { Answer } from '../../src/transport/transport.ts';
import { openRoot, type Root } from '../resources/on-a-root.ts';

let root: Root;

beforeAll(async () => {
  root = await openRoot();
});

afterAll(async () => {
  await root.close();
});

/** Two releases, of which the first is the current one, and a log of what the service does. */
beforeEach(async () => {
  await root.ask(sh`rm -rf /srv/app /srv/log
mkdir -p /srv/app/releases/1 /srv/app/releases/2
echo 1 >/srv/app/releases/1/n
echo 2 >/srv/app/releases/2/n
echo old >/srv/app/environment
ln -s releases/1 /srv/app/current`);
});

function stepOf(resource: Resource): Step {
  const desired = resource.type.schema.parse(resource.attributes);
  const change = { id: 'file:x', desired, action: 'update', actual: null, attributes: [] } as const;
  const [step] = resource.type.apply([change], { declared: () => [] });
  if (step === undefined || 'converse' in step) throw new Error('no step');
  return step;
}

const files = [
  link('/srv/app/current', { to: 'releases/2' }),
  file('/srv/app/environment', { content: 'new\n' }),
];
const paths = ['/srv/app/current', '/srv/app/environment'];

/** Switches to the second release and its environment. */
async function run(
  validate: Script,
  service: Script = sh`cat /srv/app/current/n /srv/app/environment >>/srv/log`,
  trees: readonly string[] = [...paths, '/srv/app/elsewhere/file'],
): Promise<Answer> {
  const section = transactionSection({
    transaction: { trees, validate },
    files: files.map(stepOf),
    paths,
    service: { resources: [], title: 'restart', script: service },
  });
  return await root.run(section.script, section.stdin);
}

const state = async (): Promise<string> =>
  await root.ask(sh`cat /srv/app/current/n /srv/app/environment; cat /srv/log 2>/dev/null || :`);

test('files and links go live together once their service has checked them, and the service takes them up', async () => {
  const validate = sh`[ "$(cat /srv/app/current/n /srv/app/environment | paste -sd,)" = 2,new ]`;
  expect(await run(validate)).toMatchObject({ code: 0 });
  expect(await state()).toBe('2\nnew\n2\nnew\n');
});

test('nothing changes where the check fails, and what it says is told', async () => {
  const answer = await run(sh`echo no good; exit 1`);
  expect(answer.code).not.toBe(0);
  expect(answer.stderr.toString()).toContain('no good');
  expect(await state()).toBe('1\nold\n');
});

test('everything comes back where the service does not take it up, and the service with it', async () => {
  const service = sh`cat /srv/app/current/n /srv/app/environment >>/srv/log
[ "$(cat /srv/app/current/n)" = 1 ]`;
  const answer = await run(sh`true`, service);
  expect(answer.code).not.toBe(0);
  expect(answer.stderr.toString()).toContain('the previous configuration is back in place');
  expect(await state()).toBe('1\nold\n2\nnew\n1\nold\n');
});

test('what lies beside a single file is shown to the check, not copied', async () => {
  const validate = sh`[ "$(stat -c %i /srv/app/releases/1/n)" = ${(await root.ask(sh`stat -c %i /srv/app/releases/1/n`)).trim()} ]`;
  expect(await run(validate)).toMatchObject({ code: 0 });
});

test('a directory in the place of a link survives a check that fails', async () => {
  await root.ask(sh`rm /srv/app/current; mkdir /srv/app/current; echo precious >/srv/app/current/n`);
  const answer = await run(sh`[ "$(cat /srv/app/current/n)" != 2 ]`);
  expect(answer.code).not.toBe(0);
  expect(await state()).toBe('precious\nold\n');
});

test('a whole tree is a copy for the check: what the check writes into it is gone', async () => {
  const answer = await run(sh`touch /srv/app/litter /srv/app/releases/litter`, sh`true`, ['/srv/app']);
  expect(answer, answer.stderr.toString()).toMatchObject({ code: 0 });
  expect(await root.ask(sh`ls /srv/app`)).toBe('current\nenvironment\nreleases\n');
  expect(await root.ask(sh`ls /srv/app/releases`)).toBe('1\n2\n');
});

test('where there was nothing before, nothing is left when the service fails', async () => {
  await root.ask(sh`rm -rf /srv/app`);
  const answer = await run(sh`[ "$(readlink /srv/app/current)" = releases/2 ]`, sh`exit 1`);
  expect(answer.code).not.toBe(0);
  expect(await root.ask(sh`ls -A /srv/app`)).toBe('');
});
