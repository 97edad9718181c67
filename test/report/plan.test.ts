import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { ChangeEvent } from '../../src/plan/event.ts';
import { unifiedDiff } from '../../src/plan/diff.ts';
import { capture, change, host, summary } from './terminal.ts';

const three = { web1: host(), web2: host(), web3: host() };

const digest = (digit: string): string => digit.repeat(64);

describe('the plan', () => {
  it('shows a change that several hosts share once, below their names', () => {
    const { reporter, lines } = capture();
    reporter.report(change('web1', 'base', { resource: 'file:/etc/hostname' }));
    for (const name of ['web1', 'web2', 'web3']) {
      reporter.report(
        change(name, 'firewall', { resource: 'ufw_rule:allow 22/tcp', why: 'ssh from everywhere' }),
      );
    }
    reporter.report(summary(three));
    expect(lines()).toEqual([
      'web1 · base',
      '  + file /etc/hostname',
      'web1 web2 web3 · firewall',
      '  + ufw_rule allow 22/tcp   ssh from everywhere',
      '',
      'Plan: 4 to create on 3 hosts; 26 unchanged. 0.8 s',
      '',
    ]);
  });

  it.each<Partial<ChangeEvent>>([
    { action: 'update' },
    { attributes: [{ name: 'mode', from: null, to: '0600' }] },
    { diff: '@@ -0,0 +1,1 @@\n+a' },
    { knownAfter: 'package:x' },
    { why: 'another' },
    { resource: 'file:/etc/issue' },
  ])('keeps changes of two hosts apart that differ in %o', (difference) => {
    const { reporter, lines } = capture();
    reporter.report(change('web1', 'base'));
    reporter.report(change('web2', 'base', difference));
    reporter.report(summary(three));
    expect(lines()).toContain('web1 · base');
    expect(lines()).toContain('web2 · base');
  });

  it('marks each action and counts it', () => {
    const { reporter, lines } = capture();
    const actions = ['create', 'update', 'delete', 'run', 'reload', 'restart'] as const;
    for (const action of actions) {
      reporter.report(change('web1', 'x', { action, resource: `t:${action}`, why: 'of a reason' }));
    }
    reporter.report(change('web1', 'x', { action: 'reload', resource: 't:other' }));
    reporter.report(summary({ web1: host() }));
    expect(lines()).toEqual([
      'web1 · x',
      '  + t create   of a reason',
      '  ~ t update   of a reason',
      '  - t delete   of a reason',
      '  ▸ t run   run: of a reason',
      '  ↻ t reload   reload: of a reason',
      '  ⟳ t restart   restart: of a reason',
      '  ↻ t other   reload',
      '',
      'Plan: 1 to create, 1 to update, 1 to remove, 1 to run, 2 reloads, 1 restart on 1 host; 3 unchanged. 0.8 s',
      '',
    ]);
  });

  it('shows attributes from and to, what waits for another resource, and the diff', () => {
    const { reporter, lines } = capture();
    reporter.report(
      change('web1', 'x', {
        action: 'update',
        attributes: [
          { name: 'mode', from: '0644', to: '0600' },
          { name: 'comment', from: null, to: '' },
          { name: 'content', from: digest('a'), to: digest('b') },
        ],
        diff: unifiedDiff('one\n', 'two\n'),
      }),
    );
    reporter.report(change('web1', 'x', { resource: 'mysql_user:app', knownAfter: 'package:mysql-server' }));
    reporter.report(summary(three));
    expect(lines().slice(0, 8)).toEqual([
      'web1 · x',
      '  ~ file /etc/motd',
      '      mode 0644 → 0600',
      "      comment none → ''",
      '      @@ -1,1 +1,1 @@',
      '      -one',
      '      +two',
      '  + mysql_user app   known after package:mysql-server',
    ]);
  });

  it('shows digests in the place of diffs that are not wanted', () => {
    const { reporter, lines } = capture({ diff: false });
    reporter.report(
      change('web1', 'x', {
        action: 'update',
        attributes: [{ name: 'content', from: 'a'.repeat(64), to: 'b'.repeat(64) }],
        diff: '@@ -1,1 +1,1 @@\n-one\n+two',
      }),
    );
    reporter.report(summary(three));
    expect(lines()).toContain('      content aaaaaaaaaaaa → bbbbbbbbbbbb');
    expect(lines()).not.toContain('      +two');
  });

  it('shows secrets as changed, masked on both sides', () => {
    const { reporter, lines } = capture();
    const attributes = [{ name: 'password', from: '***', to: '***' }];
    reporter.report(change('web1', 'x', { action: 'update', attributes }));
    reporter.report(summary(three));
    expect(lines()).toContain('      password *** → ***');
  });

  it('folds long diffs and says by how much', () => {
    const { reporter, lines } = capture();
    const text = Array.from({ length: 200 }, (_, index) => `line ${index}\n`).join('');
    reporter.report(change('web1', 'x', { action: 'update', diff: unifiedDiff(null, text) }));
    reporter.report(summary(three));
    expect(lines()).toContain('      … 141 more lines');
    expect(lines().length).toBeLessThan(70);
  });

  it('makes white space visible where it is the only difference', () => {
    const { reporter, lines } = capture();
    reporter.report(change('web1', 'x', { action: 'update', diff: unifiedDiff('a\tb\n', 'a b \n') }));
    reporter.report(summary(three));
    expect(lines()).toContain('      -a→   b');
    expect(lines()).toContain('      +a b·');
  });

  it('says that there is nothing to do', () => {
    const { reporter, lines } = capture();
    reporter.report(summary({ web1: host({ resources: 131 }) }));
    expect(lines()).toEqual(['Nothing to do: 131 resources unchanged on 1 host. 0.8 s', '']);
  });

  it('never calls hosts well that it knows nothing of', () => {
    const { reporter, lines, stderr } = capture();
    reporter.report({ type: 'error', code: 'E_CONNECT', host: 'web2', message: 'no route' });
    reporter.report({ type: 'error', code: 'E_ROLE', host: 'web3', message: 'role x throws' });
    const hosts = { ...three, web2: host({ resources: 0, unreachable: true }), web3: host({ resources: 0 }) };
    reporter.report(summary(hosts, { ok: false }));
    expect(lines()[0]).toBe(
      'Nothing to do: 10 resources unchanged on 1 host; unreachable: web2; not planned: web3. 0.8 s',
    );
    expect(stderr()).toContain('error: no route  [E_CONNECT]\n --> web2\n');
  });

  it('knows nothing when no host could be reached', () => {
    const { reporter, lines } = capture();
    reporter.report(summary({ web1: host({ resources: 0, unreachable: true }) }, { ok: false }));
    expect(lines()[0]).toBe('Plan: no host could be planned; unreachable: web1. 0.8 s');
  });

  it('shows the plan once when apply shows it before its summary', () => {
    const { reporter, stdout } = capture();
    reporter.report(change('web1', 'x'));
    reporter.showPlan({ seconds: 0.3, hosts: three });
    reporter.report(summary(three, { command: 'apply' }));
    expect(stdout().match(/Plan:/g)).toHaveLength(1);
    expect(stdout()).toContain('0.3 s');
  });

  it('has only ASCII of its own where the locale has no more', () => {
    const { reporter, stdout } = capture({ env: { LANG: 'de_DE.UTF-8', LC_ALL: 'C' } });
    const attributes = [{ name: 'mode', from: '0644', to: '0600' }];
    for (const action of ['update', 'reload', 'restart', 'run'] as const) {
      reporter.report(change('web1', 'x', { action, resource: `t:${action}`, attributes }));
    }
    reporter.report(summary(three));
    expect(stdout()).toMatch(/^[ -~\n]+$/);
    expect(stdout()).toContain('mode 0644 -> 0600');
  });

  it.each([40, 80, 200])('fits into %d columns, wide characters counted as two', (columns) => {
    const { reporter, lines } = capture({ isTTY: true, columns, env: { LANG: 'C.UTF-8', TERM: 'xterm' } });
    const attributes = [{ name: 'comment', from: '日本語'.repeat(30), to: 'x'.repeat(150) }];
    const diff = unifiedDiff('a\n', `${'設定 '.repeat(80)}\n`);
    for (let index = 0; index < 50; index += 1) {
      reporter.report(
        change(`host-${index}`, 'x', { action: 'update', attributes, diff, why: 'w '.repeat(60) }),
      );
    }
    reporter.report(
      summary(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`host-${index}`, host()]))),
    );
    expect(Math.max(...lines().map((line) => stringWidth(line)))).toBeLessThanOrEqual(columns);
    expect(lines()[0]).toMatch(/^host-0 .* and \d+ more · x$/);
  });
});

const colourOf = (isTTY: boolean, env: Record<string, string>): boolean => {
  const { reporter, stdout } = capture({ isTTY, env });
  reporter.report(change('web1', 'x'));
  reporter.report(summary(three));
  return stdout().includes('\u001b[3');
};

describe('colour', () => {
  it('is for terminals, unless NO_COLOR or FORCE_COLOR say otherwise', () => {
    expect(colourOf(true, { TERM: 'xterm' })).toBe(true);
    expect(colourOf(true, { TERM: 'dumb' })).toBe(false);
    expect(colourOf(true, { TERM: 'xterm', NO_COLOR: '1' })).toBe(false);
    expect(colourOf(true, { TERM: 'xterm', NO_COLOR: '' })).toBe(true);
    expect(colourOf(false, {})).toBe(false);
    expect(colourOf(false, { FORCE_COLOR: '1' })).toBe(true);
    expect(colourOf(true, { TERM: 'xterm', FORCE_COLOR: '0' })).toBe(false);
  });
});
