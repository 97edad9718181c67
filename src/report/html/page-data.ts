import type {
  ChangeEvent,
  ErrorEvent,
  NoticeEvent,
  RemarkEvent,
  ResultEvent,
  SummaryEvent,
} from '../../plan/event.ts';
import type { RecordedEvent } from '../recorded.ts';
import type { PageChange, PageData } from './page-types.ts';

interface Open {
  readonly change: PageChange;
  readonly hosts: number[];
  readonly at: number[];
  readonly ms: number[];
  readonly steps: number[];
}

/** Failures first: what is read at three in the morning. */
const order = ['failed', 'skipped', 'changed', 'planned'] as const;

/** The events of a run as the page shows them: each change once, whatever the number of its hosts. */
export function pageData(events: readonly RecordedEvent[], summary: SummaryEvent): PageData {
  const hosts = Object.entries(summary.hosts).map(([name, host]) => ({ name, ...host }));
  const places = new Map(hosts.map(({ name }, index) => [name, index]));
  const planned = new Map<string, ChangeEvent>();
  const groups = new Map<string, Open>();
  const errors: ErrorEvent[] = [];
  const notes: (NoticeEvent | RemarkEvent)[] = [];

  const add = (host: string, change: PageChange, result?: ResultEvent): void => {
    const place = places.get(host);
    if (place === undefined) return;
    const key = JSON.stringify(change);
    const group = groups.get(key) ?? { change, hosts: [], at: [], ms: [], steps: [] };
    groups.set(key, group);
    group.hosts.push(place);
    group.at.push(result?.at ?? -1);
    group.ms.push(result?.ms ?? -1);
    group.steps.push(result?.step ?? -1);
  };
  const idOf = (host: string, resource: string): string => `${host}\0${resource}`;

  for (const event of events) {
    if (event.type === 'change') planned.set(idOf(event.host, event.resource), event);
    else if (event.type === 'error') errors.push(event);
    else if (event.type !== 'result') notes.push(event);
  }
  for (const event of events) {
    if (event.type !== 'result') continue;
    const id = idOf(event.host, event.resource);
    const { host, role, resource, action, outcome, reason } = event;
    const { type: _, host: __, ...change } = planned.get(id) ?? { type: 'change', host };
    planned.delete(id);
    add(host, { ...change, role, resource, action, outcome, ...(reason !== undefined && { reason }) }, event);
  }
  for (const { type: _, host, ...change } of planned.values()) add(host, { ...change, outcome: 'planned' });
  const rank = ({ change }: Open): number => order.indexOf(change.outcome);
  return {
    ...{ command: summary.command, ok: summary.ok, interrupted: summary.interrupted === true },
    ...{ seconds: summary.seconds, ...(summary.run && { run: summary.run }) },
    ...{
      hosts,
      groups: [...groups.values()].toSorted((one, other) => rank(one) - rank(other)),
      errors,
      notes,
    },
  };
}
