import type { Panel } from '../../roles/monitoring_server/panel.ts';
import { legend } from './format.ts';
import type { Series, Span } from './answers.ts';

/** What a graph is drawn from: one time axis for all, null where a series has no value. */
export interface Table {
  readonly times: readonly number[];
  readonly rows: readonly Row[];
}

export interface Row {
  readonly name: string;
  /** That the series is of. */
  readonly host: string | undefined;
  readonly values: readonly (number | null)[];
}

/** The answers to the queries of a panel, on the axis of the page; series without any value are left out. */
export function tableOf(
  panel: Pick<Panel, 'queries'>,
  answers: readonly (readonly Series[])[],
  span: Span,
): Table {
  const count = Math.max(0, Math.round((span.to - span.from) / span.step)) + 1;
  const times = Array.from({ length: count }, (_none, index) => span.from + index * span.step);
  const rows = panel.queries.flatMap((query, index) =>
    (answers[index] ?? []).map(({ metric, values }) => {
      const found = new Map(values.map(([time, value]) => [Math.round(time), Number(value)]));
      return {
        name: legend(query.legend, metric),
        host: metric['host'] ?? metric['server'],
        values: times.map((time) => {
          const value = found.get(time);
          return value === undefined || !Number.isFinite(value) ? null : value;
        }),
      };
    }),
  );
  return { times, rows: rows.filter(({ values }) => values.some((value) => value !== null)) };
}

/** The newest value of a row. */
export function newest(values: readonly (number | null)[]): number | undefined {
  return values.findLast((value) => value !== null) ?? undefined;
}
