import { describe, expect, it } from 'vitest';
import { sortAlerts } from '../../pages/dashboard/sort-alerts.ts';
import { age, legend, text } from '../../pages/dashboard/format.ts';
import { tableOf } from '../../pages/dashboard/table.ts';
import { hashOf, shownBy, spanOf } from '../../pages/dashboard/time.ts';

describe('values for people', () => {
  it.each([
    [0.00042, 'seconds', '420 µs'],
    [0.0168, 'seconds', '16.8 ms'],
    [1.5, 'seconds', '1.5 s'],
    [5400, 'seconds', '90 min'],
    [0, 'requests', '0/s'],
    [0.42, 'requests', '0.42/s'],
    [12_345.6, 'requests', '12,346/s'],
    [99.97, 'percent', '99.9 %'],
    [100, 'percent', '100 %'],
    [1_234_567, 'bytes', '1.23 MB/s'],
    [62.9, 'days', '62 days'],
    [1.5, 'days', '36 hours'],
    [3, 'count', '3'],
  ] as const)('%d of %s is %s', (value, unit, shown) => {
    expect(text(value, unit)).toBe(shown);
  });

  it('are ages that one can compare', () => {
    expect([5, 300, 7200, 3 * 86_400].map(age)).toEqual(['5 s', '5 min', '2 h', '3 days']);
  });

  it('are names of series by their labels', () => {
    expect(legend('{host} {mountpoint}', { host: 'web1', mountpoint: '/' })).toBe('web1 /');
  });
});

describe('the time of the page', () => {
  it('is asked for in steps that stay, with at most some 300 points', () => {
    const span = spanOf({ last: 3600 }, 5, 1_700_000_003);
    expect(span).toEqual({ from: 1_699_996_410, to: 1_699_999_995, step: 15, window: 30 });
    const week = spanOf({ last: 7 * 86_400 }, 5, 1_700_000_003);
    expect((week.to - week.from) / week.step).toBeLessThanOrEqual(340);
    expect(week.window).toBe(week.step);
  });

  it('stands in the address, which may be nonsense', () => {
    for (const shown of [{ last: 900 }, { from: 1000, to: 2000 }])
      expect(shownBy(hashOf(shown))).toEqual(shown);
    for (const hash of ['', '#last=x', '#from=5&to=1', '#last=-1', '#qps']) {
      expect(shownBy(hash)).toEqual({ last: 3600 });
    }
  });
});

describe('what a graph is drawn from', () => {
  const span = { from: 100, to: 130, step: 10, window: 30 };
  const queries = [{ expr: 'x', legend: '{host}' }] as const;

  it('has one time axis, with gaps where a series has none or no number', () => {
    const series = [
      {
        metric: { host: 'web1' },
        values: [
          [100, '1'],
          [130, '4'],
        ],
      },
      {
        metric: { host: 'web2' },
        values: [
          [110, 'NaN'],
          [120, '3'],
        ],
      },
      { metric: { host: 'web3' }, values: [[110, 'NaN']] },
    ] as const;
    expect(tableOf({ queries: [...queries] }, [series], span)).toEqual({
      times: [100, 110, 120, 130],
      rows: [
        { name: 'web1', host: 'web1', values: [1, null, null, 4] },
        { name: 'web2', host: 'web2', values: [null, null, 3, null] },
      ],
    });
  });
});

describe('the alerts', () => {
  const alert = (
    alertname: string,
    severity: string,
    minute: number,
    state: 'firing' | 'pending' = 'firing',
  ) => ({
    labels: { alertname, severity },
    annotations: {},
    activeAt: `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`,
    state,
  });

  it('are the worst first, then the oldest, without those that nobody is told of', () => {
    const all = [
      alert('A', 'warning', 1),
      alert('B', 'critical', 3),
      alert('C', 'critical', 2),
      alert('D', 'warning', 0, 'pending'),
      alert('E', 'warning', 0),
    ];
    const sorted = sortAlerts(all, [{ alertname: 'E', severity: 'warning' }]);
    const names = (alerts: readonly { readonly labels: { readonly alertname?: string } }[]) =>
      alerts.map(({ labels }) => labels.alertname);
    expect(names(sorted.firing)).toEqual(['C', 'B', 'A']);
    expect(names(sorted.pending)).toEqual(['D']);
    expect(names(sorted.suppressed)).toEqual(['E']);
  });
});
