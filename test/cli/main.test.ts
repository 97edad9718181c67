import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { events, hostwright, project } from './command-line.ts';

describe('an error before the first host', () => {
  it.each([
    { what: 'an unknown option', words: ['plan', '--lmit', 'web1'], code: 'E_USAGE' },
    { what: 'an unknown host', words: ['apply', '--yes', '--limit', 'web9'], code: 'E_PATTERN' },
    { what: 'no terminal', words: ['apply'], code: 'E_USAGE' },
    { what: 'an inventory that is not there', words: ['drift', '-i', 'nowhere'], code: 'E_INVENTORY' },
    { what: 'a variable that no role reads', words: ['plan', '-e', 'web_prt=1'], code: 'E_VARIABLE' },
    { what: 'a role that is not there', words: ['plan', '--role', 'wbe'], code: 'E_USAGE' },
  ])('is a line of --json too: $what', async ({ words, code }) => {
    const { code: status, stdout, stderr } = await hostwright(project(), [...words, '--json']);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toEqual([
      expect.objectContaining({ type: 'error', code, message: expect.stringMatching(/^[a-z-]/) }),
      { type: 'summary', command: words[0], ok: false, seconds: expect.any(Number), hosts: {} },
    ]);
    expect(status).toBe(4);
    expect(stderr).toContain('error: ');
  });

  it('stands alone on stderr without --json, and where --json belongs to a command that is run', async () => {
    expect((await hostwright(project(), ['plan', '--limit', 'web9'])).stdout).toBe('');
    expect((await hostwright(project(), ['run', 'web9', '--', 'ls', '--json'])).stdout).toBe('');
  });
});

describe('the command line', () => {
  it('has no verb check, and says what is near', async () => {
    const help = await hostwright(project(), ['plan', '--help']);
    expect(help.stdout).toContain('Usage: hostwright plan [options]\n');
    const check = await hostwright(project(), ['check']);
    expect(check).toMatchObject({ code: 4, stdout: '' });
    expect(check.stderr).toContain("unknown command 'check'");
  });

  it.each([
    ['plan', '-i', 'inventory', '--inventory', 'other'],
    ['plan', '--limit', 'web1', '-l', 'db1'],
    ['inventory', 'list', '-i', 'inventory', '-i', 'other'],
  ])('refuses an option with one value that is given twice: %s %s %s %s %s', async (...words) => {
    const { code, stderr } = await hostwright(project(), words);
    expect(code).toBe(4);
    expect(stderr).toMatch(/--(inventory|limit) is given twice {2}\[E_USAGE\]/);
  });

  it('takes options that may come several times', async () => {
    const words = ['inventory', 'list', '--json', '-e', 'a=1', '-e', 'b=2'];
    expect(JSON.parse((await hostwright(project(), words)).stdout)).toMatchObject({
      _meta: { hostvars: { web1: { a: '1', b: '2' } } },
    });
  });
});

describe('hosts that are contacted', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** Says who was connected to: every host is a port of its own, at which nobody speaks SSH. */
  async function contacted(words: readonly string[]): Promise<readonly string[]> {
    const found = new Set<string>();
    const names = ['web1', 'db1', 'spare1'];
    const files = await Promise.all(
      names.map(async (name): Promise<[string, string]> => {
        const server = createServer((socket) => {
          found.add(name);
          socket.end('no\r\n');
        });
        servers.push(server);
        const port = await new Promise<number>((done) => {
          server.listen(0, '127.0.0.1', () => {
            const at = server.address();
            done(typeof at === 'object' && at !== null ? at.port : 0);
          });
        });
        return [`inventory/host_vars/${name}.yml`, `ansible_port: ${port}\n`];
      }),
    );
    await hostwright(project(Object.fromEntries(files)), words);
    return names.filter((name) => found.has(name));
  }

  it('are those that the site gives a role to', async () => {
    expect(await contacted(['plan'])).toEqual(['web1', 'db1']);
  });

  it('are with --role those that have it', async () => {
    expect(await contacted(['plan', '--role', 'db'])).toEqual(['db1']);
    expect(await contacted(['apply', '--yes', '--role', 'db', '--limit', 'web1'])).toEqual([]);
  });
});

describe('a run without a host', () => {
  it('says so', async () => {
    const { code, stdout } = await hostwright(project(), ['plan', '--limit', 'spare1']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^Nothing to do: no selected host has a role. \d/),
    });
    const lines = await events(project(), ['plan', '--limit', 'spare1']);
    expect(lines).toMatchObject([{ type: 'summary', ok: true, hosts: {} }]);
  });
});

describe('a value of the command line', () => {
  it.each([
    { given: 'web_port=6380', status: 3 },
    { given: 'web_word=80', status: 3 },
    { given: 'web_port=many', status: 4 },
    { given: '{"web_port": "6380"}', status: 4 },
    { given: 'db_names=a', status: 4 },
    { given: '{"db_names": ["a"]}', status: 3 },
    { given: 'ansible_become=false', status: 3 },
  ])('is what its role takes: $given', async ({ given, status }) => {
    const { code, stderr } = await hostwright(project(), ['plan', '-e', given]);
    expect(code, stderr).toBe(status);
  });

  it('is named with its place', async () => {
    const folder = project({ 'vars.yml': 'web_port: many\n' });
    const [error] = await events(folder, ['plan', '-e', '@vars.yml']);
    expect(error).toMatchObject({ code: 'E_VARIABLE', place: { file: 'vars.yml', line: 1 } });
    const [other] = await events(folder, ['plan', '-e', 'db_names=a']);
    expect(other).toMatchObject({
      place: { file: '--extra-vars' },
      hint: expect.stringContaining(`-e '{"db_names": `),
    });
  });
});
