import stringWidth from 'string-width';
import type {
  ActionEvent,
  ActionStepEvent,
  AnswerEvent,
  OutcomeEvent,
  PreviewEvent,
} from '../plan/action-event.ts';
import { duration, enumerate, hang, pad } from './layout.ts';
import { printable, printableLines } from './printable.ts';
import type { Style } from './style.ts';

function nameOf({ role, action, host }: { role: string; action: string; host?: string }): string {
  return [role, action, ...(host === undefined ? [] : [host])].map(printable).join(' ');
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => stringWidth(text)));
}

function usageOf({ action, on, arguments: given }: ActionEvent): string {
  const required = given.filter((one) => one.required).map(({ name }) => `${name} …`);
  return [action, ...(on === 'host' ? ['HOST'] : []), ...required].map(printable).join(' ');
}

/** The actions of a site below their roles. */
export function actionLines(events: readonly ActionEvent[], style: Style): string[] {
  const columns = widest(events.map(usageOf));
  return [...new Set(events.map(({ role }) => role))].flatMap((role) => [
    style.paint('bold', printable(role)),
    ...events
      .filter((event) => event.role === role)
      .flatMap((event) => hang(`  ${pad(usageOf(event), columns)}  `, printable(event.summary), style)),
  ]);
}

function remarkLines(remarks: readonly string[], style: Style): string[] {
  return remarks.flatMap((remark) =>
    printableLines(remark).flatMap((line) => hang(style.paint('yellow', '! '), line, style)),
  );
}

function paintedLine(line: string, style: Style): string {
  const colour = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : 'dim';
  return style.paint(colour, printable(line));
}

/** What an action will do. */
export function previewLines(event: PreviewEvent, style: Style): string[] {
  const columns = widest(event.steps.map(({ host }) => printable(host ?? '')));
  const { apply } = event;
  return [
    style.paint('bold', nameOf(event)),
    ...event.steps.flatMap(({ host, title }) =>
      hang(`  ${columns === 0 ? '' : `${pad(printable(host ?? ''), columns)}  `}`, printable(title), style),
    ),
    ...event.edits.flatMap(({ file, diff }) => [
      ...hang('  ', printable(file), style),
      ...diff.split('\n').flatMap((line) => hang('    ', paintedLine(line, style), style)),
    ]),
    ...(apply === undefined
      ? []
      : hang(
          '  ',
          `then plan and apply: ${enumerate(apply.roles.map(printable), 5)} on ${enumerate(apply.hosts.map(printable), 5)}`,
          style,
        )),
    ...remarkLines(event.remarks, style),
  ];
}

const outcomes = {
  done: ['green', 'done', ''],
  failed: ['red', 'failed', 'failed: '],
  undone: ['yellow', 'done', 'rolled back: '],
  skipped: ['yellow', 'skipped', 'not done: '],
} as const;

/** What has become of a step. */
export function actionStepLines(event: ActionStepEvent, hostColumns: number, style: Style): string[] {
  const [colour, mark, words] = outcomes[event.outcome];
  const host = hostColumns === 0 ? '' : `${pad(printable(event.host ?? ''), hostColumns)} `;
  const time = event.outcome === 'skipped' ? '' : `  ${duration(event.ms)}`;
  const lead = `${host}${style.paint(colour, style.marks[mark])} `;
  return hang(lead, `${words}${printable(event.title)}${style.paint('dim', time)}`, style);
}

function cellText(cell: string | number | boolean | null): string {
  if (cell === null) return '-';
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  return printable(String(cell));
}

/** A table of what was read, and remarks below it. */
export function answerLines({ rows, remarks }: AnswerEvent, style: Style): string[] {
  const headings = Object.keys(rows[0] ?? {});
  const table = [
    headings.map(printable),
    ...rows.map((row) => headings.map((name) => cellText(row[name] ?? null))),
  ];
  const columns = headings.map((_, index) => widest(table.map((cells) => cells[index] ?? '')));
  const lines = table.map((cells, row) => {
    const line = cells
      .map((cell, index) => pad(cell, columns[index] ?? 0))
      .join('  ')
      .trimEnd();
    return row === 0 ? style.paint('bold', line) : line;
  });
  return [...lines, ...remarkLines(remarks, style)];
}

/** How an action ended; errors have been shown. */
export function outcomeLines(event: OutcomeEvent, style: Style): string[] {
  const time = style.paint('dim', `  ${duration(event.seconds * 1000)}`);
  const { ok, interrupted, text } = event;
  if (ok) return text === undefined ? [] : hang('', `${style.paint('green', printable(text))}${time}`, style);
  const how = interrupted === true ? 'interrupted' : 'failed';
  return hang('', `${style.paint('red', `${nameOf(event)}: ${how}`)}${time}`, style);
}
