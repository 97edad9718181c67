import { lines, sh, type Script } from '../../transport/shell.ts';
import type { Probe } from '../resource.ts';
import { digestFunction } from '../shell/digest.ts';
import { restartPaths, type Service } from './schema.ts';

const shown = 'Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,ExecMainStartTimestamp';

export const loadedFolder = '/run/hostwright/loaded';

export function digestFile(unit: string, action: 'reload' | 'restart'): string {
  return `${loadedFolder}/${unit}.${action}`;
}

/** Prints the properties of the next unit and keeps when its process started in `$start`. Needs no process. */
const unitFunction = sh`hw_unit() {
  start=
  while IFS='=' read -r property value <&3 && [ -n "$property" ]; do
    printf '%s=%s\n' "$property" "$value"
    if [ "$property" = ExecMainStartTimestamp ]; then start=$value; fi
  done
}`;

/**
 * Prints whether what the process has read is still what lies on disk. The digest of its last (re)load
 * decides; where there is none, a file that changed after the start of the process.
 */
const staleFunction = sh`hw_stale() {
  action=$1; recorded=$2; due=no; shift 2
  if [ -f "$recorded" ]; then
    [ "$(cat "$recorded")" = "$(hw_digest "$@")" ] || due=yes
  elif [ -n "$start" ] && [ -n "$(find "$@" -newerct "$start" -print -quit 2>/dev/null)" ]; then
    due=yes
  fi
  printf '%s=%s\n' "$action" "$due"
}`;

function staleness(unit: string, action: 'reload' | 'restart', paths: readonly string[]): Script {
  if (paths.length === 0) return sh`printf '%s\n' ${`${action}=no`}`;
  return sh`hw_stale ${action} ${digestFile(unit, action)} ${paths}`;
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

function parseUnit(block: string, service: Service): ServiceState | null {
  const values = properties(block);
  const loadState = values.get('LoadState');
  const unitFile = values.get('UnitFileState') ?? '';
  if (loadState === undefined) throw new RangeError(`systemctl says nothing of ${service.name}`);
  if (loadState === 'not-found') return null;
  const active = values.get('ActiveState') ?? '';
  const runs = active === 'active' || active === 'reloading';
  const isYes = (name: string): boolean => runs && values.get(name) === 'yes';
  return {
    running: runs || (active === 'inactive' ? false : active),
    enabled: enablement(unitFile, service),
    unitFile,
    unit: isYes('NeedDaemonReload') ? 'changed since its start' : 'current',
    restart: isYes('restart') ? 'due' : 'not due',
    reload: isYes('reload') ? 'due' : 'not due',
  };
}

/** How to read what runs, and whether it has taken up what lies on disk. */
export function probeServices(batch: readonly Service[]): Probe<ServiceState> {
  return {
    script: lines([
      digestFunction,
      unitFunction,
      staleFunction,
      // One question for all: systemd answers in the order of the names, with an empty line between.
      sh`systemctl show --timestamp=us -p ${shown} ${batch.map((service) => service.name)} >"$HW/units"
exec 3<"$HW/units"`,
      ...batch.map(
        (service) => sh`hw_unit
${staleness(service.name, 'reload', service.reloadOn)}
${staleness(service.name, 'restart', restartPaths(service))}
echo`,
      ),
    ]),
    parse: (output) => {
      const blocks = output.toString('utf8').split('\n\n');
      return batch.map((service, index) => parseUnit(blocks[index] ?? '', service));
    },
  };
}
