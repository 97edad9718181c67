import { dirname } from 'node:path/posix';
import { lines, sh, type Script } from '../../transport/shell.ts';
import { endedFunction, runOrSay } from '../shell/ended.ts';
import { removal } from '../shell/removal.ts';
import { readFunction } from '../shell/read.ts';
import type { Action, AttributeChange, Change, Difference, State } from '../state.ts';
import type { Step } from '../step.ts';
import { checkSeconds } from './health.ts';
import { recordLoaded } from './loaded.ts';
import { watched, type Service } from './schema.ts';
import { startFunction } from './start.ts';

/** `ensure` starts one that does not run; `heal` does the least that makes one healthy, after a reload if that is due. */
type Run = 'start' | 'stop' | 'restart' | 'reload' | 'ensure' | 'heal' | 'reload and heal';

/** What is to be done to a service. */
interface Work {
  readonly enablement?: 'enable' | 'disable';
  readonly run?: Run;
}

/** The action that a difference amounts to, unless the service is new. */
export function actionOf(attributes: readonly AttributeChange[]): Action {
  const names = new Set(attributes.map((attribute) => attribute.name));
  if (names.has('running') || names.has('enabled')) return 'update';
  if (names.has('restart') || names.has('unit')) return 'restart';
  if (names.has('overriddenBy')) return 'update';
  // It may do without a restart.
  return names.has('healthy') ? 'update' : 'reload';
}

/** What its triggers add to the difference: what starts takes up its files anyway, what is only enabled does not. */
export function whenDue(
  action: 'reload' | 'restart',
  difference: Difference | undefined,
): Difference | undefined {
  if (difference === undefined) return undefined;
  const { attributes } = difference;
  if (difference.action === 'reload' && attributes.every(({ name }) => name === 'reload')) return undefined;
  const starts = attributes.some(({ name }) => name === 'running');
  if (starts || difference.action === 'create' || difference.action === 'restart') return difference;
  const others = attributes.filter(({ name }) => name !== action);
  const all = [...others, { name: action, from: 'due', to: 'not due' }];
  return { action: actionOf(all), attributes: all };
}

/** What the probe has found that makes the unit another one. */
export function overridesIn(actual: State | null): readonly string[] {
  return String(actual?.['overrides'] ?? '')
    .split('\n')
    .filter((path) => path !== '');
}

export function removeOverrides(paths: readonly string[]): Script {
  if (paths.length === 0) return sh``;
  const folders = [...new Set(paths.map((path) => dirname(path)))].filter((path) => path.endsWith('.d'));
  return lines([
    removal,
    ...paths.map((path) => sh`hw_remove ${path}`),
    ...(folders.length === 0 ? [] : [sh`rmdir --ignore-fail-on-non-empty ${folders} 2>/dev/null || :`]),
  ]);
}

function runOf({ desired, action, attributes }: Change<Service>): Run | undefined {
  const differs = (name: string): boolean => attributes.some((attribute) => attribute.name === name);
  const isNew = action === 'create' || differs('running');
  if (!desired.running) return isNew ? 'stop' : undefined;
  if (isNew) return 'start';
  if (action === 'restart' || differs('restart') || differs('unit')) return 'restart';
  const reloads = action === 'reload' || differs('reload') || differs('current');
  if (differs('healthy')) return reloads ? 'reload and heal' : 'heal';
  return reloads ? 'reload' : 'ensure';
}

/** It runs, or another one in its place, and the step ends that or may do so. */
export function interrupts(change: Change<Service>): boolean {
  const run = runOf(change);
  if (run === 'start' && change.desired.replaces.length > 0) return true;
  if (change.actual?.['running'] !== true) return false;
  return run === 'stop' || run === 'restart' || overridesIn(change.actual).length > 0;
}

function workOf(change: Change<Service>): Work {
  const { desired, action, attributes } = change;
  const run = runOf(change);
  if (action !== 'create' && !attributes.some(({ name }) => name === 'enabled'))
    return run === undefined ? {} : { run };
  const enablement = desired.enabled ? 'enable' : 'disable';
  return run === undefined ? { enablement } : { enablement, run };
}

