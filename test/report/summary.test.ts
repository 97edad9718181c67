import { describe, expect, it } from 'vitest';
import { capture, change, host, result, summary } from './terminal.ts';

const apply = { command: 'apply', seconds: 72 } as const;

describe('the end of an apply', () => {
  it('tells what each host did, and the total', () => {
    const { reporter, lines } = capture();
    reporter.report(summary({ web1: host({ changes: 4, changed: 4 }), web10: host() }, apply));
    expect(lines()).toEqual([
      '',
      'web1   4 changed',
      'web10  unchanged',
      '',
      'Done: 4 changed on 2 hosts; 16 unchanged. 1 min 12 s',
      '',
    ]);
  });

  it('names what failed with its reason, and how to go on', () => {
    const { reporter, lines } = capture();
    const reason = 'exit status 1\nE: no such package';
    for (const name of ['a', 'b']) {
      reporter.report(result('web1', 'x', { resource: `package:${name}`, outcome: 'failed', reason }));
    }
    reporter.report({ type: 'error', code: 'E_CONNECT', host: 'web3', message: 'no route to web3' });
    const hosts = {
      web1: host({ changes: 5, changed: 1, failed: 2, skipped: 2 }),
      web2: host({ changes: 1, changed: 1 }),
      web3: host({ resources: 0, unreachable: true }),
    };
    reporter.report(summary(hosts, { ...apply, ok: false }));
    const text = lines();
    expect(text.slice(text.indexOf('web1  1 changed, 2 failed, 2 skipped'))).toEqual([
      'web1  1 changed, 2 failed, 2 skipped',
      '      ✗ package a, b: exit status 1',
      'web2  1 changed',
      'web3  unreachable',
      '      ✗ no route to web3',
      '',
      'Failed: 2 changed, 2 failed, 2 skipped on 2 hosts; 1 host unreachable, 14 unchanged. 1 min 12 s',
      'Completed changes stay. Fix the cause, then run the same command again to make the rest.',
      'For these hosts only: --limit web1,web3',
      'To see why web3 cannot be reached: hostwright doctor',
      '',
    ]);
  });

  it('blames nobody when it was interrupted, and tells what was done and what was not', () => {
    const { reporter, lines } = capture();
    const hosts = {
      web1: host({ changes: 5, changed: 2, skipped: 3 }),
      web2: host({ changes: 1, changed: 1 }),
    };
    reporter.report(summary(hosts, { ...apply, ok: false, interrupted: true }));
    expect(lines().slice(1)).toEqual([
      'web1  2 changed, 3 skipped',
      'web2  1 changed',
      '',
      'Interrupted: 3 changed, 3 not done on 2 hosts; 14 unchanged. 1 min 12 s',
      'Completed changes stay. Run the same command again to make the rest.',
      'For this host only: --limit web1',
      '',
    ]);
  });

  it('asks to fix what failed also when it was interrupted', () => {
    const { reporter, stdout } = capture();
    const hosts = { web1: host({ changes: 5, changed: 2, failed: 1, skipped: 2 }) };
    reporter.report(summary(hosts, { ...apply, ok: false, interrupted: true }));
    expect(stdout()).toContain('Interrupted: 2 changed, 1 failed, 2 not done on 1 host');
    expect(stdout()).toContain('Fix the cause');
  });

  it('leaves well hosts out where there are many', () => {
    const { reporter, lines } = capture();
    const hosts = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`web${index}`, host({ changed: 1 })]),
    );
    reporter.report(summary({ ...hosts, web7: host({ failed: 1 }) }, { ...apply, ok: false }));
    expect(lines()).toContain('web7   1 failed');
    expect(lines()).toContain('… and 39 hosts without errors');
    expect(lines().length).toBeLessThan(10);
  });

  it('repeats nothing where there was nothing to do', () => {
    const { reporter, stdout } = capture();
    const hosts = { web1: host() };
    reporter.showPlan({ seconds: 0.5, hosts });
    reporter.report(summary(hosts, apply));
    expect(stdout()).toBe('Nothing to do: 10 resources unchanged on 1 host. 0.5 s\n');
  });

  it('tells of hosts that failed before their first change', () => {
    const { reporter, lines } = capture();
    reporter.report(change('web1', 'x'));
    reporter.report(summary({ web1: host({ unreachable: true }) }, { ...apply, ok: false }));
    expect(lines()).toContain('web1  unreachable');
    expect(lines()).toContain('Fix the cause, then run the same command again.');
  });
});
