import stringWidth from 'string-width';
import type { Activity } from './activity.ts';
import { applyLines, type Trouble } from './apply-lines.ts';
import { actionStepLines, answerLines, outcomeLines, previewLines } from './do-lines.ts';
import { complaintLines, noticeLines } from './error.ts';
import type { ChangeEvent, ErrorEvent, RemarkEvent, ResultEvent, SummaryEvent } from '../plan/event.ts';
import type { PlanReporter, Planned } from './reporter.ts';
import { interruptedLines, leftLines } from './interrupt-lines.ts';
import { hang } from './layout.ts';
import { planLines, remarkLines } from './plan-lines.ts';
import { driftTotal, planTotal } from './plan-total.ts';
import { printable } from './printable.ts';
import { resultLines } from './result-lines.ts';
import type { Screen } from './screen.ts';
import type { Output, Style } from './style.ts';

const TICK = 1000;

export interface HumanOptions {
  readonly activity: Activity;
  readonly screen: Screen;
  readonly style: Style;
  /** Where errors go, and how they look there. */
  readonly stderr: Output;
  readonly errorStyle: Style;
  /** Show diffs of texts in the plan. */
  readonly diff: boolean;
  /** Show the changes of the plan, not only their numbers. */
  readonly listChanges: boolean;
}

/** The output for people: the plan, the progress, the summary. */
export function createHumanReporter(options: HumanOptions): PlanReporter {
  const { activity, screen, style } = options;
  const waiting: ChangeEvent[] = [];
  const remarks: RemarkEvent[] = [];
  const pending = new Map<string, ResultEvent[]>();
  const troubles = new Map<string, { failures: ResultEvent[]; errors: ErrorEvent[] }>();
  let isShown = false;
  let hostColumns = 0;
  let ticking: NodeJS.Timeout | undefined;

  const troubleOf = (host: string): { failures: ResultEvent[]; errors: ErrorEvent[] } => {
    const trouble = troubles.get(host) ?? { failures: [], errors: [] };
    troubles.set(host, trouble);
    return trouble;
  };

  const flush = (host: string): void => {
    const results = pending.get(host);
    if (results === undefined) return;
    pending.delete(host);
    const step = activity.lastStep(host)?.title;
    screen.print(resultLines({ host, hostColumns, step, results }, style));
  };

  const flushAll = (): void => {
    for (const host of pending.keys()) flush(host);
  };

  const start = (): void => {
    ticking ??= setInterval(() => {
      // Results whose host has begun no further step since are not held back any longer.
      flushAll();
      screen.tick();
    }, TICK).unref();
  };

  const stop = (): void => {
    clearInterval(ticking);
    ticking = undefined;
    flushAll();
    activity.settle();
    screen.clear();
  };

  const showPlan = (planned: Planned): void => {
    if (isShown) return;
    isShown = true;
    stop();
    // Of thousands of hosts they are not kept until the run ends.
    const changes = waiting.splice(0);
    activity.plan(changes.length);
    const list = options.listChanges ? planLines(changes, options.diff, style) : [];
    list.push(...remarks.splice(0).flatMap((remark) => remarkLines(remark, style)));
    if (list.length > 0) list.push('');
    const broken = [...troubles].filter(([, { errors }]) => errors.length > 0).map(([host]) => host);
    const colour = changes.length === 0 && broken.length === 0 ? (['green'] as const) : (['bold'] as const);
    const total = planned.command === 'drift' ? driftTotal : planTotal;
    const line = hang('', total(changes, planned, new Set(broken)), style);
    screen.print([...list, ...line.map((text) => style.paint(colour, text))]);
  };

  const showError = (event: ErrorEvent): void => {
    if (event.host !== undefined) troubleOf(event.host).errors.push(event);
    const lines = complaintLines(event, options.errorStyle);
    screen.aside(() => options.stderr.write(`${lines.join('\n')}\n`));
  };

  const showResult = (event: ResultEvent): void => {
    activity.result(event);
    const results = pending.get(event.host);
    if (results === undefined) pending.set(event.host, [event]);
    else results.push(event);
    if (event.outcome === 'failed') troubleOf(event.host).failures.push(event);
    start();
    screen.refresh();
  };

  const showSummary = (event: SummaryEvent): void => {
    stop();
    // The run was refused before the first host, and the error has been shown.
    if (!event.ok && Object.keys(event.hosts).length === 0) return;
    const isIdle = Object.values(event.hosts).every(
      (host) => host.changed + host.failed + host.skipped === 0,
    );
    // An apply with nothing to do, or without confirmation, has said so with its plan.
    if (event.command !== 'apply' || (isIdle && event.ok)) showPlan(event);
    else screen.print(applyLines(event, troubles satisfies Map<string, Trouble>, style));
  };

  return {
    report(event) {
      if ('host' in event && event.host !== undefined) {
        hostColumns = Math.max(hostColumns, Math.min(stringWidth(printable(event.host)), 24));
      }
      switch (event.type) {
        case 'change':
          waiting.push(event);
          break;
        case 'remark':
          remarks.push(event);
          break;
        case 'notice':
          screen.aside(() => options.stderr.write(`${noticeLines(event, options.errorStyle).join('\n')}\n`));
          break;
        case 'step':
          flush(event.host);
          activity.step(event);
          start();
          screen.refresh();
          break;
        case 'result':
          showResult(event);
          break;
        case 'error':
          showError(event);
          break;
        case 'summary':
          showSummary(event);
          break;
        case 'action':
          // Shown as a whole, by `actionLines`.
          break;
        case 'preview':
          hostColumns = Math.max(0, ...event.steps.map(({ host = '' }) => stringWidth(printable(host))));
          if (options.listChanges) screen.print([...previewLines(event, style), '']);
          break;
        case 'action-step':
          screen.print(actionStepLines(event, hostColumns, style));
          break;
        case 'answer':
          if (options.listChanges) screen.print(answerLines(event, style));
          break;
        case 'outcome':
          stop();
          screen.print(outcomeLines(event, style));
          break;
      }
    },
    showPlan,
    interrupted(isSecond) {
      const toLines = isSecond ? leftLines : interruptedLines;
      const lines = toLines(activity.running(), activity.now(), options.errorStyle);
      const write = (): void => {
        options.stderr.write(`${lines.join('\n')}\n`);
      };
      if (isSecond) {
        stop();
        write();
      } else screen.aside(write);
    },
    close: stop,
  };
}
