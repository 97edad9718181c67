import { openConnections, type Connections } from '../actions/connections.ts';
import { carryOutSteps } from '../actions/carry-out.ts';
import type { Asked } from '../actions/context.ts';
import { failureOf } from '../actions/failure.ts';
import { prepare } from '../actions/prepare.ts';
import { HostwrightError, isExpected } from '../errors.ts';
import { flagOf } from '../actions/arguments.ts';
import { settingEdits, writeEdit, type FileEdit } from '../inventory/set-variable.ts';
import { targetsOf } from '../inventory/target.ts';
import { unifiedDiff } from '../plan/diff.ts';
import type { OutcomeEvent } from '../plan/action-event.ts';
import type { RunOrigin } from '../plan/event.ts';
import { errorEvents } from '../report/error-event.ts';
import { maskedReporter } from '../report/masked.ts';
import type { PlanReporter } from '../report/reporter.ts';
import type { ActionPlan } from '../roles/action.ts';
import { createMask, secretsIn } from '../secrets/mask.ts';
import type { Secret } from '../secrets/secret.ts';
import type { SiteModel } from '../site/model.ts';
import { createConnect } from '../transport/connect.ts';
import { untilAborted } from '../workers/until-aborted.ts';
import { startClock, type Clock } from './clock.ts';
import { ask, canAsk, isConfirmed } from './confirm.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { Interrupted, watchInterrupts, type Interrupts } from './interrupt.ts';
import { askBecomePassword, lockFor, openReporter } from './open-run.ts';
import { originOf } from './origin.ts';
import { planAndApply } from './plan-and-apply.ts';
import type { Project, ProjectOptions } from './project.ts';
import { isConfiguration, isUnreachable } from './summary.ts';

export interface ActOptions extends ProjectOptions {
  readonly yes?: true;
  readonly json?: true;
  readonly askBecomePass?: true;
}

interface Run {
  readonly asked: Asked;
  readonly project: Project;
  readonly site: SiteModel;
  readonly options: ActOptions;
  readonly reporter: PlanReporter;
  readonly interrupts: Interrupts;
  readonly clock: Clock;
  readonly origin: RunOrigin;
  readonly connections: Connections;
  readonly becomePassword: Secret | undefined;
}

/** A plan with all that is known of this site. */
interface Ready extends Pick<ActionPlan, 'steps' | 'verify'> {
  readonly apply: { readonly hosts: readonly string[]; readonly roles: readonly string[] } | undefined;
}

function namesOf({ found, host }: Asked): Pick<OutcomeEvent, 'role' | 'action' | 'host'> {
  return { role: found.role, action: found.name, ...(host !== undefined && { host }) };
}

/** Whether the command line has agreed already; E_USAGE where it has not and nobody can be asked. */
function isAgreed(
  { asked, options }: Pick<Run, 'asked' | 'options'>,
  consent: ActionPlan['consent'],
): boolean {
  const option = consent === undefined ? '--yes' : flagOf(consent.argument);
  if (consent === undefined ? options.yes === true : asked.args[consent.argument] === true) return true;
  if (canAsk(options)) return false;
  throw new HostwrightError(
    'E_USAGE',
    `${asked.found.role} ${asked.found.name} cannot ask for confirmation here`,
    {
      found: 'no terminal',
      hint: `add ${option}`,
    },
  );
}

async function agree(
  { clock, interrupts: { signal } }: Run,
  consent: ActionPlan['consent'],
): Promise<boolean> {
  return await clock.pause(async () =>
    consent === undefined
      ? await isConfirmed('Do this?', signal)
      : (await ask(`${consent.question} To go on, type ${consent.word}:`, signal)) === consent.word,
  );
}

/** What errors of an action mean for the exit status. */
function statusOf(errors: readonly unknown[]): ExitStatus {
  const known = errors.flatMap((error) => {
    if (!isExpected(error)) return [];
    return error instanceof HostwrightError ? [error] : error.errors;
  });
  if (known.length === 0) return exitStatus.failed;
  if (known.some((error) => isConfiguration(error) || error.code === 'E_USAGE'))
    return exitStatus.configuration;
  return isUnreachable(known) ? exitStatus.unreachable : exitStatus.failed;
}

/** Reports what went wrong, and the end of the action. */
function fail({ asked, reporter, clock, interrupts }: Run, errors: readonly unknown[]): ExitStatus {
  for (const error of errors) {
    for (const event of errorEvents(failureOf(asked.found, error))) reporter.report(event);
  }
  const isInterrupted = interrupts.signal.aborted;
  reporter.report({
    ...{ type: 'outcome', ...namesOf(asked), ok: false },
    ...(isInterrupted && { interrupted: true }),
    seconds: clock.elapsed(),
  });
  return isInterrupted ? exitStatus.interrupted : statusOf(errors);
}

async function applyAfterwards(run: Run, { hosts, roles }: NonNullable<Ready['apply']>): Promise<ExitStatus> {
  const { options, becomePassword, interrupts } = run;
  // Its own connections take the same locks.
  await run.connections.close();
  return await planAndApply(
    { ...options, limit: hosts.join(','), role: roles, forks: 20, diff: true },
    { confirmWithin: 60, ...(becomePassword && { becomePassword }), agree: () => Promise.resolve(true) },
    interrupts,
  );
}