function titleOf({ enablement, run }: Work): string {
  if (run !== undefined && run !== 'ensure') return run;
  return enablement ?? 'restore the unit of';
}

/** What the process has read is now what lies on disk; a reload takes up what is meant for it only. */
export function record(service: Service, restarted: boolean): Script {
  return recordLoaded(watched(service).filter(({ action }) => restarted || action === 'reload'));
}

/** The process has not read what was removed: with the rest it is what it was. */
function recordWithout(service: Service, removed: readonly string[], run: Run | undefined): Script {
  const isSame = removed.length > 0 && run !== undefined && !['start', 'restart', 'stop'].includes(run);
  return isSame ? recordLoaded(watched(service).filter(({ action }) => action === 'restart')) : sh``;
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
function printLog({ name, log }: Service): Script {
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

/** Its check; one that hangs has failed. */
function check(words: readonly string[]): Script {
  return sh`timeout -k 1 ${checkSeconds} ${words} >"$HW/healthy" 2>&1 </dev/null`;
}

/** Without a check of its own it is to run at least: a command may reload a service that ends over it. */
function becomeHealthy(service: Service): Script {
  const { name, healthy, healthyWithin } = service;
  if (healthy === undefined) {
    return sh`systemctl is-active --quiet ${name} || {
  printf '%s has ended\n' ${name} >&2
  ${printLog(service)}
  exit 1
}`;
  }
  return sh`deadline=$(($(date +%s) + ${healthyWithin}))
until ${check(healthy)}; do
  status=$?
  if [ "$(date +%s)" -ge "$deadline" ]; then
    printf '%s (its check ended with exit status %s):\n' ${`${name} is not healthy after ${healthyWithin} s`} "$status" >&2
    tail -n 10 "$HW/healthy" >&2
    ${printLog(service)}
    exit 1
  fi
  sleep 1
done`;
}

function orPrintLog(command: Script, service: Service): Script {
  return sh`${command} || {
  ${printLog(service)}
  exit 1
}`;
}

const begin = ({ name, start: words }: Service): Script =>
  words === undefined
    ? sh`hw_start ${name}`
    : sh`systemctl reset-failed ${name} 2>/dev/null || :
${words} >"$HW/begin" 2>&1`;

/** The words of its own command say why, so they come last: of long text the end is told. */
const saidLast = ({ start: words }: Service): Script =>
  words === undefined ? sh`` : sh`cat "$HW/begin" >&2`;

/** Those that it replaces are stopped at the last moment, and run again where it does not. */
function standIn({ name, replaces }: Service): { readonly begin: Script; readonly end: Script } {
  if (replaces.length === 0) return { begin: sh``, end: sh`` };
  const stop = replaces.map(
    (unit) => sh`if systemctl is-active --quiet ${unit}; then
  hw_replaced="$hw_replaced ${unit} "
  systemctl stop ${unit}
fi`,
  );
  const resume = replaces.map(
    (unit) => sh`case $hw_replaced in *" ${unit} "*)
  if systemctl start ${unit}; then echo ${`${unit} runs again instead`} >&2; fi ;;
esac`,
  );
  return {
    begin: sh`hw_replaced=''
hw_resume() {
  if [ -z "$hw_replaced" ]; then return 0; fi
  systemctl stop ${name} || :
  systemctl disable --quiet ${name} || :
  ${lines(resume)}
}
trap hw_resume EXIT
${lines(stop)}`,
    end: sh`trap - EXIT`,
  };
}

const start = (service: Service): Script => sh`${standIn(service).begin}
hw_begin() {
  ${begin(service)}
}
hw_begin || {
  ${printLog(service)}
  ${saidLast(service)}
  exit 1
}
${becomeHealthy(service)}
${standIn(service).end}
${record(service, true)}`;

function validate(service: Service): Script {
  return service.validate === undefined ? sh`` : runOrSay(service.validate);
}

/** `hw_take_up`: one that has died over a configuration that was rolled back has nothing to reload. */
function takeUp({ name, reload: words }: Service): Script {
  const command = words === undefined ? sh`systemctl reload-or-restart ${name}` : runOrSay(words);
  return sh`hw_reload() { ${command}; }
hw_take_up() { if systemctl is-active --quiet ${name}; then hw_reload; else hw_start ${name}; fi; }`;
}

function reload(service: Service): Script {
  return sh`${takeUp(service)}
${orPrintLog(sh`hw_take_up`, service)}
${becomeHealthy(service)}
${record(service, false)}`;
}

/** Processes that were stopped or frozen go on; what happens to them is read from systemd and the kernel. */
const wakeFunction = sh`hw_wake() {
  hw_group=/sys/fs/cgroup$(systemctl show -p ControlGroup --value "$1")
  if grep -qsx 'frozen 1' "$hw_group/cgroup.events"; then
    systemctl thaw "$1" 2>/dev/null || :
    if grep -qsx 'frozen 1' "$hw_group/cgroup.events"; then echo 0 >"$hw_group/cgroup.freeze"; fi
  fi
  while read -r pid; do
    if grep -qs '^State:[[:space:]]*T' "/proc/$pid/status"; then kill -CONT "$pid" 2>/dev/null || :; fi
  done <"$hw_group/cgroup.procs"
}`;

/**
 * What was found may be over: an earlier change has healed it, or it has just been started. It is woken, reloaded if
 * that is due, has what is left of its time and a moment, and is started anew only when it still is not healthy.
 */
function heal(service: Service, reloads: boolean): Script {
  const { name, healthy = ['systemctl', 'is-active', name], healthyWithin } = service;
  const first = reloads
    ? sh`${takeUp(service)}
hw_take_up || :`
    : sh``;
  return sh`${listen(service)}
${validate(service)}
hw_wake ${name}
${first}
began=$(systemctl show -p ActiveEnterTimestampMonotonic --value ${name})
deadline=$((began / 1000000 + ${healthyWithin})) now=$(cut -d. -f1 /proc/uptime)
if [ "$deadline" -lt $((now + 2)) ]; then deadline=$((now + 2)); fi
healed=yes
until ${check(healthy)}; do
  if [ "$(cut -d. -f1 /proc/uptime)" -ge "$deadline" ]; then healed=no; break; fi
  sleep 0.5
done
if [ "$healed" = no ]; then
  ${start(service)}
${reloads ? sh`else ${record(service, false)}` : sh``}
fi`;
}

const runs: Readonly<Record<Run, (service: Service) => Script>> = {
  stop: ({ name }) => sh`systemctl stop ${name}
systemctl reset-failed ${name} 2>/dev/null || :`,
  start: (service) => lines([listen(service), validate(service), start(service)]),
  restart: (service) => lines([listen(service), validate(service), start(service)]),
  reload: (service) => lines([listen(service), validate(service), reload(service)]),
  heal: (service) => lines([wakeFunction, heal(service, false)]),
  'reload and heal': (service) => lines([wakeFunction, heal(service, true)]),
  ensure: (service) => sh`systemctl is-active --quiet ${service.name} || {
  ${listen(service)}
  ${start(service)}
}`,
};

/** Seconds of `startWithin`, for which the time of a step is enough. */
const ordinarily = 300;

export function stepOf(change: Change<Service>): Step {
  const { id, desired, actual } = change;
  const { name } = desired;
  const work = workOf(change);
  const removed = overridesIn(actual);
  const script = [
    ...[endedFunction, startFunction],
    ...(desired.log === undefined ? [] : [readFunction]),
    removeOverrides(removed),
    sh`systemctl daemon-reload`,
    recordWithout(desired, removed, work.run),
    ...(work.enablement === undefined
      ? []
      : [
          sh`systemctl unmask --quiet ${name}; systemctl unmask --runtime --quiet ${name} || :
systemctl ${work.enablement} --quiet ${name}`,
        ]),
    ...(work.run === undefined ? [] : [runs[work.run](desired)]),
  ];
  return {
    resources: [id],
    title: `${titleOf(work)} ${name}`,
    script: lines(script),
    ...(desired.startWithin === ordinarily ? {} : { timeout: (ordinarily + desired.startWithin) * 1000 }),
  };
}
