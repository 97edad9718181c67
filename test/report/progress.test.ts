import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createActivity } from '../../src/report/activity.ts';
import { activityLines } from '../../src/report/live-screen.ts';
import { chooseStyle } from '../../src/report/style.ts';
import { capture, change, host, result, summary } from './terminal.ts';

const ESCAPE = '\u001b';
const hostile = '\u001b]0;owned\u0007\u001b[2J\u202e';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('plain progress', () => {
  it('prints a line for each role of a step that is done', () => {
    const { reporter, lines } = capture();
    reporter.report({ type: 'step', host: 'web1', title: 'install nginx-light, socat, ufw' });
    for (const name of ['nginx-light', 'socat']) {
      reporter.report(result('web1', 'nginx', { resource: `package:${name}`, ms: 12_300 }));
    }
    reporter.report(result('web1', 'firewall', { resource: 'package:ufw' }));
    expect(lines()).toEqual(['']);
    reporter.report({ type: 'step', host: 'web1', title: null });
    expect(lines()).toEqual([
      'web1 ✓ nginx  2 changed: package nginx-light, socat  12 s',
      'web1 ✓ firewall  package ufw created',
      '',
    ]);
    reporter.close();
  });

  it('gives a sign of life of a step every thirty seconds', () => {
    const { reporter, lines } = capture();
    reporter.report({ type: 'step', host: 'web1', title: 'install mysql-server' });
    vi.advanceTimersByTime(29_000);
    expect(lines()).toEqual(['']);
    vi.advanceTimersByTime(33_000);
    expect(lines()).toEqual([
      'web1 … install mysql-server  30 s',
      'web1 … install mysql-server  1 min 0 s',
      '',
    ]);
    reporter.report({ type: 'step', host: 'web1', title: null });
    vi.advanceTimersByTime(120_000);
    expect(lines()).toHaveLength(3);
    reporter.close();
  });

  it('shows a failure in full, once for all it concerns, and what was skipped because of it', () => {
    const { reporter, lines } = capture();
    const reason = 'the check of its configuration failed\nnginx: [emerg] unknown directive "wroker"';
    reporter.report({ type: 'step', host: 'web1', title: 'check and reload nginx' });
    const failed = { outcome: 'failed', action: 'update', reason } as const;
    reporter.report(result('web1', 'nginx', { ...failed, resource: 'file:/etc/nginx/nginx.conf' }));
    reporter.report(result('web1', 'nginx', { ...failed, resource: 'service:nginx', action: 'reload' }));
    reporter.report(
      result('web1', 'app', {
        resource: 'service:app',
        outcome: 'skipped',
        reason: 'needs service:nginx, which failed',
      }),
    );
    reporter.report({ type: 'step', host: 'web1', title: null });
    expect(lines()).toEqual([
      'web1 ✗ nginx  2 failed: file /etc/nginx/nginx.conf, service nginx',
      '      while: check and reload nginx',
      '      the check of its configuration failed',
      '      │ nginx: [emerg] unknown directive "wroker"',
      'web1 ○ app  1 skipped: needs service:nginx, which failed (service app)',
      '',
    ]);
    reporter.close();
  });

  it('keeps to the last words of a long failure', () => {
    const { reporter, lines } = capture();
    const reason = ['apt failed', ...Array.from({ length: 100 }, (_, index) => `word ${index}`)].join('\n');
    reporter.report(result('web1', 'x', { outcome: 'failed', reason }));
    reporter.close();
    expect(lines()).toContain('      │ … 80 earlier lines');
    expect(lines()).toContain('      │ word 99');
    expect(lines()).not.toContain('      │ word 79');
  });

  it('does not hold a result back when no step follows', () => {
    const { reporter, lines } = capture();
    reporter.report(result('web1', 'x'));
    vi.advanceTimersByTime(1000);
    expect(lines()).toEqual(['web1 ✓ x  file /etc/motd created', '']);
    reporter.close();
  });

  it.each([
    ['a pipe', false, {}],
    ['a dumb terminal', true, { TERM: 'dumb' }],
    ['CI', true, { TERM: 'xterm', CI: 'true', NO_COLOR: '1' }],
  ])('moves no cursor on %s', (_, isTTY, env) => {
    const { reporter, stdout } = capture({ isTTY, env, columns: 80 });
    reporter.report({ type: 'step', host: 'web1', title: 'work' });
    vi.advanceTimersByTime(31_000);
    reporter.report(result('web1', 'x'));
    reporter.report(summary({ web1: host({ changed: 1, changes: 1 }) }, { command: 'apply' }));
    reporter.close();
    expect(stdout()).not.toContain(ESCAPE);
    expect(stdout()).toContain('file /etc/motd created');
  });
});

