import { createActivity } from './activity.ts';
import type { PlanReporter } from './reporter.ts';
import { createHumanReporter } from './human.ts';
import { createJsonReporter } from './json.ts';
import { createLiveScreen } from './live-screen.ts';
import { createPlainScreen } from './plain-screen.ts';
import { chooseStyle, type Environment, type Output, type Terminal } from './style.ts';

export interface ReporterOptions {
  readonly mode: 'json' | 'human';
  readonly stdout: Terminal;
  readonly stderr: Output;
  /** Cells in a line of stdout (default: those of the terminal). */
  readonly columns?: number;
  /** Whether stdout is a terminal. */
  readonly isTTY: boolean;
  readonly env: Environment;
  /** Show diffs of texts. */
  readonly diff: boolean;
}

/** A dumb terminal cannot move its cursor, the terminal of a CI run is a log, and one of no width shows nothing. */
function canRedraw(env: Environment, isTTY: boolean, columns: number | undefined): boolean {
  if (columns === 0) return false;
  const isCi = env['CI'] !== undefined && !['', '0', 'false'].includes(env['CI']);
  return isTTY && env['TERM'] !== 'dumb' && !isCi;
}

/**
 * JSON lines on stdout with human progress on stderr, the live view of a terminal, or plain lines elsewhere.
 * Errors go to stderr; in JSON to stdout as well.
 */
export function createReporter(options: ReporterOptions): PlanReporter {
  const { mode, stdout, stderr, isTTY, env, diff } = options;
  const activity = createActivity(() => performance.now());
  const isErrorTTY = stderr.isTTY === true;
  const errorStyle = chooseStyle({
    env,
    isTTY: isErrorTTY,
    columns: () => (isErrorTTY ? stderr.columns : undefined),
  });
  if (mode === 'json') {
    const json = createJsonReporter(stdout, { diff });
    const screen = createPlainScreen(stderr, activity, errorStyle);
    // The changes themselves are on stdout already.
    const human = createHumanReporter({
      activity,
      screen,
      style: errorStyle,
      stderr,
      errorStyle,
      diff,
      listChanges: false,
    });
    return {
      report(event) {
        json.report(event);
        human.report(event);
      },
      showPlan(planned) {
        human.showPlan(planned);
      },
      interrupted(isSecond) {
        human.interrupted(isSecond);
      },
      close() {
        human.close();
        json.close();
      },
    };
  }
  const style = chooseStyle({
    env,
    isTTY,
    columns: () => options.columns ?? (isTTY ? stdout.columns : undefined),
  });
  const screen = canRedraw(env, isTTY, stdout.columns)
    ? createLiveScreen(stdout, activity, style)
    : createPlainScreen(stdout, activity, style);
  return createHumanReporter({ activity, screen, style, stderr, errorStyle, diff, listChanges: true });
}
