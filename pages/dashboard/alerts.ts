import { element } from '../frame/element.ts';
import { age } from './format.ts';
import type { Alert } from './answers.ts';
import type { Sorted } from './sort-alerts.ts';

function summary({ annotations, labels }: Alert): string {
  return annotations['summary'] ?? labels['alertname'] ?? 'alert';
}

function since({ activeAt }: Alert, now: number): string {
  return age(now - Date.parse(activeAt) / 1000);
}

function card(alert: Alert, now: number): HTMLElement {
  const { annotations, labels } = alert;
  const severity = labels['severity'] ?? 'warning';
  const head = element(
    'p',
    'head',
    element('span', 'severity', severity),
    element('b', '', summary(alert)),
    element('span', 'since', `for ${since(alert, now)}`),
  );
  const { description, runbook } = annotations;
  return element(
    'li',
    `alert ${severity === 'critical' ? 'critical' : 'warning'}`,
    head,
    description === undefined ? undefined : element('p', '', description),
    runbook === undefined ? undefined : element('p', 'runbook', element('b', '', 'First: '), runbook),
  );
}

function others(title: string, alerts: readonly Alert[], now: number): HTMLElement | undefined {
  if (alerts.length === 0) return undefined;
  const lines = alerts.map((alert) => element('li', '', `${summary(alert)} (${since(alert, now)})`));
  return element(
    'details',
    '',
    element('summary', '', `${alerts.length} ${title}`),
    element('ul', '', ...lines),
  );
}

/** What is wrong, before all numbers; one quiet line where nothing is. `trouble` says who does not answer. */
export function alertList(
  { firing, pending, suppressed }: Sorted,
  now: number,
  trouble: string,
): HTMLElement {
  const quiet =
    firing.length > 0
      ? undefined
      : element('p', 'quiet', element('span', 'mark', '✓'), 'No alert is firing.');
  return element(
    'div',
    '',
    trouble === '' ? undefined : element('p', 'trouble', trouble),
    quiet,
    firing.length === 0 ? undefined : element('ul', 'alerts', ...firing.map((alert) => card(alert, now))),
    others('about to fire if it lasts', pending, now),
    others('more that follow from others, or are silenced', suppressed, now),
  );
}
