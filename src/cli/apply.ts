import { Command } from 'commander';
import { applyPlays } from '../apply/plays.ts';
import type { HostRun } from '../apply/host-run.ts';
import { HostwrightError } from '../errors.ts';
import { isSameRecord, updateApplied, writeApplied } from '../plan/applied.ts';
import { deviations, readSavedPlan, staleError, type SavedPlan } from '../plan/saved.ts';
import type { SurveyedHost } from '../plan/survey.ts';
import { parseSections, sectionsRequest } from '../transport/sections.ts';
import type { HostSummary } from '../plan/event.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { watchInterrupts, type Interrupts } from './interrupt.ts';
import { addRunOptions, confirmOption, type RunOptions } from './options.ts';
import { prompt } from './prompt.ts';
import {
  hostSummary,
  isConfiguration,
  lostStatus,
  lostSummary,
  reportChanges,
  reportLost,
  survey,
  type Surveyed,
} from './survey.ts';

interface ApplyOptions extends RunOptions {
  readonly yes?: true;
  readonly confirmWithin: number;
}

async function isConfirmed(signal: AbortSignal): Promise<boolean> {
  const terminal = { input: process.stdin, output: process.stderr, signal };
  return /^y(es)?$/i.test((await prompt('Apply these changes? [y/N] ', terminal)).trim());
}

function summaries(
  surveyed: Surveyed,
  runs: ReadonlyMap<string, HostRun>,
): Readonly<Record<string, HostSummary>> {
  const entries = [...surveyed.hosts].map(([name, host]): [string, HostSummary] => {
    const outcomes = [...(runs.get(name)?.outcomes.values() ?? [])];
    const count = (outcome: string): number => outcomes.filter((one) => one === outcome).length;
    const changed = count('changed');
    const failed = count('failed');
    const skipped = host.plan.changes.size - changed - failed;
    return [name, hostSummary(host, { changed, failed, skipped, unreachable: surveyed.lost.has(name) })];
  });
  const lost = [...surveyed.lost]
    .filter(([name]) => !surveyed.hosts.has(name))
    .map(([name, errors]) => [name, lostSummary(errors)] as const);
  return Object.fromEntries([...entries, ...lost]);
}

/** Records the applied state on the host, so that the next plan can detect drift. E_REMOTE when writing fails. */
async function recordApplied(
  { plan, applied, transport }: SurveyedHost,
  run: HostRun | undefined,
): Promise<void> {
  const record = updateApplied(
    applied,
    plan.resources,
    (id) => !plan.changes.has(id) || run?.outcomes.get(id) === 'changed',
  );
  if (isSameRecord(applied, record)) return;
  const answer = await transport.request(sectionsRequest([writeApplied(record)]));
  const [written] = parseSections(plan.host, answer, 1);
  if (written?.code === 0) return;
  throw new HostwrightError('E_REMOTE', 'the record of applied resources cannot be written', {
    place: { host: plan.host },
    found: `/var/lib/hostwright/applied: ${written?.stderr.toString('utf8').trim() ?? 'no answer'}`,
    hint: 'the changes stay, but drift on this host shows as a new configuration until the next successful apply',
  });
}

async function carryOut(
  surveyed: Surveyed,
  { forks, confirmWithin }: ApplyOptions,
  interrupts: Interrupts,
): Promise<ExitStatus> {
  const { site, reporter, hosts, lost, clock } = surveyed;
  const { signal } = interrupts;
  interrupts.onTold((isSecond) => reporter.interrupted(isSecond));
  signal.addEventListener('abort', () => {
    for (const { transport } of hosts.values()) transport.stop();
  });
  const runs = new Map(
    [...hosts].map(([name, { plan, transport, reconnect, login }]): [string, HostRun] => [
      name,
      {
        plan,
        transport,
        reconnect,
        login,
        confirmWithin,
        outcomes: new Map(),
        signal,
        report: (event) => {
          reporter.report(event);
        },
      },
    ]),
  );
  const lostUnderWay = new Map<string, HostwrightError>();
  await applyPlays({ plays: site.plays, runs, lost: lostUnderWay, forks, signal });
  await Promise.all(
    [...hosts]
      .filter(([name]) => !lostUnderWay.has(name))
      .map(async ([name, host]) => {
        try {
          await recordApplied(host, runs.get(name));
        } catch (error) {
          if (!(error instanceof HostwrightError)) throw error;
          lostUnderWay.set(name, error);
        }
      }),
  );
  for (const [host, error] of lostUnderWay) lost.set(host, [error]);
  reportLost(reporter, new Map([...lostUnderWay].map(([host, error]) => [host, [error]])));
  const byHost = summaries(surveyed, runs);
  const undone = Object.values(byHost).some((host) => host.failed > 0 || host.skipped > 0);
  const ok = lost.size === 0 && !undone && !signal.aborted;
  reporter.report({
    type: 'summary',
    command: 'apply',
    ok,
    ...(signal.aborted ? { interrupted: true } : {}),
    seconds: clock.elapsed(),
    hosts: byHost,
  });
  if (signal.aborted) return exitStatus.interrupted;
  const failed = Object.entries(byHost).some(
    ([name, host]) => host.failed > 0 || (host.skipped > 0 && !lost.has(name)),
  );
  return failed ? exitStatus.failed : (lostStatus(lost) ?? exitStatus.ok);
}

