import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Figure, Panel, Query, Threshold, Unit } from '../../roles/monitoring_server/panel.ts';
import { dashboard, type Measured } from '../../roles/monitoring_server/panels.ts';

/** A site that has everything, with the thresholds that are the default. */
export const everything: Measured = {
  site: 'Hostwright',
  interval: 5,
  days: 15,
  hosts: [],
  frontends: 'https',
  has: { balancers: true, databases: true, replicas: true, domain: true },
  qpsThreshold: 1000,
  replicationLag: 30,
  diskPercent: 10,
  certificateDays: 10,
};

const units: Readonly<Record<Unit, string>> = {
  requests: 'reqps',
  queries: 'ops',
  percent: 'percent',
  seconds: 's',
  bytes: 'Bps',
  days: 'd',
  count: 'short',
};

const source = { type: 'prometheus', uid: '${source}' };

function queryOf({ expr, legend }: Query, refId: string): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(refId)
    .expr(expr.replaceAll('$window', '$__rate_interval'))
    .legendFormat(legend.replaceAll(/\{(\w+)\}/g, '{{$1}}'));
}

function limits({ at, bad, severity }: Threshold): ThresholdsConfigBuilder {
  const color = severity === 'critical' ? 'red' : 'orange';
  const [first, then] = bad === 'above' ? ['green', color] : [color, 'green'];
  const steps = [
    { value: null, color: first },
    { value: at, color: then },
  ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

function graph(panel: Panel): GraphBuilder {
  const built = new GraphBuilder()
    .title(panel.title)
    .description(`${panel.means} Without data: ${panel.without}`)
    .datasource(source)
    .unit(units[panel.unit])
    .min(0)
    .span(8)
    .height(8);
  for (const [index, query] of panel.queries.entries()) {
    built.withTarget(queryOf(query, String.fromCodePoint(65 + index)));
  }
  if (panel.top !== undefined) built.max(panel.top);
  if (panel.threshold !== undefined) built.thresholds(limits(panel.threshold));
  return built;
}

function stat(figure: Figure): StatBuilder {
  const built = new StatBuilder()
    .title(figure.title)
    .description(figure.means)
    .datasource(source)
    .unit(units[figure.unit])
    .span(3)
    .height(4)
    .withTarget(queryOf({ expr: figure.expr, legend: figure.title }, 'A').instant());
  if (figure.threshold !== undefined) built.thresholds(limits(figure.threshold));
  return built;
}

/** The same panels as a dashboard of Grafana, as JSON, for a Prometheus that is chosen there. */
export function grafana(): string {
  const { figures, sections } = dashboard(everything);
  const built = new DashboardBuilder('Hostwright')
    .uid('hostwright')
    .refresh('10s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('source').label('Prometheus').type('prometheus'));
  for (const figure of figures) built.withPanel(stat(figure));
  for (const { title, panels } of sections) {
    built.withRow(new RowBuilder(title));
    for (const panel of panels) built.withPanel(graph(panel));
  }
  return `${JSON.stringify(built.build(), null, 2)}\n`;
}
