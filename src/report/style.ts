import { styleText } from 'node:util';
import type { Action } from '../resources/state.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where human text goes to; `process.stdout` and `process.stderr` are such. */
export interface Output {
  write(text: string): unknown;
  /** Cells in a line and lines on the screen of a terminal; read anew at every use. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  readonly isTTY?: boolean | undefined;
}

/** Where a terminal may be redrawn: process.stdout. */
export type Terminal = NodeJS.WritableStream & Pick<Output, 'columns' | 'rows'>;

type Format = Extract<Parameters<typeof styleText>[0], string>;

/** Symbols, with ASCII replacements for locales without Unicode. */
export interface Marks {
  readonly action: Readonly<Record<Action, string>>;
  readonly done: string;
  readonly failed: string;
  readonly skipped: string;
  readonly arrow: string;
  readonly between: string;
  readonly more: string;
  readonly quote: string;
}

const unicode: Marks = {
  action: { create: '+', update: '~', delete: '-', reload: '↻', restart: '⟳', run: '▸' },
  done: '✓',
  failed: '✗',
  skipped: '○',
  arrow: '→',
  between: '·',
  more: '…',
  quote: '│',
};

const ascii: Marks = {
  action: { create: '+', update: '~', delete: '-', reload: '@', restart: '!', run: '>' },
  done: 'ok',
  failed: 'FAILED',
  skipped: '-',
  arrow: '->',
  between: '-',
  more: '...',
  quote: '|',
};

/** Colours, symbols and width of one output: chosen once, from the environment and the kind of output. */
export interface Style {
  readonly marks: Marks;
  /** Cells that a line may take; Infinity where nothing limits it. */
  columns(): number;
  paint(format: Format | readonly Format[], text: string): string;
}

function wantsColour(env: Environment, isTTY: boolean): boolean {
  // As Node does it: FORCE_COLOR beats NO_COLOR, and an empty NO_COLOR is none.
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return isTTY && env['TERM'] !== 'dumb';
}

function isUtf8(env: Environment): boolean {
  // The first of the three that is set wins, as in setlocale(3); none of them is the C locale.
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(
    (name) => name !== undefined && name !== '',
  );
  return locale !== undefined && /utf-?8/i.test(locale);
}

export function chooseStyle(options: {
  readonly env: Environment;
  readonly isTTY: boolean;
  readonly columns?: () => number | undefined;
}): Style {
  const colour = wantsColour(options.env, options.isTTY);
  return {
    marks: isUtf8(options.env) ? unicode : ascii,
    // The terminals of some CI systems say 0.
    columns: () => options.columns?.() || Infinity,
    paint(format, text) {
      if (!colour || text === '') return text;
      // Without `validateStream: false` styleText looks at process.stdout, which need not be this output.
      return styleText(typeof format === 'string' ? format : [...format], text, { validateStream: false });
    },
  };
}

/** No colour, no limit of width: for files and tests. */
export const plainStyle: Style = chooseStyle({ env: { LANG: 'C.UTF-8' }, isTTY: false });
