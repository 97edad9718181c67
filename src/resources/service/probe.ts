import { lines, sh } from '../../transport/shell.ts';
import type { DeclaredPaths, Probe } from '../resource.ts';
import { beginChecks, endChecks, parseChecks, type Findings } from './health.ts';
import { parseLoaded, type Loaded, type Reading, type Stale } from './due.ts';
import { foreignText } from './foreign.ts';
import { shownPath } from './listing.ts';
import { overridesOf } from './overrides.ts';
import { listLoaded, printLoaded, ofProcess, type Watched } from './loaded.ts';
import { watched, type Service } from './schema.ts';

const shown = [
  ...['Id', 'LoadState', 'ActiveState', 'UnitFileState', 'NeedDaemonReload', 'ControlGroup'],
  ...['ExecMainStartTimestamp', 'ActiveEnterTimestamp', 'StateChangeTimestamp'],
  ...ofProcess,
].join(',');

/** `Sat 2026-11-21 17:00:02.123456 UTC` in seconds since 1970; NaN where it is empty. */
function timeOf(text: string): number {
  const [, date, time, fraction = '0'] =
    /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))? UTC$/.exec(text) ?? [];
  return Date.parse(`${date}T${time}Z`) / 1000 + Number(`0.${fraction}`);
}

/** In the place of the enablement of a unit that is not there, though something waits to override it. */
export const missing = 'missing';

/** What the probe reads of a service. */
export type ServiceState = {
  /** Otherwise what systemd calls it: `failed`, `activating`. */
  readonly running: boolean | string;
  /** Otherwise what systemd calls it: `masked`. */
  readonly enabled: boolean | string;
  readonly unitFile: string;
  readonly unit: 'current' | 'changed since its start';
  /** What makes the unit another one and nobody declares: paths, behind each other and a line each. */
  readonly overriddenBy: string;
  readonly overrides: string;
  /** Otherwise what differs from what the process has read: `due: /etc/x.conf changed`. */
  readonly restart: string;
  readonly reload: string;
  /** Paths that differ and that nobody declares, a line each: what a reload or restart would take up. */
  readonly undeclared: string;
  /** What the process has read, and what has come since; see `foreign.ts`. */
  readonly foreign: string;
  /** Otherwise what its check says, or which of its processes do not run. */
  readonly healthy: string;
  /** Otherwise what its check says. */
  readonly current: string;
};

/** Units of these have no enablement of their own. */
const settled = ['static', 'generated', 'transient', 'indirect', 'alias'];

function enablement(fileState: string, service: Service): boolean | string {
  if (settled.includes(fileState)) return service.enabled;
  if (fileState === 'enabled') return true;
  return fileState === 'disabled' ? false : fileState;
}

