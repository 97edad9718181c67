import { lines, sh, type Script } from '../../transport/shell.ts';
import { digestFunction } from '../shell/digest.ts';
import { endedFunction, runOrSay } from '../shell/ended.ts';
import { readFunction } from '../shell/read.ts';
import type { Action, AttributeChange, Change, Difference } from '../state.ts';
import type { Step } from '../step.ts';
import { recordLoaded } from './loaded.ts';
import { watched, type Service } from './schema.ts';
import { startFunction } from './start.ts';

/** What is to be done to a service; `ensure` starts one that does not run. */
interface Work {
  readonly enablement?: 'enable' | 'disable';
  readonly run?: 'start' | 'stop' | 'restart' | 'reload' | 'ensure';
}

/** The action that a difference amounts to, unless the service is new. */
export function actionOf(attributes: readonly AttributeChange[]): Action {
  const names = new Set(attributes.map((attribute) => attribute.name));
  if (names.has('running') || names.has('enabled')) return 'update';
  return names.has('restart') || names.has('unit') ? 'restart' : 'reload';
}

/** What its triggers add to the difference: what starts takes up its files anyway, what is only enabled does not. */
export function whenDue(
  action: 'reload' | 'restart',
  difference: Difference | undefined,
): Difference | undefined {
  if (difference === undefined || difference.action === 'reload') return undefined;
  const { attributes } = difference;
  const starts = attributes.some(({ name }) => name === 'running');
  if (starts || difference.action === 'create' || difference.action === 'restart') return difference;
  const others = attributes.filter(({ name }) => name !== action);
  return { ...difference, attributes: [...others, { name: action, from: 'due', to: 'not due' }] };
}

function runOf({ desired, action, attributes }: Change<Service>): Work['run'] {
  const differs = (name: string): boolean => attributes.some((attribute) => attribute.name === name);
  const isNew = action === 'create' || differs('running');
  if (!desired.running) return isNew ? 'stop' : undefined;
  if (isNew) return 'start';
  if (action === 'restart' || differs('restart') || differs('unit')) return 'restart';
  return action === 'reload' || differs('reload') ? 'reload' : 'ensure';
}

function workOf(change: Change<Service>): Work {
  const { desired, action, attributes } = change;
  const run = runOf(change);
  if (action !== 'create' && !attributes.some(({ name }) => name === 'enabled'))
    return run === undefined ? {} : { run };
  const enablement = desired.enabled ? 'enable' : 'disable';
  return run === undefined ? { enablement } : { enablement, run };
}

function titleOf({ enablement = 'enable', run }: Work): string {
  return run === undefined || run === 'ensure' ? enablement : run;
}

/** What the process has read is now what lies on disk; a reload takes up what is meant for it only. */
export function record(service: Service, restarted: boolean): Script {
  return recordLoaded(watched(service).filter(({ action }) => restarted || action === 'reload'));
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

function becomeHealthy(service: Service): Script {
  if (service.healthy === undefined) return sh``;
  return sh`deadline=$(($(date +%s) + ${service.healthyWithin}))
until ${service.healthy} >"$HW/healthy" 2>&1; do
  status=$?
  if [ "$(date +%s)" -ge "$deadline" ]; then
    printf '%s (its check ended with exit status %s):\n' ${`${service.name} is not healthy after ${service.healthyWithin} s`} "$status" >&2
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

const start = (service: Service): Script => sh`${orPrintLog(sh`hw_start ${service.name}`, service)}
${becomeHealthy(service)}
${record(service, true)}`;

function validate(service: Service): Script {
  return service.validate === undefined ? sh`` : runOrSay(service.validate);
}

function reload(service: Service): Script {
  const command =
    service.reload === undefined ? sh`systemctl reload-or-restart ${service.name}` : runOrSay(service.reload);
  // One that has died over a configuration that was rolled back has nothing to reload.
  const takeUp = sh`if systemctl is-active --quiet ${service.name}; then hw_reload; else hw_start ${service.name}; fi`;
  return sh`hw_reload() { ${command}; }
${orPrintLog(takeUp, service)}
${becomeHealthy(service)}
${record(service, false)}`;
}

const runs: Readonly<Record<NonNullable<Work['run']>, (service: Service) => Script>> = {
  stop: ({ name }) => sh`systemctl stop ${name}
systemctl reset-failed ${name} 2>/dev/null || :`,
  start: (service) => lines([listen(service), validate(service), start(service)]),
  restart: (service) => lines([listen(service), validate(service), start(service)]),
  reload: (service) => lines([listen(service), validate(service), reload(service)]),
  ensure: (service) => sh`systemctl is-active --quiet ${service.name} || {
  ${listen(service)}
  ${start(service)}
}`,
};

export function stepOf(change: Change<Service>): Step {
  const { id, desired } = change;
  const { name } = desired;
  const work = workOf(change);
  const script = [
    ...[endedFunction, digestFunction, startFunction],
    ...(desired.log === undefined ? [] : [readFunction]),
    sh`systemctl daemon-reload`,
    ...(work.enablement === undefined
      ? []
      : [
          sh`systemctl unmask --quiet ${name}; systemctl unmask --runtime --quiet ${name} || :
systemctl ${work.enablement} --quiet ${name}`,
        ]),
    ...(work.run === undefined ? [] : [runs[work.run](desired)]),
  ];
  return { resources: [id], title: `${titleOf(work)} ${name}`, script: lines(script) };
}
