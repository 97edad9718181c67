import { userInfo, hostname } from 'node:os';
import { HostwrightError } from '../errors.ts';
import { selectHosts } from '../inventory/pattern.ts';
import { targetsOf } from '../inventory/target.ts';
import { surveyHosts, type LostHost, type SurveyedHost } from '../plan/survey.ts';
import { errorEvent } from '../report/error-event.ts';
import { maskedReporter } from '../report/masked.ts';
import { createReporter } from '../report/create-reporter.ts';
import type { ChangeEvent, HostSummary } from '../plan/event.ts';
import type { PlanReporter } from '../report/reporter.ts';
import type { ResourceId } from '../resources/resource.ts';
import { hostResources } from '../site/resources.ts';
import { createMask, secretsIn } from '../secrets/mask.ts';
import type { SiteModel } from '../site/model.ts';
import { didYouMean } from '../suggestion.ts';
import { createConnect } from '../transport/connect.ts';
import type { Lock } from '../transport/transport.ts';
import { askSecret } from './ask-secret.ts';
import { startClock, type Clock } from './clock.ts';
import type { ReportOptions, RunOptions } from './options.ts';
import { readProject, readSiteOf, type Project } from './project.ts';
import { exitStatus, type ExitStatus } from './exit.ts';

/** The common part of `plan`, `apply` and `drift`: the site is read; the hosts are connected, locked and planned. */
export interface Surveyed {
  readonly site: SiteModel;
  readonly project: Project;
  readonly reporter: PlanReporter;
  readonly hosts: ReadonlyMap<string, SurveyedHost>;
  readonly lost: Map<string, readonly HostwrightError[]>;
  readonly clock: Clock;
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

function isLost(entry: SurveyedHost | LostHost): entry is LostHost {
  return 'errors' in entry;
}

/** Reports the plan of all hosts, host by host. */
export function reportChanges(
  { hosts, reporter }: Surveyed,
  isShown: (event: ChangeEvent) => boolean = () => true,
): void {
  for (const { events } of hosts.values()) for (const event of events.filter(isShown)) reporter.report(event);
}

/** Reports the errors of hosts that were lost. */
export function reportLost(
  reporter: PlanReporter,
  lost: ReadonlyMap<string, readonly HostwrightError[]>,
): void {
  for (const [host, errors] of lost) for (const error of errors) reporter.report(errorEvent(error, host));
}

function lockFor(mode: Lock['mode']): Lock {
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
  roles: ReadonlySet<string> | undefined,
): readonly string[] {
  return names.filter((name) =>
    (site.assignments.get(name) ?? []).some(({ role }) => roles === undefined || roles.has(role.name)),
  );
}

/**
 * Reads the site and the inventory, then connects to the hosts and plans them. When it rejects,
 * as after an abort of `signal`, no connection stays open.
 */
export async function survey(
  options: RunOptions,
  mode: Lock['mode'],
  signal: AbortSignal,
): Promise<Surveyed> {
  const clock = startClock();
  const project = await readProject(options, process.env);
  const selected = (await selectHosts(project.inventory, 'all', options)).map((host) => host.name);
  const targets = targetsOf(project.variables);
  const ahead = targets.get(selected[0] ?? '');
  const connect = createConnect(ahead === undefined ? {} : { ahead });
  const site = await readSiteOf(project, options);
  checkRoles(site, options.role ?? []);
  const becomePassword =
    options.askBecomePass === true
      ? await clock.pause(() => askSecret('sudo password', process.stdin, process.stderr))
      : undefined;
  const secrets = secretsIn([site.assignments, project.variables, becomePassword]);
  const reporter = maskedReporter(openReporter(options), createMask(secrets));
  const roles = options.role === undefined ? undefined : new Set(options.role);
  const entries = await surveyHosts({
    signal,
    hosts: hostsWithRoles(site, selected, roles),
    lock: lockFor(mode),
    forks: options.forks,
    keepOpen: mode === 'exclusive',
    diff: options.diff,
    report: (event) => {
      reporter.report(event);
    },
    connect: async (host) => {
      const target = targets.get(host);
      if (target === undefined) throw new Error(`no target for ${host}`);
      return await connect({
        ...target,
        ...(becomePassword === undefined ? {} : { becomePassword }),
      });
    },
    resources: (host, facts) => {
      const all = hostResources(site, host, facts);
      if (roles === undefined) return all;
      const kept = all.filter((resource) => roles.has(resource.role));
      const ids = new Set<ResourceId>(kept.map((resource) => resource.id));
      return kept.map((resource) => ({ ...resource, needs: resource.needs.filter((id) => ids.has(id)) }));
    },
  }).catch((error: unknown) => {
    reporter.close();
    throw error;
  });
  const hosts = new Map<string, SurveyedHost>();
  const lost = new Map<string, readonly HostwrightError[]>();
  for (const [host, entry] of entries) {
    if (isLost(entry)) lost.set(host, entry.errors);
    else hosts.set(host, entry);
  }
  return { site, project, reporter, hosts, lost, clock };
}

export function hostSummary(host: SurveyedHost, counted: Partial<HostSummary> = {}): HostSummary {
  return {
    resources: host.plan.resources.length,
    changes: host.plan.changes.size,
    changed: 0,
    failed: 0,
    skipped: 0,
    unreachable: false,
    roundTrips: host.transport.roundTrips,
    ...counted,
  };
}

const unreachableCodes = new Set(['E_CONNECT', 'E_TIMEOUT', 'E_AUTH', 'E_HOST_KEY']);

export function isUnreachable(errors: readonly HostwrightError[]): boolean {
  return errors.every((error) => unreachableCodes.has(error.code));
}

const configurationCodes = new Set<string>(['E_VARIABLE', 'E_ROLE', 'E_RESOURCE', 'E_TEMPLATE', 'E_SECRET']);

/** Whether the error is in the user's files, found only when the resources of a host were made. */
export function isConfiguration(error: Pick<HostwrightError, 'code'>): boolean {
  return configurationCodes.has(error.code);
}

export const lostSummary = (errors: readonly HostwrightError[]): HostSummary => ({
  resources: 0,
  changes: 0,
  changed: 0,
  failed: isUnreachable(errors) ? 0 : 1,
  skipped: 0,
  unreachable: isUnreachable(errors),
  roundTrips: 0,
});

/** The exit status of a run that lost hosts; undefined when it lost none. */
export function lostStatus(lost: ReadonlyMap<string, readonly HostwrightError[]>): ExitStatus | undefined {
  if (lost.size === 0) return undefined;
  if ([...lost.values()].flat().some(isConfiguration)) return exitStatus.configuration;
  return [...lost.values()].every(isUnreachable) ? exitStatus.unreachable : exitStatus.failed;
}
