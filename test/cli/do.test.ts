import { describe, expect, it } from 'vitest';
import { events, hostwright, project } from './command-line.ts';

const role = `import { action, defineRole, HostwrightError, z } from 'hostwright';
const nothing = { steps: [], verify: async () => 'all is as it was' };
export default defineRole({
  name: 'web',
  variables: z.object({ web_word: z.string().default('x') }),
  resources: () => [],
  actions: {
    words: action({
      on: 'site', summary: 'show the words', arguments: z.object({}),
      read: async ({ hosts }) => ({ rows: hosts.map(({ name, vars }) => ({ host: name, word: vars.web_word })) }),
    }),
    paint: action({
      on: 'host', summary: 'paint a host',
      arguments: z.object({
        colour: z.enum(['red', 'blue']).describe('the colour'),
        coatCount: z.number().int().default(1).describe('how often'),
        wet: z.boolean().default(false),
      }),
      plan: async ({ host, args }) => {
        if (args.wet) throw new HostwrightError('E_REFUSED', host.name + ' is wet', { place: { host: host.name } });
        if (args.coatCount === 0) return nothing;
        const title = args.colour + ' ' + JSON.stringify(args.coatCount);
        return { ...nothing, steps: [{ host: host.name, title, run: async () => {} }] };
      },
    }),
    broken: action({
      on: 'site', summary: 'fail', arguments: z.object({}),
      read: async () => { throw new TypeError('no such thing'); },
    }),
  },
});
`;

const painted = (...words: readonly string[]) => ['do', 'web', 'paint', 'web1', ...words];
const files = { 'roles/web/role.ts': role };

describe('the list of actions', () => {
  it('has all of the site, or those of a role', async () => {
    const folder = project(files);
    const all = await hostwright(folder, ['do']);
    expect(all.stdout.split('\n')).toEqual([
      'web',
      '  words                  show the words',
      '  paint HOST --colour …  paint a host',
      '  broken                 fail',
      '',
    ]);
    expect((await hostwright(folder, ['do', 'web'])).stdout).toBe(all.stdout);
    expect((await hostwright(folder, ['do', 'db'])).stderr).toBe('the role db has no actions\n');
  });

  it('is one event for each with --json', async () => {
    expect(await events(project(files), ['do'])).toMatchObject([
      { type: 'action', role: 'web', action: 'words', on: 'site', reads: true, arguments: [] },
      {
        ...{ action: 'paint', summary: 'paint a host', on: 'host', reads: false },
        arguments: [
          { name: '--colour', description: 'the colour', required: true },
          { name: '--coat-count', required: false },
          { name: '--wet', required: false },
        ],
      },
      { action: 'broken' },
    ]);
  });

  it('makes the help of an action of its arguments', async () => {
    const { stdout, code } = await hostwright(project(files), painted('--help'));
    expect(code).toBe(0);
    expect(stdout).toContain('hostwright do web paint [options] <host>');
    expect(stdout).toMatch(/--coat-count <value> +how often/);
  });
});

describe('the command line of an action', () => {
  it.each([
    { words: ['do', 'wbe'], says: ['the site has no role wbe', 'did you mean "web"'] },
    { words: ['do', 'web', 'piant'], says: ['the role web has no action piant', 'did you mean "paint"'] },
    {
      words: ['do', 'web', 'paint', 'wbe1', '--colour', 'red'],
      says: ['no host wbe1 has the role web', 'did you mean "web1"'],
    },
    { words: painted('--colour', 'red'), says: ['web paint cannot ask for confirmation here', 'add --yes'] },
    { words: painted(), says: ["required option '--colour <value>' not specified"] },
    { words: ['do', 'web', 'paint', '--colour', 'red'], says: ["missing required argument 'host'"] },
    { words: painted('--colour', 'red', '--wte'), says: ["unknown option '--wte'", '--wet'] },
    { words: ['do', '--limit', 'db', 'mysql'], says: ['unknown option --limit', 'come behind it'] },
  ])('is refused where it is wrong: $says', async ({ words, says }) => {
    const { code, stderr } = await hostwright(project(files), words);
    expect(code).toBe(4);
    for (const text of says) expect(stderr).toContain(text);
  });
});

describe('an action', () => {
  it('that reads is answered by a table, without a question', async () => {
    const { code, stdout } = await hostwright(project(files), ['do', 'web', 'words', '-e', 'web_word=hello']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'host  word\nweb1  hello\n' });
  });

  it('gets its arguments by the types of their schema, and says what it does', async () => {
    const words = painted('--coat-count', '3', '--colour', 'blue', '--yes');
    expect(await events(project(files), words)).toEqual([
      {
        ...{ type: 'preview', role: 'web', action: 'paint', host: 'web1', remarks: [], edits: [] },
        steps: [{ host: 'web1', title: 'blue 3' }],
      },
      { type: 'action-step', host: 'web1', title: 'blue 3', outcome: 'done', ms: expect.any(Number) },
      {
        ...{
          type: 'outcome',
          role: 'web',
          action: 'paint',
          host: 'web1',
          ok: true,
          text: 'all is as it was',
        },
        seconds: expect.any(Number),
      },
    ]);
  });

  it('that has nothing to do asks nothing', async () => {
    const { code, stdout } = await hostwright(
      project(files),
      painted('--colour', 'red', '--coat-count', '0'),
    );
    expect(code).toBe(0);
    expect(stdout).toContain('all is as it was');
  });

  it('that refuses names the cause', async () => {
    const { code, stderr } = await hostwright(project(files), painted('--colour', 'red', '--wet', '--yes'));
    expect(code).toBe(1);
    expect(stderr).toContain('error: web1 is wet  [E_REFUSED]\n --> web1');
  });

  it('that throws something else says where', async () => {
    const [error, outcome] = await events(project(files), ['do', 'web', 'broken']);
    expect(error).toMatchObject({
      ...{ type: 'error', code: 'E_ROLE', message: 'the action broken of the role web fails' },
      ...{ found: 'TypeError: no such thing', place: { line: 28 } },
    });
    expect(outcome).toMatchObject({ type: 'outcome', ok: false });
  });
});

describe('a role', () => {
  it('whose actions are none is refused, with all that is wrong', async () => {
    const text = role
      .replace('words:', 'Words:')
      .replace("summary: 'paint a host'", 'summary: 1')
      .replace('read: async () =>', 'raed: async () =>');
    const { code, stderr } = await hostwright(project({ 'roles/web/role.ts': text }), ['do']);
    expect(code).toBe(4);
    expect(stderr).toContain('invalid actions.Words');
    expect(stderr).toContain('expected: a name such as restore-test');
    expect(stderr).toContain('invalid actions.paint.summary');
    expect(stderr).toContain('unknown member actions.broken.raed');
  });
});
