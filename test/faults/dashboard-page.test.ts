import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openFront, type Front } from '../pages/front.ts';

// Debian's packages chromium, nginx-light, prometheus and prometheus-alertmanager. With HOSTWRIGHT_PICTURES=docs/pictures
// the pictures of the documentation are made anew.
const pictures = process.env['HOSTWRIGHT_PICTURES'];

let front: Front;
let browser: Browser;
/** What the browser complains of: scripts that fail, and what the policy of the page forbids. */
let complaints: string[] = [];

async function open(options: BrowserContextOptions = {}, path = '#last=3600'): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, ...options });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Labs that come and go change the network of this machine, and a server that is away is part of it.
    const isExpected = /net::ERR_|status of 502/.test(message.text());
    if (message.type() === 'error' && !isExpected) complaints.push(message.text());
  });
  await page.goto(front.url + path);
  await page.locator('.figure.good, .figure.warning, .figure.critical').first().waitFor();
  await page.locator('#qps .legend li').first().waitFor();
  return page;
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}/${name}.png` });
}

/** The numbers on top, by their titles. */
async function figures(page: Page): Promise<Readonly<Record<string, string>>> {
  const tiles = await page.locator('.figure').all();
  const found = await Promise.all(
    tiles.map(async (tile) => [
      await tile.locator('.title').innerText(),
      (await tile.locator('.value').innerText()).replaceAll(/\s+/g, ' '),
    ]),
  );
  return Object.fromEntries(found) as Record<string, string>;
}

/** How bright the page is, 0 to 255. */
async function brightness(page: Page): Promise<number> {
  const color = await page.evaluate('getComputedStyle(document.body).backgroundColor');
  const [red = 0, green = 0, blue = 0] = [...String(color).matchAll(/\d+/g)].map(Number);
  return (red + green + blue) / 3;
}

/** Whether something is wider than the window. */
async function overflows(page: Page): Promise<boolean> {
  return (await page.evaluate('document.documentElement.scrollWidth > innerWidth')) === true;
}

beforeAll(async () => {
  front = await openFront();
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium' });
});

beforeEach(() => {
  complaints = [];
});

afterAll(async () => {
  await browser.close();
  await front.close();
});

describe('the page, of a site where all is well', () => {
  it('says so, with numbers and a graph for each panel', async () => {
    const page = await open({ colorScheme: 'light', viewport: { width: 1440, height: 3000 } });
    await expect.poll(() => page.locator('.quiet').innerText()).toContain('No alert is firing');
    await expect.poll(async () => (await figures(page))['Targets down']).toBe('0');
    const found = await figures(page);
    expect(found['Web servers in use']).toBe('3 of 3');
    expect(found['Certificate good for']).toBe('62 days');
    expect(Number.parseInt(found['Requests per second'] ?? '', 10)).toBeGreaterThan(90);
    expect(Object.values(found)).not.toContain('no data');
    await expect.poll(() => page.locator('.panel:not(.empty) .legend li').count()).toBeGreaterThan(40);
    expect(await page.locator('.panel.empty h3').allInnerTexts()).toEqual([]);
    expect(await brightness(page)).toBeGreaterThan(200);
    await page.close();
    expect(complaints).toEqual([]);
  });

  it('is dark where the system is, and as somebody has chosen', async () => {
    const page = await open({ colorScheme: 'dark' });
    await picture(page, 'dashboard-dark');
    expect(await brightness(page)).toBeLessThan(60);
    const theme = page.locator('button.theme');
    await theme.click();
    expect(await brightness(page)).toBeGreaterThan(200);
    await page.reload();
    expect(await brightness(page)).toBeGreaterThan(200);
    await page.close();
    const light = await open({ colorScheme: 'light' });
    await picture(light, 'dashboard-light');
    await light.close();
    expect(complaints).toEqual([]);
  });

  it('fits the window of a phone', async () => {
    const page = await open({
      colorScheme: 'dark',
      viewport: { width: 390, height: 844 },
      deviceScaleFactor: 2,
    });
    expect(await overflows(page)).toBe(false);
    await picture(page, 'dashboard-phone');
    await page.close();
  });

  it('has one cursor for all graphs, and a range that stands in its address', async () => {
    const page = await open();
    await expect.poll(() => page.locator('#answers .legend li').count()).toBe(4);
    const newest = await page.locator('#latency .legend').innerText();
    const box = await page.locator('#qps .u-over').boundingBox();
    if (box === null) throw new Error('no graph');
    await page.mouse.move(box.x + box.width / 3, box.y + box.height / 2);
    await expect.poll(() => page.locator('#latency .legend').innerText()).not.toBe(newest);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.up();
    await expect.poll(() => page.url()).toMatch(/#from=\d+&to=\d+$/);
    const part = await page.locator('#controls .past').innerText();
    expect(part).toMatch(/\d\d:\d\d/);
    await page.getByText('15 m', { exact: true }).click();
    expect(page.url()).toMatch(/#last=900$/);
    await page.close();
    expect(complaints).toEqual([]);
  });

  it('asks for nothing while nobody sees it', async () => {
    const page = await open();
    // What a browser does with a tab that is not in front.
    await page.evaluate(
      "Object.defineProperty(document, 'hidden', { value: true, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))",
    );
    // What has been asked before is answered.
    await page.waitForLoadState('networkidle');
    let asked = 0;
    page.on('request', () => (asked += 1));
    await page.waitForTimeout(5000);
    expect(asked).toBe(0);
    await page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))");
    await expect.poll(() => asked).toBeGreaterThan(5);
    await page.close();
  });
});

describe('the page, where something is wrong', () => {
  it('has the alerts first, the worst before the others, and marks the numbers', async () => {
    front.breaks({
      'node_filesystem_avail_bytes{host="web3"': 2e9,
      'up{host="web2",job="nginx"}': 0,
    });
    const page = await open({ colorScheme: 'dark' }, '#last=900');
    await expect
      .poll(() => page.locator('.alert .head b').allInnerTexts(), { timeout: 20_000 })
      .toEqual(['/ on web3 is almost full', 'The metrics of nginx on web2 are missing']);
    await expect
      .poll(() => page.locator('.figure.critical .title').allInnerTexts())
      .toEqual(['Least disk left']);
    expect(await page.locator('.figure.warning .title').allInnerTexts()).toEqual(['Targets down']);
    expect(await page.title()).toBe('(2) www.foobar.com');
    expect(await page.locator('.alert .runbook').first().innerText()).toContain('First: ');
    await picture(page, 'dashboard-alert');
    await page.close();
    front.breaks({});
    expect(complaints).toEqual([]);
  });

  it('says what has no data, and why', async () => {
    front.breaks({ mysql: Number.NaN });
    const page = await open({}, '#last=900');
    const tile = page.locator('.figure', { hasText: 'Replication lag' });
    await expect.poll(() => tile.innerText(), { timeout: 20_000 }).toContain('no data');
    expect(await tile.innerText()).toContain('replication is stopped, or not set up');
    await page.close();
    front.breaks({});
  });

  it('says that the server is away, keeps what it has, and goes on when it is back', async () => {
    const page = await open({ colorScheme: 'light' });
    await front.stopFront();
    await expect
      .poll(() => page.locator('.away').innerText())
      .toContain('the monitoring host does not answer');
    expect(await page.locator('.figure.stale').count()).toBe(8);
    expect(await page.locator('#qps .legend li').count()).toBe(1);
    await picture(page, 'dashboard-away');
    await front.startFront();
    await expect.poll(() => page.locator('.away').isHidden(), { timeout: 20_000 }).toBe(true);
    await expect.poll(() => page.locator('.figure.stale').count()).toBe(0);
    await page.close();
    expect(complaints).toEqual([]);
  });

  it('says it when Prometheus alone is away', async () => {
    const page = await open();
    await front.stopPrometheus();
    await expect
      .poll(() => page.locator('.away').innerText())
      .toContain('Prometheus does not answer on the monitoring host');
    await page.close();
  });
});