describe('the live view', () => {
  const env = { TERM: 'xterm', LANG: 'C.UTF-8', NO_COLOR: '1' };

  it('redraws what hosts do and takes it away at the end', () => {
    const { reporter, stdout } = capture({ isTTY: true, columns: 80, env });
    reporter.report({ type: 'step', host: 'web1', title: 'install nginx' });
    vi.advanceTimersByTime(100);
    expect(stdout()).toBe('web1  install nginx  0 s\n');
    vi.advanceTimersByTime(2900);
    expect(stdout().endsWith('web1  install nginx  3 s\n')).toBe(true);
    const drawn = stdout().length;
    reporter.close();
    expect(stdout().slice(drawn)).toBe(`${ESCAPE}[2K${ESCAPE}[1A${ESCAPE}[2K${ESCAPE}[G`);
    vi.advanceTimersByTime(5000);
    expect(stdout().slice(drawn)).not.toContain('install');
  });

  it('draws nothing on a terminal that says it has no width', () => {
    const { reporter, stdout } = capture({ isTTY: true, columns: 0, rows: 0, env });
    const title = 'install nginx-light, socat and 20 more packages';
    reporter.report({ type: 'step', host: 'web1', title });
    vi.advanceTimersByTime(3000);
    expect(stdout()).toBe('');
    reporter.report(change('web1', 'x'));
    reporter.showPlan({ seconds: 0.1, hosts: { web1: host() } });
    expect(stdout()).toBe(
      'web1 · x\n  + file /etc/motd\n\nPlan: 1 to create on 1 host; 9 unchanged. 0.1 s\n',
    );
    reporter.close();
  });

  it('leaves what an interruption says above what goes on, with the steps that are waited for', () => {
    const { reporter, stdout, stderr } = capture({ isTTY: true, columns: 40, env });
    reporter.report({ type: 'step', host: 'web1', title: 'install nginx-light' });
    reporter.report({ type: 'step', host: 'web2', title: 'write a, write b', steps: 2 });
    vi.advanceTimersByTime(2000);
    const drawn = stdout().length;
    reporter.interrupted(false);
    expect(stderr()).toBe(
      `Interrupted: waiting for the current steps to finish. Press Ctrl-C again to stop without waiting for them.
  web1  install nginx-light  2 s
  web2  one of 2 steps: write a, write b  2 s
`,
    );
    // Taken away before the message, drawn again below it.
    expect(stdout().slice(drawn).startsWith(`${ESCAPE}[2K`)).toBe(true);
    expect(stdout().slice(drawn)).toContain('web1  install nginx-light  2 s\n');
    reporter.report({ type: 'step', host: 'web2', title: null });
    reporter.interrupted(true);
    expect(stderr()).toContain(
      `Stopped at once. The host finishes this step by itself and stays locked until then:
  web1  install nginx-light  2 s
Completed changes stay. Run the same command again to make the rest.
`,
    );
    vi.advanceTimersByTime(3000);
    expect(stdout().endsWith(`${ESCAPE}[G`)).toBe(true);
  });

  it('lets what is done scroll above', () => {
    const { reporter, stdout } = capture({ isTTY: true, columns: 80, env });
    reporter.report(change('web1', 'x'));
    reporter.showPlan({ seconds: 0.1, hosts: { web1: host() } });
    reporter.report({ type: 'step', host: 'web1', title: 'write files' });
    reporter.report({ type: 'step', host: 'web2', title: 'write other files' });
    vi.advanceTimersByTime(100);
    reporter.report(result('web1', 'x'));
    reporter.report({ type: 'step', host: 'web1', title: null });
    vi.advanceTimersByTime(100);
    reporter.close();
    const text = stripVTControlCharacters(stdout());
    const scrolled = text.indexOf('web1 ✓ x  file /etc/motd created\n');
    expect(scrolled).toBeGreaterThan(text.indexOf('web1  write files'));
    expect(text.lastIndexOf('web2  write other files')).toBeGreaterThan(scrolled);
    expect(text.lastIndexOf('web1  write files')).toBeLessThan(text.lastIndexOf('web2  write other files'));
    expect(text).toContain('1 of 1 done');
  });

  it('shows nothing of planning any more when it asks', () => {
    const { reporter, stdout } = capture({ isTTY: true, columns: 80, env });
    reporter.report({ type: 'step', host: 'web1', title: 'probe' });
    vi.advanceTimersByTime(100);
    reporter.report(change('web1', 'x'));
    reporter.showPlan({ seconds: 0.1, hosts: { web1: host() } });
    const shown = stdout();
    expect(stripVTControlCharacters(shown).endsWith('unchanged. 0.1 s\n')).toBe(true);
    vi.advanceTimersByTime(5000);
    expect(stdout()).toBe(shown);
    reporter.close();
  });

  it.each([
    [40, 8],
    [80, 16],
    [200, 3],
  ])('fits into %d columns and %d rows', (columns, rows) => {
    let now = 0;
    const activity = createActivity(() => now);
    activity.plan(100);
    for (let index = 0; index < 30; index += 1) {
      activity.step({
        type: 'step',
        host: `web${index}`,
        title: `日本語 ${'パッケージ '.repeat(40)}${hostile}`,
      });
      now += 1000;
    }
    const style = chooseStyle({
      env: { TERM: 'xterm', LANG: 'C.UTF-8' },
      isTTY: true,
      columns: () => columns,
    });
    const lines = activityLines(activity, rows, style).map((line) => stripVTControlCharacters(line));
    expect(lines).toHaveLength(rows);
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(columns);
    expect(lines.at(0)).toMatch(/^web0 +日本語.*… {2}30 s$/);
    expect(lines.at(-2)).toBe(`… and ${30 - (rows - 2)} more`);
    expect(lines.at(-1)).toBe('0 of 100 done');
  });
});

