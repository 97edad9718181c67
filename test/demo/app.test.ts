import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';

const main = resolve(import.meta.dirname, '../../demo/app/main.py');

let folder: string;
let port: number;
let app: ChildProcess | undefined;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The real application with a driver that needs no database; resolves once it listens. */
async function start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  port = await freePort();
  app = spawn('python3', ['-B', main], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      PYTHONPATH: join(import.meta.dirname, 'fake'),
      FAKE: folder,
      PORT: String(port),
      HOSTWRIGHT_HOST: 'web<1>',
      ...environment,
    },
  });
  if (app.stdout === null) throw new Error('no output');
  await once(createInterface({ input: app.stdout }), 'line');
}

const databases = { DATABASE_PRIMARY: '127.0.0.1:1', DATABASE_REPLICAS: '[::1]:2 127.0.0.1:3' };

interface Reply {
  readonly status: number | undefined;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function ask(
  path: string,
  options: { readonly method?: string; readonly agent?: Agent; readonly body?: string } = {},
): Promise<Reply> {
  const { method = 'GET', agent, body } = options;
  return await new Promise<Reply>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, ...(agent && { agent }) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        resolve({ status: answer.statusCode, text, headers: answer.headers });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function away(...ports: readonly number[]): void {
  for (const one of ports) writeFileSync(join(folder, `${one}.away`), '');
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostwright-demo-'));
});

afterEach(async () => {
  if (app?.exitCode === null && app.signalCode === null) {
    app.kill('SIGKILL');
    await once(app, 'exit');
  }
  rmSync(folder, { recursive: true });
});

test('a visit is written to the primary, by whoever makes the table, and read from a replica', async () => {
  await start(databases);
  const written = await ask('/api/visits', { method: 'POST', body: 'ignored' });
  expect(written.status).toBe(201);
  expect(JSON.parse(written.text)).toEqual({
    host: 'web<1>',
    write: { id: 1, database: 'db1', role: 'primary' },
  });
  const read = await ask('/api/visits');
  expect(JSON.parse(read.text)).toEqual({
    host: 'web<1>',
    read: { database: 'db2', role: 'replica' },
    visits: [{ id: 1, host: 'web<1>', at: '2026-01-01T00:00:00.000Z' }],
  });
  expect(read.headers['x-served-by']).toBe('web<1>');
});

test('a site that nobody has visited yet has no visits, and no error', async () => {
  await start(databases);
  const read = await ask('/api/visits');
  expect(read.status).toBe(200);
  expect(JSON.parse(read.text)).toMatchObject({ read: { role: 'replica' }, visits: [] });
});

test('the page says who answered, wrote and read, and escapes what it shows', async () => {
  await start(databases);
  const { status, text } = await ask('/');
  expect(status).toBe(200);
  expect(text).toContain('web&lt;1&gt;');
  expect(text).not.toContain('web<1>');
  expect(text).toContain('db1 (primary)');
  expect(text).toContain('db2 (replica)');
  expect(text).toContain('<tr><td>1</td><td>web&lt;1&gt;</td><td>2026-01-01T00:00:00.000Z</td></tr>');
});

test('reads go to another replica, then to the primary, while those before are away', async () => {
  await start(databases);
  await ask('/api/visits', { method: 'POST' });
  away(2);
  expect(JSON.parse((await ask('/api/visits')).text)).toMatchObject({ read: { database: 'db3' } });
  away(3);
  expect(JSON.parse((await ask('/api/visits')).text)).toMatchObject({
    read: { database: 'db1', role: 'primary' },
  });
});

/** What happens to the next statements that write: `before 1290`, or `after 2013`, when the row is there already. */
function fails(...lines: readonly string[]): void {
  writeFileSync(join(folder, '1.fails'), lines.join('\n'));
}

test('a write is tried again until the server takes it, and is there once', async () => {
  await start(databases);
  const passing = [1290, 1053, 3032, 1047, 1180, 3100, 1213, 2006, 2013];
  fails(...passing.map((number) => `before ${number}`), 'after 2013', 'after 2013');
  const written = await ask('/api/visits', { method: 'POST' });
  expect(written.status).toBe(201);
  const { visits } = JSON.parse((await ask('/api/visits')).text) as { visits: readonly unknown[] };
  expect(visits).toHaveLength(1);
});

test('what another try would not change fails at once, and the rest after a while', async () => {
  await start({ ...databases, DATABASE_PATIENCE: '1' });
  fails('before 1142', 'before 1290');
  expect((await ask('/api/visits', { method: 'POST' })).status).toBe(503);
  // The second line was not needed: nothing was tried again.
  expect((await ask('/api/visits', { method: 'POST' })).status).toBe(201);
  fails(...Array.from({ length: 100 }, () => 'before 1290'));
  expect((await ask('/api/visits', { method: 'POST' })).status).toBe(503);
});

test('a proxy that finds the servers goes before their addresses', async () => {
  await start({ ...databases, DATABASE_WRITER: '127.0.0.1:1', DATABASE_READER: '127.0.0.1:3' });
  away(2);
  await ask('/api/visits', { method: 'POST' });
  expect(JSON.parse((await ask('/readyz')).text)).toMatchObject({
    databases: { primary: 'db1', replicas: ['db3'] },
  });
});

test('without databases it is up, and says what is missing without telling addresses', async () => {
  away(1, 2, 3);
  await start({ ...databases, DATABASE_PATIENCE: '0' });
  expect((await ask('/healthz')).status).toBe(200);
  for (const path of ['/', '/api/visits', '/readyz']) {
    const { status, text } = await ask(path);
    expect(status).toBe(503);
    expect(text).toContain('the primary database cannot be reached');
    expect(text).not.toMatch(/127\.0|::1/);
  }
});

test('it starts where no database is configured at all', async () => {
  await start();
  expect((await ask('/healthz')).status).toBe(200);
  expect((await ask('/api/visits')).status).toBe(503);
});

test('a body that is too large, and a path that is not there, are refused in one word', async () => {
  await start(databases);
  expect((await ask('/api/visits', { method: 'POST', body: 'x'.repeat(70_000) })).status).toBe(413);
  expect((await ask('/nowhere')).status).toBe(404);
});

test('at its end a connection that was idle still gets its answer, and is told that it was the last', async () => {
  await start(databases);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect((await ask('/healthz', { agent })).headers['connection']).not.toBe('close');
  app?.kill('SIGTERM');
  // Asked on a connection of its own, it says when the signal has arrived; it serves new ones as well.
  const connection = async (): Promise<unknown> => (await ask('/healthz')).headers['connection'];
  await expect.poll(connection, { timeout: 30_000 }).toBe('close');
  const last = await ask('/healthz', { agent });
  expect(last).toMatchObject({ status: 200, headers: { connection: 'close' } });
  if (app !== undefined && app.exitCode === null) await once(app, 'exit');
  expect(app?.exitCode).toBe(0);
});
