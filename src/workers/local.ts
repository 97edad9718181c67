import { applyPlay } from '../apply/host.ts';
import { preparePlay } from '../apply/prepare.ts';
import type { HostRun, WorkEvent } from '../apply/host-run.ts';
import { startStopwatch } from '../apply/stopwatch.ts';
import { openJournal } from '../apply/journal.ts';
import { newRecord, writeLast } from '../apply/record.ts';
import { defect, HostwrightError, HostwrightErrors, isExpected } from '../errors.ts';
import { hasApplied, type Applied } from '../plan/applied.ts';
import type { HostPlan } from '../plan/host-plan.ts';
import type { Facts, HostFacts, ReadBefore } from '../roles/role.ts';
import { createFingerprint } from '../plan/fingerprint.ts';
import { hostDigests } from '../plan/saved.ts';
import { meetHost, surveyHost, type MetHost, type Survey, type SurveyedHost } from '../plan/survey.ts';
import type { Transport } from '../transport/transport.ts';
import type { PlannedHost, RunSettings, Turn, Worker } from './worker.ts';

export interface LocalOptions {
  readonly settings: RunSettings;
  readonly connect: Survey['connect'];
  readonly resources: Survey['resources'];
  /** Default: the order of the inventory. */
  readonly ranks?: (host: string, facts: Facts, read: ReadBefore) => PlannedHost['ranks'];
  /** Default: nothing is. */
  readonly observations?: Survey['observations'];
  /** Default: nothing. */
  readonly serving?: Survey['serving'];
  readonly address: Survey['address'];
  readonly report: (event: WorkEvent) => void;
}

/** A planned host with work left to do. */
interface Host {
  readonly run: HostRun;
  readonly applied: Applied;
  readonly facts: HostFacts;
}

/** The connections of hosts, to be closed whichever way the run ends. */
interface Connections {
  readonly open: Survey['connect'];
  readonly all: () => readonly Transport[];
  readonly close: (host: string) => Promise<void>;
  readonly closeAll: () => Promise<void>;
}

function trackConnections(connect: Survey['connect']): Connections {
  const open = new Map<string, Transport>();
  let isClosed = false;
  const close = async (host: string): Promise<void> => {
    const transport = open.get(host);
    open.delete(host);
    await transport?.close();
  };
  return {
    open: async (host) => {
      const transport = await connect(host);
      open.set(host, transport);
      if (!isClosed) return transport;
      // The run has ended while this connection was being made.
      await close(host);
      throw new HostwrightError('E_CONNECT', 'the run has ended', { place: { host } });
    },
    all: () => [...open.values()],
    close,
    closeAll: async () => {
      isClosed = true;
      await Promise.allSettled([...open.keys()].map(close));
    },
  };
}

/** The plays in which a host is taken out of service. */
function drainPlays({ changes, drain }: HostPlan): readonly number[] {
  const costly = [...changes.values()].filter(({ id }) => drain?.changes.has(id) === true);
  return [...new Set(costly.map(({ resource }) => resource.play))];
}

/** A defect of ours, or of a type, that shows on one host says nothing of the others. */
function errorsOf(host: string, error: unknown): HostwrightErrors {
  if (error instanceof HostwrightErrors) return error;
  if (error instanceof HostwrightError) return new HostwrightErrors([error]);
  return new HostwrightErrors([defect('E_PROBE', `${host} cannot be planned`, { host }, error)]);
}