function properties(block: string): ReadonlyMap<string, string> {
  return new Map(
    block.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
}

/**
 * When the process has read what `action` takes up. A reload that somebody asked systemd for changes the state of the
 * unit once more after it has become active.
 */
function readingOf(values: ReadonlyMap<string, string>, action: Watched['action']): Reading {
  const at = (name: string): number => timeOf(values.get(name) ?? '');
  const active = at('ActiveEnterTimestamp');
  const started = at('ExecMainStartTimestamp');
  const start = Number.isNaN(started) ? active : started;
  const changed = at('StateChangeTimestamp');
  const since = action === 'reload' && changed > active ? changed : start;
  return { since, process: Object.fromEntries(ofProcess.map((name) => [name, values.get(name) ?? ''])) };
}

/** Changes that are named. */
const mostNamed = 3;

function dueText({ isStale, changed }: Stale): string {
  if (!isStale) return 'not due';
  const all = [...changed].map(([path, how]) => `${shownPath(path)} ${how}`);
  const more = all.length > mostNamed ? [`${all.length - mostNamed} more`] : [];
  return all.length === 0 ? 'due' : `due: ${[...all.slice(0, mostNamed), ...more].join('; ')}`;
}

function parseUnit(
  block: string,
  service: Service,
  { staleOf, below }: Loaded,
  { hung, failed }: Findings,
  host: DeclaredPaths,
): ServiceState | null {
  const values = properties(block);
  const loadState = values.get('LoadState');
  const unitFile = values.get('UnitFileState') ?? '';
  if (loadState === undefined) throw new RangeError(`systemctl says nothing of ${service.name}`);
  const overrides = overridesOf(service.name, below, host, service.keepOverrides);
  const isMissing = loadState === 'not-found';
  if (isMissing && overrides.length === 0) return null;
  const active = values.get('ActiveState') ?? '';
  const runs = active === 'active' || active === 'reloading';
  const stale = new Map(
    (runs ? watched(service) : []).map((one) => [
      one.action,
      staleOf(one, readingOf(values, one.action), overrides),
    ]),
  );
  // Where it is overridden, what it has read says whether that is in effect.
  const isOld = runs && overrides.length === 0 && values.get('NeedDaemonReload') === 'yes';
  const listed = [...service.reloadOn, ...service.restartOn];
  const isForeign = (path: string): boolean =>
    !host.owns(shownPath(path)) && !listed.includes(shownPath(path));
  const due = (action: Watched['action']): string => {
    const found = stale.get(action);
    return found === undefined ? 'not due' : dueText(found);
  };
  const taken = [...stale.values()].flatMap(({ changed }) =>
    [...changed].flatMap(([path, how]) =>
      (how === 'added' || how === 'changed') && isForeign(path) ? [shownPath(path)] : [],
    ),
  );
  return {
    running: runs || (active === 'inactive' ? false : active),
    enabled: isMissing ? false : enablement(unitFile, service),
    unitFile: isMissing ? missing : unitFile,
    overriddenBy: overrides.map(shownPath).join(' ') || 'nothing',
    overrides: overrides.map(shownPath).join('\n'),
    unit: isOld ? 'changed since its start' : 'current',
    restart: due('restart'),
    reload: due('reload'),
    undeclared: taken.join('\n'),
    foreign: foreignText(
      [...stale].map(([action, { changed, read }]) => ({
        action,
        added: [...changed].flatMap(([path, how]) => (how === 'added' ? [shownPath(path)] : [])),
        isAll: [...changed.values()].every((how) => how === 'added'),
        read: read?.map(shownPath),
      })),
    ),
    // Processes that do not run are why its check fails.
    healthy: hung.length > 0 ? hung.join(', ') : (failed.get('healthy') ?? 'healthy'),
    current: failed.get('current') ?? 'current',
  };
}

/** How to read what runs, how it does, and whether it has taken up what lies on disk. */
export function probeServices(batch: readonly Service[], host: DeclaredPaths): Probe<ServiceState> {
  const all = batch.flatMap(watched);
  // One question for all: systemd answers in the order of the names, with an empty line between.
  const show = sh`shown=$(systemctl show --timestamp=us+utc -p ${shown} ${batch.map(({ name }) => name)})
printf '%s\n\n\n' "$shown"`;
  return {
    // The services are asked while the files are read.
    script: lines([show, beginChecks(batch), listLoaded(all), endChecks(batch), printLoaded(all)]),
    parse: (output) => {
      const end = output.indexOf('\n\n\n');
      // Words of others begin with a space.
      const found = output.indexOf('\nchecked\n', end + 2);
      if (end < 0 || found < 0) throw new RangeError('the answer about services is cut off');
      const blocks = output.subarray(0, end).toString('utf8').split('\n\n');
      const findings = parseChecks(output.subarray(end + 3, found + 1).toString('utf8'));
      const loaded = parseLoaded(output.subarray(found + 9));
      return batch.map((service, index) =>
        parseUnit(blocks[index] ?? '', service, loaded, findings(index), host),
      );
    },
  };
}
