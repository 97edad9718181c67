import { lines, sh } from '../../transport/shell.ts';
import type { Probe } from '../resource.ts';
import { beginChecks, endChecks, parseChecks, type Findings } from './health.ts';
import { listLoaded, parseLoaded, printLoaded, type Watched } from './loaded.ts';
import { watched, type Service } from './schema.ts';

const shown = 'Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,ExecMainStartTimestamp,ControlGroup';

/** `Sat 2026-11-21 17:00:02.123456 UTC` in seconds since 1970; NaN where it is empty. */
function timeOf(text: string): number {
  const [, date, time, fraction = '0'] =
    /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))? UTC$/.exec(text) ?? [];
  return Date.parse(`${date}T${time}Z`) / 1000 + Number(`0.${fraction}`);
}

/** What the probe reads of a service. */
export type ServiceState = {
  /** Otherwise what systemd calls it: `failed`, `activating`. */
  readonly running: boolean | string;
  /** Otherwise what systemd calls it: `masked`. */
  readonly enabled: boolean | string;
  readonly unitFile: string;
  readonly unit: 'current' | 'changed since its start';
  readonly restart: 'due' | 'not due';
  readonly reload: 'due' | 'not due';
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

function parseUnit(
  block: string,
  service: Service,
  isStale: ReturnType<typeof parseLoaded>,
  { hung, failed }: Findings,
): ServiceState | null {
  const values = properties(block);
  const loadState = values.get('LoadState');
  const unitFile = values.get('UnitFileState') ?? '';
  if (loadState === undefined) throw new RangeError(`systemctl says nothing of ${service.name}`);
  if (loadState === 'not-found') return null;
  const active = values.get('ActiveState') ?? '';
  const runs = active === 'active' || active === 'reloading';
  const start = timeOf(values.get('ExecMainStartTimestamp') ?? '');
  const stale = runs ? watched(service).filter((one) => isStale(one, start)) : [];
  const due = (action: Watched['action']): 'due' | 'not due' =>
    stale.some((one) => one.action === action) ? 'due' : 'not due';
  return {
    running: runs || (active === 'inactive' ? false : active),
    enabled: enablement(unitFile, service),
    unitFile,
    unit: runs && values.get('NeedDaemonReload') === 'yes' ? 'changed since its start' : 'current',
    restart: due('restart'),
    reload: due('reload'),
    // Processes that do not run are why its check fails.
    healthy: hung.length > 0 ? hung.join(', ') : (failed.get('healthy') ?? 'healthy'),
    current: failed.get('current') ?? 'current',
  };
}

/** How to read what runs, how it does, and whether it has taken up what lies on disk. */
export function probeServices(batch: readonly Service[]): Probe<ServiceState> {
  const all = batch.flatMap(watched);
  const { script, stdin } = listLoaded(all);
  // One question for all: systemd answers in the order of the names, with an empty line between.
  const show = sh`shown=$(systemctl show --timestamp=us+utc -p ${shown} ${batch.map(({ name }) => name)})
printf '%s\n\n\n' "$shown"`;
  return {
    // The services are asked while the files are read.
    script: lines([show, beginChecks(batch), script, endChecks(batch), printLoaded(all)]),
    stdin,
    parse: (output) => {
      const end = output.indexOf('\n\n\n');
      // Words of others begin with a space.
      const found = output.indexOf('\nchecked\n', end + 2);
      if (end < 0 || found < 0) throw new RangeError('the answer about services is cut off');
      const blocks = output.subarray(0, end).toString('utf8').split('\n\n');
      const findings = parseChecks(output.subarray(end + 3, found + 1).toString('utf8'));
      const isStale = parseLoaded(output.subarray(found + 9));
      return batch.map((service, index) => parseUnit(blocks[index] ?? '', service, isStale, findings(index)));
    },
  };
}