/** The options of a saved plan with those of this command line. */
function savedOptions(saved: SavedPlan, options: ApplyOptions): ApplyOptions {
  const given = (['inventory', 'site', 'limit', 'shard', 'role'] as const).find(
    (name) => options[name] !== undefined,
  );
  if (given !== undefined) {
    throw new HostwrightError('E_USAGE', 'a saved plan already contains its inventory, hosts and roles', {
      found: `--${given}`,
      hint: `remove --${given}, or make a new plan with it`,
    });
  }
  const { inventory, site, limit, shard, role } = saved.request;
  return {
    ...options,
    inventory,
    ...(site === undefined ? {} : { site }),
    ...(limit === undefined ? {} : { limit }),
    ...(shard === undefined ? {} : { shard }),
    ...(role === undefined ? {} : { role }),
  };
}

/** E_PLAN_STALE, before the first write, when the hosts need other changes than the saved plan names. */
function checkSaved(file: string, saved: SavedPlan, surveyed: Surveyed): void {
  const plans = new Map([...surveyed.hosts].map(([name, host]) => [name, host.plan]));
  const found = deviations(saved, plans).filter(({ host }) => !surveyed.lost.has(host));
  if (found.length > 0) throw staleError(file, found);
}

async function apply(file: string | undefined, given: ApplyOptions): Promise<ExitStatus> {
  const saved = file === undefined ? undefined : await readSavedPlan(file);
  const options = saved === undefined ? given : savedOptions(saved, given);
  const isInteractive = process.stdin.isTTY && process.stdout.isTTY && options.json !== true;
  if (options.yes !== true && !isInteractive && saved === undefined) {
    throw new HostwrightError('E_USAGE', 'apply cannot ask for confirmation here', {
      found: 'no terminal',
      hint: 'add --yes, or save a plan with `hostwright plan --out FILE` and apply that',
    });
  }
  const interrupts = watchInterrupts();
  const surveyed = await survey(options, 'exclusive', interrupts.signal);
  const { reporter, hosts, lost, clock } = surveyed;
  try {
    reportChanges(surveyed);
    reportLost(reporter, lost);
    reporter.showPlan({ seconds: clock.elapsed(), hosts: summaries(surveyed, new Map()) });
    if ([...lost.values()].flat().some(isConfiguration)) {
      process.stderr.write('no changes made: fix the configuration first\n');
      return exitStatus.configuration;
    }
    if (file !== undefined && saved !== undefined) checkSaved(file, saved, surveyed);
    const changes = [...hosts.values()].reduce((sum, host) => sum + host.plan.changes.size, 0);
    const goesOn =
      changes === 0 ||
      options.yes === true ||
      saved !== undefined ||
      (await clock.pause(() => isConfirmed(interrupts.signal)));
    if (!goesOn) {
      process.stderr.write('no changes made\n');
      return exitStatus.failed;
    }
    await surveyed.project.generated.persist();
    return await carryOut(surveyed, options, interrupts);
  } finally {
    interrupts.close();
    reporter.close();
    await Promise.all([...hosts.values()].map(({ transport }) => transport.close()));
  }
}

/** `hostwright apply`: brings the hosts into the declared state. */
export function applyCommand(finish: (status: ExitStatus) => void): Command {
  return addRunOptions(new Command('apply'))
    .description('bring hosts into the declared state')
    .argument('[plan]', 'a plan saved with `plan --out`; applies exactly this plan, or nothing')
    .option('-y, --yes', 'apply without asking')
    .addOption(confirmOption())
    .action(async (file: string | undefined, options: ApplyOptions) => {
      finish(await apply(file, options));
    });
}
