import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { reportPage } from '../../src/cli/write-page.ts';
import type { Event } from '../../src/plan/event.ts';
import { run } from '../lab/hosts.ts';
import { change, host, origin, result, summary } from '../report/terminal.ts';

// Debian's package chromium. With HOSTWRIGHT_PICTURES=docs/pictures the pictures of the documentation are made anew.
const pictures = process.env['HOSTWRIGHT_PICTURES'];

let browser: Browser;
let folder: string;
/** What the browser complains of, and what it asks others for. */
let complaints: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hostwright-page-'));
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
});

afterEach(() => {
  expect(complaints).toEqual([]);
  complaints = [];
});

afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

/** Makes the page of these events as a user does, and opens it. */
async function open(events: readonly Event[], options: BrowserContextOptions = {}, hash = ''): Promise<Page> {
  const recorded = join(folder, 'run.jsonl');
  await writeFile(recorded, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const command = resolve(import.meta.dirname, '../../bin/hostwright');
  const made = await run(command, ['report', 'html', recorded, '--out', join(folder, 'run.html')]);
  expect(made.code, made.stderr).toBe(0);
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('dialog', (dialog) => complaints.push(dialog.message()));
  page.on('request', (request) => {
    if (!request.url().startsWith(`file://${folder}/run.html`)) complaints.push(request.url());
  });
  await page.goto(`file://${folder}/run.html${hash}`);
  await page.locator('h1').waitFor();
  return page;
}

const diff =
  '@@ -1,3 +1,3 @@\n worker_processes auto;\n-worker_connections 512;\n+worker_connections 4096;\n http {\n';
const reason =
  'nginx.service cannot be restarted: exit status 1\nnginx: [emerg] bind() to 0.0.0.0:8080 failed (98: Address already in use)\nthe previous files were restored';

const conf = 'file:/etc/nginx/nginx.conf';

/** One failed host of three. */
const failed: readonly Event[] = [
  ...['web1', 'web2', 'db1'].flatMap((name, index) => [
    change(name, 'nginx', { resource: 'package:nginx', action: 'create' }),
    change(name, 'nginx', { resource: conf, action: 'update', diff }),
    change(name, 'nginx', { resource: 'service:nginx', action: 'restart' }),
    result(name, 'nginx', { resource: 'package:nginx', at: 900 + index * 90, ms: 4200, step: 1 }),
    result(name, 'nginx', { resource: conf, action: 'update', at: 5200, ms: 30, step: 2 }),
    result(name, 'nginx', {
      ...{ resource: 'service:nginx', action: 'restart', at: 5300, ms: 1800, step: 3 },
      ...(index === 1 && { outcome: 'failed', reason }),
    }),
  ]),
  summary(
    {
      web1: host({ resources: 180, changes: 3, changed: 3 }),
      web2: host({ resources: 180, changes: 3, changed: 2, failed: 1 }),
      db1: host({ resources: 180, changes: 3, changed: 3 }),
    },
    { command: 'apply', ok: false, seconds: 7.4, run: origin({ commit: 'a1'.repeat(20), isClean: false }) },
  ),
];

const rows = (page: Page) => page.locator('.rows > details');

it('says first what failed, why, and how to go on', async () => {
  const page = await open(failed, { colorScheme: 'light' });
  expect(await page.locator('h1').innerText()).toBe('Failed');
  expect(await page.locator('.numbers').innerText()).toBe(
    '8 changed, 1 failed, 531 unchanged on 3 hosts in 7.4 s',
  );
  expect(await page.locator('.command code').innerText()).toBe(
    'hostwright apply -i /site/inventory --limit web2',
  );
  expect(await rows(page).first().innerText()).toContain('Address already in use');
  // The same change of several hosts is there once.
  expect(await rows(page).count()).toBe(4);
  expect(await page.locator('.lane:not(.head) .name').allInnerTexts()).toEqual(['web2', 'web1', 'db1']);
  expect(await page.locator('.lane rect').count()).toBe(9);
  await page.locator('summary', { hasText: 'nginx.conf' }).click();
  expect((await page.locator('.diff .plus').innerText()).trim()).toBe('+worker_connections 4096;');
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}/report-light.png` });
  await page.close();
});

it('is dark where the system is, and fits a phone', async () => {
  const page = await open(failed, { colorScheme: 'dark', viewport: { width: 390, height: 844 } });
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(14, 17, 22)');
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  await page.close();
});

it('has its filter and each change in its address', async () => {
  const page = await open(failed, {}, '#q=host%3Aweb1&only=changed');
  expect(await rows(page).count()).toBe(3);
  await page.keyboard.press('/');
  await page.keyboard.type('conf');
  expect(await rows(page).count()).toBe(1);
  expect(page.url()).toMatch(/#q=conf&only=changed$/);
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  expect(await page.locator('details[open] .what').allInnerTexts()).toEqual(['package nginx']);
  await page.close();
  const linked = await open(failed, {}, '#r-db1-file%3A%2Fetc%2Fnginx%2Fnginx.conf');
  expect(await linked.locator('.linked[open] .what').innerText()).toBe('file /etc/nginx/nginx.conf');
  await linked.close();
});

it('opens a hundred thousand different changes, draws a thousand, and finds each', async () => {
  const names = Array.from({ length: 1000 }, (_, index) => `host-${index}`);
  const events = names.flatMap((name) =>
    Array.from({ length: 100 }, (_, index) =>
      result(name, 'app', {
        resource: `file:/etc/${name}/${index}`,
        at: index * 50,
        ms: 40,
        step: index + 1,
      }),
    ),
  );
  const counts = host({ resources: 180, changes: 100, changed: 100 });
  const end = summary(Object.fromEntries(names.map((name) => [name, counts])), {
    command: 'apply',
    run: origin(),
  });
  const page = await open([...events, end]);
  expect(await rows(page).count()).toBe(1000);
  expect(await page.locator('.counted').innerText()).toBe('100,000');
  await page.locator('input').fill('host:host-999 /99');
  expect(await page.locator('.what').allInnerTexts()).toEqual(['file /etc/host-999/99']);
  await page.close();
});

it('shows what is hostile as text, in every field', async () => {
  const evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\u001b[2J';alert(3)//";
  const name = `web1${evil}`;
  const events: readonly Event[] = [
    {
      ...change(name, evil, {
        resource: `file:${evil}`,
        diff: `@@ -1 +1 @@\n+${evil}`,
        why: evil,
        takesUp: [evil],
      }),
      attributes: [{ name: evil, from: evil, to: evil }],
      facts: [{ name: evil, from: evil, to: evil }],
      knownAfter: `file:${evil}`,
    },
    result(name, evil, {
      resource: `file:${evil}`,
      outcome: 'failed',
      reason: evil,
      at: 1,
      ms: 5,
      step: 1,
    }),
    { type: 'remark', host: name, role: evil, resource: `file:${evil}`, text: evil },
    { type: 'notice', host: name, text: evil },
    {
      type: 'error',
      code: 'E_REMOTE',
      message: evil,
      host: name,
      found: evil,
      expected: evil,
      hint: evil,
      place: { file: evil },
    },
    summary(
      { [name]: host({ changes: 1, failed: 1 }), web2: host() },
      {
        command: 'apply',
        ok: false,
        run: origin({ who: evil, inventory: evil, limit: evil, roles: [evil], commit: evil }),
      },
    ),
  ];
  const page = await open(events);
  const text = await page.locator('main').innerText();
  expect(text).toContain('<img src=x onerror=alert(2)>\\u{202e}\\u{1b}[2J');
  expect(text).not.toMatch(/\p{Cf}|[^\P{Cc}\n\t]/u);
  expect(await page.locator('img').count()).toBe(0);
  // What is copied to a shell is one word, whatever is in it.
  expect(await page.locator('.command code').innerText()).toContain(`-i '</script>`);
  await page.locator('.lane:not(.head) .name').first().click();
  await page.close();
});

it('runs nothing else, also where something gets into it', async () => {
  const { script } = reportPage();
  expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
  const page = await open(failed);
  const html = (await readFile(join(folder, 'run.html'), 'utf8')).replace(
    '</body>',
    '<script>document.title = "ran"</script><img src="https://example.org/x.png"></body>',
  );
  await writeFile(join(folder, 'run.html'), html);
  await page.reload();
  expect(await page.title()).toBe('hostwright apply');
  expect(complaints.filter((text) => text.includes('Content Security Policy'))).toHaveLength(2);
  complaints = [];
  await page.close();
});