/** Works on hosts in this very process. */
export function localWorker(options: LocalOptions): Worker {
  const {
    settings,
    connect,
    resources,
    observations = () => [],
    serving = () => undefined,
    address,
    report,
  } = options;
  const connections = trackConnections(connect);
  const interruption = new AbortController();
  const fingerprint = settings.salt === undefined ? undefined : createFingerprint(settings.salt);
  const met = new Map<string, MetHost>();
  const hosts = new Map<string, Host>();
  const isWhole = settings.roles === undefined;

  const survey: Survey = {
    connect: connections.open,
    ...{ lock: settings.lock, diff: settings.diff, deep: settings.deep },
    ...{ resources, observations, serving, address, report },
    ...(settings.roles && { roles: settings.roles }),
    ...(settings.apply && { look: settings.run }),
  };

  /** Whether all is done with the host already. */
  const keep = (surveyed: SurveyedHost, confirmWithin: number): boolean => {
    const { plan, transport, login, applied, facts } = surveyed;
    if (plan.changes.size === 0 && newRecord(plan, { facts, isWhole }, applied, new Map()) === undefined)
      return true;
    const { signal } = interruption;
    const reconnect = (): Promise<Transport> => connect(plan.host);
    const stopwatch = startStopwatch(settings.run.start);
    const journal = openJournal(settings.run, login?.address);
    const host = { plan, transport, reconnect, login, confirmWithin, signal, report, stopwatch, journal };
    const run = { ...host, outcomes: new Map() };
    hosts.set(plan.host, { run, applied, facts });
    return false;
  };

  const planned = (surveyed: SurveyedHost, ranks: PlannedHost['ranks'], isDone: boolean): PlannedHost => ({
    ranks,
    drains: drainPlays(surveyed.plan),
    resources: surveyed.plan.resources.length,
    events: surveyed.events,
    remarks: surveyed.remarks,
    ...(fingerprint && { digests: hostDigests(surveyed.plan, fingerprint) }),
    roundTrips: surveyed.transport.roundTrips,
    isDone,
  });

  const turn = async (name: string, work: (host: Host) => Promise<void>): Promise<Turn> => {
    const host = hosts.get(name);
    if (host === undefined) return {};
    try {
      await work(host);
      return { roundTrips: host.run.transport.roundTrips };
    } catch (error) {
      const lost = isExpected(error)
        ? errorsOf(name, error).errors[0]
        : defect('E_REMOTE', 'work on the host cannot continue', { host: name }, error);
      return { roundTrips: host.run.transport.roundTrips, ...(lost && { lost }) };
    }
  };

  return {
    async observe(name) {
      try {
        const host = await meetHost(name, survey);
        met.set(name, host);
        return host.observed;
      } catch (error) {
        await connections.close(name);
        throw errorsOf(name, error);
      }
    },
    async plan(name, observed) {
      try {
        const host = met.get(name) ?? (await meetHost(name, survey));
        met.delete(name);
        const read = { observed, applied: hasApplied(host.applied) };
        const surveyed = await surveyHost(name, host, survey, read);
        const ranks = options.ranks?.(name, host.known, read) ?? new Map<number, number>();
        const { apply } = settings;
        if (apply !== undefined) return planned(surveyed, ranks, keep(surveyed, apply.confirmWithin));
        // A plan alone needs no connection any more: a thousand of them would take memory, here and on the hosts.
        await connections.close(name);
        return planned(surveyed, ranks, surveyed.plan.changes.size === 0);
      } catch (error) {
        await connections.close(name);
        throw errorsOf(name, error);
      }
    },
    preparePlay: (name, play) => turn(name, ({ run }) => preparePlay(run, play)),
    applyPlay: (name, play) => turn(name, ({ run }) => applyPlay(run, play)),
    recordApplied: (name) =>
      turn(name, async ({ run: { plan, transport, outcomes, journal, stopwatch }, applied, facts }) => {
        hosts.delete(name);
        const record = newRecord(plan, { facts, isWhole }, applied, outcomes);
        const isInterrupted = interruption.signal.aborted;
        const note = journal.end(outcomes, { ms: stopwatch.now(), isInterrupted });
        const trouble = await writeLast(transport, record, note);
        if (trouble !== undefined)
          report({
            ...{ type: 'notice', host: name },
            text: `the journal of the host, which hostwright history shows, cannot be written: ${trouble}`,
          });
      }),
    stop() {
      interruption.abort();
      for (const transport of connections.all()) transport.stop();
    },
    close: connections.closeAll,
  };
}
