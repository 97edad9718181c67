import { z } from 'zod';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { argv } from '../attribute.ts';
import { endedFunction, runOrSay } from '../shell/ended.ts';
import { readFunction } from '../shell/enter.ts';
import { path } from '../path.ts';
import { startFunction } from './start.ts';
import {
  declare,
  each,
  type Action,
  type Actual,
  type AttributeChange,
  type Change,
  type Guard,
  type Planned,
  type Resource,
  type ResourceId,
  type ResourceOptions,
  type ResourceType,
  type State,
  type Step,
} from '../resource.ts';

const schema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w@.:-]+$/, 'expected the name of a systemd unit')
    .transform((name) =>
      /\.(service|timer|socket|path|mount|target)$/.test(name) ? name : `${name}.service`,
    )
    .describe('A systemd unit; `.service` unless it says `.timer`, `.socket` or another'),
  running: z.boolean().default(true),
  enabled: z.boolean().default(true),
  reloadOn: z
    .array(path)
    .default([])
    .describe('Files and trees that the running process has read and takes up by a reload'),
  restartOn: z
    .array(path)
    .default([])
    .describe(
      'Files and trees that it takes up by a restart only; its own unit and drop-ins are always among them',
    ),
  validate: argv
    .optional()
    .describe(
      "The service's own check of its configuration; runs before anything below `reloadOn` and `restartOn` goes live",
    ),
  reload: argv
    .optional()
    .describe('How to reload, where it is not `systemctl reload`; fails when the service refuses'),
  healthy: argv
    .optional()
    .describe(
      'Succeeds when the service does its work; tried for `healthyWithin` after each start and reload',
    ),
  healthyWithin: z.number().int().positive().default(30).describe('Seconds'),
  log: path.optional().describe('A file in which it says why it fails, where it does not tell the journal'),
  guarded: z
    .boolean()
    .optional()
    .describe(
      'A change of it may cut Hostwright off: the host rolls it back unless a fresh connection succeeds. Default: true for ssh',
    ),
  absent: z.literal(false).optional(),
});

type Service = z.output<typeof schema>;

/** What a restart takes up: the configuration that says so, and the unit that this project may have written. */
function restartPaths({ name, restartOn }: Service): readonly string[] {
  return [...restartOn, `/etc/systemd/system/${name}`, `/etc/systemd/system/${name}.d`];
}

const properties = 'Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,ExecMainStartTimestamp';

/** Bytes of a file whose content counts; of a larger one, which no service reads as its configuration, size and time. */
const mostBytes = 64 * 1024 * 1024;

/** One digest over the contents of all files and the targets of all links below some paths. */
export const digestFunction = sh`hw_digest() {
  { find "$@" -name '.hostwright.*' -prune -o -type f ! -size ${`+${mostBytes}c`} -print0 | sort -z | xargs -0r sha256sum --
    find "$@" -type l -printf '%p -> %l\n' -o -type f -size ${`+${mostBytes}c`} ! -path '*/.hostwright.*' -printf '%p %s %T@\n' | sort; } 2>/dev/null | sha256sum | cut -c1-64
}`;

const loadedFolder = '/run/hostwright/loaded';