async function carryOut(run: Run, plan: Ready): Promise<ExitStatus> {
  const { asked, reporter, interrupts, clock } = run;
  interrupts.onTold((isSecond) => reporter.interrupted(isSecond));
  run.connections.beginWork({ ...run.origin, verb: 'do', action: `${asked.found.role} ${asked.found.name}` });
  const cut = await carryOutSteps(plan.steps, {
    signal: interrupts.signal,
    report: (event) => reporter.report(event),
  });
  await run.connections.endWork({
    ...{ ms: Math.round(clock.elapsed() * 1000), ok: cut === undefined },
    ...(interrupts.signal.aborted && { interrupted: true }),
  });
  if (cut !== undefined) return fail(run, cut.errors);
  try {
    const text = await plan.verify();
    const status = plan.apply === undefined ? exitStatus.ok : await applyAfterwards(run, plan.apply);
    if (status !== exitStatus.ok) {
      fail(run, []);
      return status;
    }
    reporter.report({ type: 'outcome', ...namesOf(asked), ok: true, text, seconds: clock.elapsed() });
    return exitStatus.ok;
  } catch (error) {
    return fail(run, error instanceof Interrupted ? [] : [error]);
  }
}

/** Which hosts have the roles of the site that are applied at the end. */
function appliedBy(
  { assignments }: SiteModel,
  { roles, without = [] }: NonNullable<ActionPlan['apply']>,
): Ready['apply'] {
  const having = [...assignments].flatMap(([host, assigned]) => {
    const own = assigned.filter(({ role }) => roles.includes(role.name)).map(({ role }) => role.name);
    return without.includes(host) || own.length === 0 ? [] : [{ host, own }];
  });
  const known = new Set(having.flatMap(({ own }) => own));
  if (known.size === 0) return undefined;
  return { hosts: having.map(({ host }) => host), roles: roles.filter((role) => known.has(role)) };
}

/** Before anything is done: an inventory that cannot be changed refuses the action. */
async function editsOf(
  { inventory }: Project,
  sets: NonNullable<ActionPlan['sets']>,
): Promise<readonly FileEdit[]> {
  return (await Promise.all(sets.map((setting) => settingEdits(inventory, setting)))).flat();
}

async function prepareAndCarryOut(run: Run): Promise<ExitStatus> {
  const { asked, site, reporter, interrupts, connections, clock } = run;
  const prepared = await untilAborted(prepare(asked, site, connections.runOn), interrupts.signal);
  if (prepared.kind === 'answer') {
    const { rows, remarks = [] } = prepared.answer;
    reporter.report({ type: 'answer', ...namesOf(asked), rows, remarks });
    reporter.report({ type: 'outcome', ...namesOf(asked), ok: true, seconds: clock.elapsed() });
    return exitStatus.ok;
  }
  const { remarks = [], consent, sets = [], verify } = prepared.plan;
  const apply = prepared.plan.apply && appliedBy(site, prepared.plan.apply);
  const edits = await editsOf(run.project, sets);
  reporter.report({
    ...{ type: 'preview', ...namesOf(asked), remarks },
    edits: edits.map(({ file, before, after }) => ({ file, diff: unifiedDiff(before, after) })),
    steps: prepared.plan.steps.map(({ host, title }) => ({ ...(host !== undefined && { host }), title })),
    ...(apply && { apply }),
  });
  const writing = edits.map((edit) => ({ title: `write ${edit.file}`, run: () => writeEdit(edit) }));
  const steps = [...prepared.plan.steps, ...writing];
  const isIdle = steps.length === 0 && apply === undefined;
  if (!isIdle && !isAgreed(run, consent) && !(await agree(run, consent))) {
    process.stderr.write('nothing was done\n');
    return exitStatus.failed;
  }
  return await carryOut(run, { steps, verify, apply });
}

/** Does an action: reads the hosts, says what will happen, asks, does it and verifies it. */
export async function act(
  asked: Asked,
  { project, site }: { readonly project: Project; readonly site: SiteModel },
  options: ActOptions,
): Promise<ExitStatus> {
  const clock = startClock();
  const origin = await originOf(options, clock.start);
  const becomePassword = await clock.pause(() => askBecomePassword(options));
  const secrets = secretsIn([site.assignments, project.variables, becomePassword, asked.args]);
  const reporter = maskedReporter(openReporter({ ...options, diff: true }), createMask(secrets));
  const targets = targetsOf(project.variables);
  const connect = createConnect();
  const connections = openConnections({
    connect: async (host) => {
      const target = targets.get(host);
      if (target === undefined) throw new Error(`no target for ${host}`);
      return await connect({ ...target, ...(becomePassword && { becomePassword }) });
    },
    lock: asked.found.action.read === undefined ? lockFor('exclusive') : undefined,
  });
  const interrupts = watchInterrupts();
  const run: Run = {
    asked,
    project,
    site,
    options,
    reporter,
    interrupts,
    clock,
    origin,
    connections,
    becomePassword,
  };
  try {
    return await prepareAndCarryOut(run);
  } catch (error) {
    if (!(error instanceof Interrupted)) return fail(run, [error]);
    fail(run, []);
    throw error;
  } finally {
    interrupts.close();
    reporter.close();
    await connections.close();
  }
}