describe('text of a host', () => {
  it('reaches the terminal without its control characters, wherever it comes', () => {
    for (const isTTY of [true, false]) {
      const env = { TERM: 'xterm', LANG: 'C.UTF-8', NO_COLOR: '1' };
      const { reporter, stdout, stderr } = capture({ isTTY, columns: 300, env });
      const name = `web${hostile}`;
      const attributes = [
        { name: hostile, from: hostile, to: ` ${hostile}` },
        { name: 'mode', from: null, to: hostile },
      ];
      for (const action of ['update', 'create'] as const) {
        const diff = `@@ -1 +1 @@\n-${hostile}\n+\t${hostile}`;
        reporter.report(
          change(name, hostile, {
            resource: `file:${hostile}${action}`,
            action,
            attributes,
            diff,
            why: hostile,
            knownAfter: `package:${hostile}`,
          }),
        );
      }
      reporter.showPlan({ seconds: 1, hosts: { [name]: host() } });
      reporter.report({ type: 'step', host: name, title: hostile });
      vi.advanceTimersByTime(61_000);
      for (const outcome of ['changed', 'failed', 'skipped'] as const) {
        const reason = `${hostile}\n${hostile}\n${hostile}`;
        reporter.report(result(name, hostile, { resource: `file:${hostile}`, outcome, reason }));
      }
      reporter.report({
        type: 'error',
        code: 'E_REMOTE',
        host: name,
        message: hostile,
        place: { host: name, resource: hostile },
        found: hostile,
        expected: hostile,
        hint: hostile,
      });
      const broken = host({ failed: 1, unreachable: true });
      reporter.report(summary({ [name]: broken, web2: host() }, { command: 'apply', ok: false }));
      reporter.close();
      // Erasing a line and moving up are our own, to redraw; nothing else may be there.
      const ours = new RegExp(`${ESCAPE}\\[(?:2K|1A|G)`, 'g');
      expect((stdout().replaceAll(ours, '') + stderr()).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(stdout()).toContain(String.raw`\x1b]0;owned\x07`);
      expect(stderr()).toContain(String.raw`\x1b]0;owned\x07`);
    }
  });
});
