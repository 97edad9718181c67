import { describe, expect, it } from 'vitest';
import { capture, change, host, summary } from './terminal.ts';

const drift = { command: 'drift' } as const;

describe('the end of drift', () => {
  it('does not call unchanged what the configuration changes', () => {
    const { reporter, lines } = capture();
    reporter.report(change('web1', 'x', { cause: 'drift', action: 'update' }));
    const hosts = { web1: host({ changes: 1, pending: 2 }), web2: host({ pending: 1 }) };
    reporter.report(summary(hosts, drift));
    expect(lines()).toEqual([
      'web1 · x',
      '  ~ file /etc/motd   drifted',
      '',
      'Drift: 1 drifted on 1 host; 3 changed in the configuration (see plan), 16 unchanged. 0.8 s',
      '',
    ]);
  });

  it('tells what the host has changed by becoming another one', () => {
    const { reporter, lines } = capture();
    reporter.report(change('web1', 'x', { cause: 'drift', action: 'update' }));
    const facts = [
      { name: 'memory', from: '2048 MiB', to: '4096 MiB' },
      { name: 'addresses', from: 'fd00::1', to: null },
    ];
    reporter.report(change('web1', 'x', { resource: 'file:/etc/c', cause: 'fact', facts, action: 'update' }));
    reporter.report(summary({ web1: host({ changes: 2 }) }, drift));
    expect(lines()).toEqual([
      'web1 · x',
      '  ~ file /etc/motd   drifted',
      '  ~ file /etc/c   because memory went from 2048 MiB to 4096 MiB, addresses no longer has fd00::1',
      '',
      'Drift: 1 drifted, 1 changed by facts of the host on 1 host; 8 unchanged. 0.8 s',
      '',
    ]);
  });

  it('says what was remarked of a host behind its changes', () => {
    const { reporter, lines } = capture();
    reporter.report({
      ...{ type: 'remark', host: 'web1', role: 'x', resource: 'package_files:system' },
      text: 'files of packages are diverted by hand: /usr/bin/x',
    });
    reporter.report(summary({ web1: host() }, drift));
    expect(lines()).toEqual([
      'web1 · x, package_files system: files of packages are diverted by hand: /usr/bin/x',
      '',
      'No drift on 1 host: 10 unchanged. 0.8 s',
      '',
    ]);
  });

  it('says so where nothing has drifted', () => {
    const { reporter, lines } = capture();
    reporter.report(summary({ web1: host(), web2: host({ pending: 4 }) }, drift));
    expect(lines()[0]).toBe(
      'No drift on 2 hosts: 4 changed in the configuration (see plan), 16 unchanged. 0.8 s',
    );
  });

  it('names the hosts that it knows nothing of', () => {
    const { reporter, lines } = capture();
    const unreachable = host({ resources: 0, unreachable: true });
    reporter.report(summary({ web1: host(), web2: unreachable }, { ...drift, ok: false }));
    expect(lines()[0]).toBe('No drift on 1 host: 10 unchanged; unreachable: web2. 0.8 s');
    const { reporter: other, lines: otherLines } = capture();
    other.report(summary({ web2: unreachable }, { ...drift, ok: false }));
    expect(otherLines()[0]).toBe('Drift: no host could be checked; unreachable: web2. 0.8 s');
  });
});
