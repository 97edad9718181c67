import { availableParallelism, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { selectHosts } from '../inventory/pattern.ts';
import { targetsOf } from '../inventory/target.ts';
import { errorEvent } from '../report/error-event.ts';
import { maskedReporter } from '../report/masked.ts';
import { createReporter } from '../report/create-reporter.ts';
import type { ChangeEvent, RunOrigin } from '../plan/event.ts';
import type { PlanReporter } from '../report/reporter.ts';
import { createMask, secretsIn } from '../secrets/mask.ts';
import type { Secret } from '../secrets/secret.ts';
import type { SiteModel } from '../site/model.ts';
import { hostObservations } from '../site/second-pass.ts';
import { didYouMean } from '../suggestion.ts';
import { createConnect } from '../transport/connect.ts';
import type { Lock } from '../transport/transport.ts';
import { workerCount } from '../workers/count.ts';
import type { ProjectData } from '../workers/messages.ts';
import { workerProcesses } from '../workers/processes.ts';
import { planHosts, type PlannedHosts } from '../workers/plan-hosts.ts';
import { siteWorker } from '../workers/site-worker.ts';
import type { RunSettings } from '../workers/worker.ts';
import { askSecret } from './ask-secret.ts';
import { startClock, type Clock } from './clock.ts';
import type { ReportOptions, RunOptions } from './options.ts';
import { originOf } from './origin.ts';
import { packageFolder, readProject, readSiteOf, siteFile, type Project } from './project.ts';

/** The common part of `plan`, `apply` and `drift`: the site is read; the hosts are connected, locked and planned. */
export interface OpenRun extends PlannedHosts {
  readonly site: SiteModel;
  readonly project: Project;
  readonly reporter: PlanReporter;
  readonly clock: Clock;
  readonly origin: RunOrigin;
}

export function openReporter(options: ReportOptions): PlanReporter {
  return createReporter({
    mode: options.json === true ? 'json' : 'human',
    stdout: process.stdout,
    stderr: process.stderr,
    isTTY: process.stdout.isTTY,
    env: process.env,
    diff: options.diff,
  });
}

/** Reports the plan of all hosts, and lets go of it. */
export function reportChanges(
  { events, reporter }: OpenRun,
  isShown: (event: ChangeEvent) => boolean = () => true,
): void {
  for (const event of events.splice(0)) if (event.type === 'remark' || isShown(event)) reporter.report(event);
}

/** Reports the errors of hosts that were lost. */
export function reportLost(
  reporter: PlanReporter,
  lost: ReadonlyMap<string, readonly HostwrightError[]>,
): void {
  for (const [host, errors] of lost) for (const error of errors) reporter.report(errorEvent(error, host));
}

/** What `--ask-become-pass` asks for. */
export async function askBecomePassword(
  options: Pick<RunOptions, 'askBecomePass'>,
): Promise<Secret | undefined> {
  if (options.askBecomePass !== true) return undefined;
  return await askSecret('sudo password', process.stdin, process.stderr);
}

export function lockFor(mode: Lock['mode']): Lock {
  return {
    mode,
    holder: {
      user: userInfo().username,
      controller: hostname(),
      pid: process.pid,
      since: new Date().toISOString(),
    },
  };
}

/** E_USAGE for a role that the site does not have. */
function checkRoles(site: SiteModel, names: readonly string[]): void {
  const known = new Set(site.plays.flatMap(({ play }) => play.roles));
  for (const name of names) {
    if (known.has(name)) continue;
    throw new HostwrightError('E_USAGE', `the site has no role ${name}`, {
      expected: [...known].join(', '),
      hint: didYouMean(name, known) ?? 'see site.yml',
    });
  }
}

/** The hosts of `names` that have one of `roles`; any role when that is undefined. */
function hostsWithRoles(
  site: SiteModel,
  names: readonly string[],
  roles: readonly string[] | undefined,
): readonly string[] {
  return names.filter((name) =>
    (site.assignments.get(name) ?? []).some(({ role }) => roles === undefined || roles.includes(role.name)),
  );
}

/** What a worker process runs. */
const workerFile = join(packageFolder, 'dist/cli/worker.js');

/** What a verb asks for beside the options of the command line. */
export interface Purpose extends Pick<RunSettings, 'apply' | 'salt' | 'becomePassword'> {
  /** Sees all that is reported, without secrets. */
  readonly watch?: (reporter: PlanReporter) => PlanReporter;
}

/**
 * Reads the site and the inventory, then connects to the hosts and plans them. When it rejects,
 * as after an abort of `signal`, no connection stays open.
 */
export async function openRun(
  options: RunOptions,
  { watch = (reporter) => reporter, ...purpose }: Purpose,
  signal: AbortSignal,
): Promise<OpenRun> {
  const clock = startClock();
  // While everything else is read.
  const asked = originOf(options, clock.start);
  const project = await readProject(options, process.env);
  const selected = (await selectHosts(project.inventory, 'all', options)).map((host) => host.name);
  const targets = targetsOf(project.variables);
  const ahead = targets.get(selected[0] ?? '');
  const connect = createConnect({ ahead });
  const site = await readSiteOf(project, options);
  checkRoles(site, options.role ?? []);
  const becomePassword = purpose.becomePassword ?? (await clock.pause(() => askBecomePassword(options)));
  const secrets = secretsIn([site.assignments, project.variables, becomePassword]);
  const reporter = maskedReporter(watch(openReporter(options)), createMask(secrets));
  const origin = await asked;
  const settings: RunSettings = {
    ...purpose,
    run: origin,
    lock: lockFor(purpose.apply === undefined ? 'shared' : 'exclusive'),
    diff: options.diff,
    deep: options.deep === true,
    ...(options.role && { roles: options.role }),
    ...(becomePassword && { becomePassword }),
  };
  const names = hostsWithRoles(site, selected, options.role);
  const count = workerCount({ ...options, hosts: names.length, processors: availableParallelism() });
  const data: ProjectData = {
    site: siteFile(project, options),
    inventory: project.inventory,
    variables: project.variables,
    generated: await project.generated.values(),
  };
  const planned = await planHosts({
    names,
    observing: names.filter((name) => hostObservations(site, name).length > 0),
    open: (report) =>
      count === 1
        ? siteWorker({ site, targets, connect, settings, report })
        : workerProcesses({ count, file: workerFile, settings, project: data, report }),
    ...{ forks: options.forks, signal, report: (event) => reporter.report(event) },
  }).catch((error: unknown) => {
    reporter.close();
    throw error;
  });
  return { ...planned, site, project, reporter, clock, origin };
}