function digestFile(unit: string, action: 'reload' | 'restart'): string {
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

function parseUnit(block: string, service: Service): Actual {
  const values = new Map(
    block.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
  const loadState = values.get('LoadState');
  const fileState = values.get('UnitFileState') ?? '';
  if (loadState === undefined) throw new RangeError(`systemctl says nothing of ${service.name}`);
  if (loadState === 'not-found') return null;
  const active = values.get('ActiveState') ?? '';
  const running = active === 'active' || active === 'reloading';
  // Static, generated and transient units have no enablement of their own.
  const settled = ['static', 'generated', 'transient', 'indirect', 'alias'].includes(fileState);
  return {
    running: running ? true : active === 'inactive' ? false : active,
    enabled: settled
      ? service.enabled
      : fileState === 'enabled'
        ? true
        : fileState === 'disabled'
          ? false
          : fileState,
    unitFile: fileState,
    unit: running && values.get('NeedDaemonReload') === 'yes' ? 'changed since its start' : 'current',
    restart: running && values.get('restart') === 'yes' ? 'due' : 'not due',
    reload: running && values.get('reload') === 'yes' ? 'due' : 'not due',
  };
}

function action(attributes: readonly AttributeChange[], actual: unknown): Action {
  if (actual === null) return 'create';
  const names = new Set(attributes.map((attribute) => attribute.name));
  if (names.has('running') || names.has('enabled')) return 'update';
  return names.has('restart') || names.has('unit') ? 'restart' : 'reload';
}

/** What the process has read is now what lies on disk. */
function record(service: Service, restarted: boolean): Script {
  const actions = restarted ? (['reload', 'restart'] as const) : (['reload'] as const);
  return lines([
    sh`mkdir -p ${loadedFolder}`,
    ...actions.flatMap((verb) => {
      const paths = verb === 'reload' ? service.reloadOn : restartPaths(service);
      return paths.length === 0 ? [] : [sh`hw_digest ${paths} >${digestFile(service.name, verb)}`];
    }),
  ]);
}

/** From here on what the service says is about this change. */
function listen({ log }: Service): Script {
  const logged = log === undefined ? sh`` : sh`logged=$(stat -c %s ${log} 2>/dev/null || echo 0)`;
  return sh`since=$(date +%s)
${logged}`;
}

/** Bytes of a log that are still read: lines can be long. */
const mostLogged = 64 * 1024;

/** What it has said since. A log lies where its service can write, so it may be anything. */
function lastWords({ name, log }: Service): Script {
  const words =
    log === undefined
      ? sh``
      : sh`size=$(stat -c %s ${log} 2>/dev/null || echo 0)
[ "$size" -ge "$logged" ] || logged=0
[ $((size - logged)) -le ${mostLogged} ] || logged=$((size - ${mostLogged}))
hw_read_file ${log} "$logged" ${mostLogged} | tail -n 10 >&2`;
  return sh`journalctl -q --no-pager -n 15 --since "@$since" -u ${name} >&2 || :
${words}`;
}

function becomeHealthy(service: Service): Script {
  if (service.healthy === undefined) return sh``;
  return sh`deadline=$(($(date +%s) + ${service.healthyWithin}))
until ${service.healthy} >"$HW/healthy" 2>&1; do
  status=$?
  if [ "$(date +%s)" -ge "$deadline" ]; then
    printf '%s (its check ended with exit status %s):\n' ${`${service.name} is not healthy after ${service.healthyWithin} s`} "$status" >&2
    tail -n 10 "$HW/healthy" >&2
    ${lastWords(service)}
    exit 1
  fi
  sleep 1
done`;
}

function orLastWords(command: Script, service: Service): Script {
  return sh`${command} || {
  ${lastWords(service)}
  exit 1
}`;
}

function step({ id, desired, action: verb, attributes }: Change<Service>): Step {
  const unit = desired.name;
  const names = new Set(attributes.map((attribute) => attribute.name));
  const log = desired.log === undefined ? [] : [readFunction];
  const script = [endedFunction, digestFunction, startFunction, ...log, sh`systemctl daemon-reload`];
  const first = verb === 'create';
  if (first || names.has('enabled')) {
    script.push(sh`systemctl unmask --quiet ${unit}; systemctl unmask --runtime --quiet ${unit} || :`);
    script.push(
      desired.enabled ? sh`systemctl enable --quiet ${unit}` : sh`systemctl disable --quiet ${unit}`,
    );
  }
  if (!desired.running) {
    if (first || names.has('running'))
      script.push(sh`systemctl stop ${unit}
systemctl reset-failed ${unit} 2>/dev/null || :`);
    return { resources: [id], title: `stop ${unit}`, script: lines(script) };
  }
  let title = `enable ${unit}`;
  const validate = desired.validate === undefined ? sh`` : runOrSay(desired.validate);
  const takesRestart = verb === 'restart' || names.has('restart') || names.has('unit');
  if (first || names.has('running') || takesRestart) {
    title = `${takesRestart && !names.has('running') ? 'restart' : 'start'} ${unit}`;
    script.push(
      listen(desired),
      validate,
      orLastWords(sh`hw_start ${unit}`, desired),
      becomeHealthy(desired),
      record(desired, true),
    );
  } else if (verb === 'reload' || names.has('reload')) {
    title = `reload ${unit}`;
    const reload =
      desired.reload === undefined ? sh`systemctl reload-or-restart ${unit}` : runOrSay(desired.reload);
    // One that has died over a configuration that was rolled back has nothing to reload.
    const takeUp = sh`if systemctl is-active --quiet ${unit}; then hw_reload; else hw_start ${unit}; fi`;
    script.push(listen(desired), validate, sh`hw_reload() { ${reload}; }`, orLastWords(takeUp, desired));
    script.push(becomeHealthy(desired), record(desired, false));
  } else {
    script.push(sh`systemctl is-active --quiet ${unit} || {
  ${listen(desired)}
  ${orLastWords(sh`hw_start ${unit}`, desired)}
  ${becomeHealthy(desired)}
  ${record(desired, true)}
}`);
  }
  return { resources: [id], title, script: lines(script) };
}

function guard(service: Service): Guard | undefined {
  const { name } = service;
  if (!(service.guarded ?? /^sshd?\.(service|socket)$/.test(name))) return undefined;
  return {
    unit: name,
    paths: [],
    keep: sh`systemctl is-active ${name} >"$HW/active" || :`,
    // A restart takes up everything, also where the service has ended.
    restore: lines([
      digestFunction,
      startFunction,
      sh`systemctl daemon-reload
if ! grep -qx 'active\|reloading\|activating' "$HW/active"; then systemctl stop ${name}; exit; fi
hw_start ${name}`,
      record(service, true),
    ]),
  };
}

/** A static unit is as enabled as it can be; one with an [Install] section in its place is not enabled yet. */
function foresee({ name }: Service, actual: State | null, planned: Planned): State | null {
  const unit = planned(`unit:${name}`)?.desired;
  const content = unit !== undefined && 'content' in unit ? String(unit.content) : '';
  return actual?.['unitFile'] === 'static' && /^\[Install\]/m.test(content)
    ? { ...actual, enabled: false }
    : actual;
}

export const serviceType: ResourceType<Service> = {
  name: 'service',
  requires: ({ name }) => (/\.(service|timer|socket|path)$/.test(name) ? [{ kind: 'unit', name }] : []),
  stage: 'service',
  summary: 'A systemd unit: running, enabled, and reloaded or restarted when what it has read has changed',
  schema,
  key: (service) => service.name,
  want: (service) => ({
    running: service.running,
    enabled: service.enabled,
    unit: 'current',
    restart: 'not due',
    reload: 'not due',
  }),
  probe: (batch) => ({
    script: lines([
      digestFunction,
      unitFunction,
      staleFunction,
      // One question for all: systemd answers in the order of the names, with an empty line between.
      sh`systemctl show --timestamp=us -p ${properties} ${batch.map((service) => service.name)} >"$HW/units"
exec 3<"$HW/units"`,
      ...batch.map(
        (service) => sh`hw_unit
${staleness(service.name, 'reload', service.reloadOn)}
${staleness(service.name, 'restart', restartPaths(service))}
echo`,
      ),
    ]),
  }),
  parse: (output, batch) => {
    const blocks = output.toString('utf8').split('\n\n');
    return batch.map((service, index) => parseUnit(blocks[index] ?? '', service));
  },
  apply: each(step),
  action,
  after: (service): readonly ResourceId[] => [`unit:${service.name}`],
  foresee,
  triggers: (service) =>
    service.running
      ? [
          { action: 'restart', paths: restartPaths(service) },
          { action: 'reload', paths: service.reloadOn },
        ]
      : [],
  transaction: (service) =>
    service.validate === undefined
      ? undefined
      : {
          trees: [...service.reloadOn, ...service.restartOn],
          validate: lines([endedFunction, runOrSay(service.validate)]),
        },
  guard,
};

/** A systemd unit: `service('nginx', { reloadOn: ['/etc/nginx'], validate: ['nginx', '-t'] })`. */
export function service(
  name: string,
  attributes: Omit<z.input<typeof schema>, 'name'> = {},
  options?: ResourceOptions,
): Resource {
  return declare(serviceType, { name, ...attributes }, options);
}
