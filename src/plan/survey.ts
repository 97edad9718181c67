import { HostwrightError, HostwrightErrors } from '../errors.ts';
import type { ChangeEvent, RemarkEvent, RunOrigin, StepEvent } from './event.ts';
import { readFunction } from '../resources/shell/read.ts';
import type { Serving } from '../resources/drain.ts';
import { pathOf } from '../resources/path.ts';
import type { DeclaredResource } from '../resources/resource.ts';
import { Unreadable, type Actual, type ResourceId } from '../resources/state.ts';
import type { Facts, HostFacts, Observation, ReadBefore } from '../roles/role.ts';
import { lines, sh } from '../transport/shell.ts';
import { ask } from '../transport/ask.ts';
import type { Section } from '../transport/sections.ts';
import type { Lock, Transport } from '../transport/transport.ts';
import { parseApplied, readApplied, type Applied } from './applied.ts';
import { lookNote } from './journal.ts';
import { causes } from './cause.ts';
import { changeEvent, type Background } from './describe.ts';
import { planDrain } from './drain.ts';
import { factsScript, parseFacts, steadyFacts } from './facts.ts';
import { orderNodes } from './graph.ts';
import { refuseLockout } from './lockout.ts';
import { mountsProbe, parseMounts } from './mounts.ts';
import { findPackages, packagesToFind, unlistedPackages } from './package-lists.ts';
import type { HostPlan, PlannedChange } from './host-plan.ts';
import { planHost } from './plan.ts';
import { parseProbes, probeBatches } from './probe.ts';
import { askFor, openRequirements, unmetErrors, type Open } from './unmet.ts';

/** A file of this many bytes or more has no diff. */
const largestText = 1024 * 1024;

export interface Survey {
  readonly connect: (host: string) => Promise<Transport>;
  readonly lock: Lock;
  /** The run is to change hosts, and notes on each that it has looked. */
  readonly look?: RunOrigin;
  /** Read the files that change, to show what changes in them. */
  readonly diff: boolean;
  /** What all roles of the host declare. */
  readonly resources: (host: string, facts: Facts, read: ReadBefore) => readonly DeclaredResource[];
  /** What is to be read of a host before the resources of any are made. */
  readonly observations: (host: string) => readonly Observation[];
  /** What a host serves that others serve too. */
  readonly serving: (host: string) => Serving | undefined;
  /** The roles that are planned; left out: all. */
  readonly roles?: readonly string[];
  /** The address that the inventory gives a host. */
  readonly address: (host: string) => string | undefined;
  /** Look at what takes seconds to read, too. */
  readonly deep: boolean;
  readonly report: (event: StepEvent) => void;
}

/** A host with its open connection, its plan, and the plan as it is shown. */
export interface SurveyedHost {
  readonly transport: Transport;
  /** Who it was opened as, and from where. */
  readonly login: Facts['connection'];
  readonly plan: HostPlan;
  readonly events: readonly ChangeEvent[];
  readonly remarks: readonly RemarkEvent[];
  /** What was last applied to it. */
  readonly applied: Applied;
  /** What the roles were given. */
  readonly facts: HostFacts;
}

/** What these roles declare, without what it needs of others. */
function declaredBy(
  roles: readonly string[],
  resources: readonly DeclaredResource[],
): readonly DeclaredResource[] {
  const kept = resources.filter((resource) => roles.includes(resource.role));
  const ids = new Set<ResourceId>(kept.map((resource) => resource.id));
  return kept.map((resource) => ({ ...resource, needs: resource.needs.filter((id) => ids.has(id)) }));
}

/** What types have to say of what they found, and of what earlier changes will make of it. */
function remarksOf(
  host: string,
  resources: readonly DeclaredResource[],
  found: ReadonlyMap<ResourceId, Actual>,
  { changes }: HostPlan,
): readonly RemarkEvent[] {
  return resources.flatMap(({ id, role, type }) => {
    const actual = changes.get(id)?.actual ?? found.get(id) ?? null;
    if (actual === null || actual instanceof Unreadable) return [];
    const texts = type.comparison?.remarks?.(actual) ?? [];
    return texts.map((text): RemarkEvent => ({ type: 'remark', host, role, resource: id, text }));
  });
}

/** Text that a diff shows what changes in. */
interface Wanted {
  readonly id: ResourceId;
  readonly path: string;
}

function wantedTexts(changes: readonly PlannedChange[]): readonly Wanted[] {
  return changes.flatMap((change) => {
    const text = change.resource.type.files?.text?.(change.desired);
    const differs = change.attributes.some((attribute) => attribute.name === 'content');
    const isFile = change.actual?.['kind'] === 'file';
    const path = pathOf(change.resource);
    const isText = text !== undefined && text !== null;
    return isText && differs && isFile && path !== undefined ? [{ id: change.id, path }] : [];
  });
}

/**
 * The texts of the files that are to change, what changes need that nothing brings, and packages that no source
 * has, in one more round trip where there is any of it. Throws E_REFUSED, for all that is not there.
 */
async function readMore(
  transport: Transport,
  wanted: readonly Wanted[],
  open: readonly Open[],
  packages: readonly string[],
): Promise<Background> {
  const texts = wanted.map(({ path }) => ({
    script: lines([readFunction, sh`hw_read_file ${path} 0 ${largestText}`]),
  }));
  if (texts.length + open.length + packages.length === 0) return { texts: new Map(), remarks: new Map() };
  const sections = [...texts, askFor(open), findPackages(packages)];
  const answers = await ask(transport, sections);
  const [missing, unlisted] = answers.slice(texts.length).map(({ stdout }) => stdout);
  const errors = unmetErrors(transport.host, open, missing ?? Buffer.alloc(0));
  if (errors.length > 0) throw new HostwrightErrors(errors);
  const read = wanted.flatMap(({ id }, index) => {
    const answer = answers[index];
    // A diff with a part of a file would say something else.
    const isWhole = answer?.code === 0 && answer.stdout.length < largestText;
    return isWhole ? [[id, answer.stdout] as const] : [];
  });
  return { texts: new Map(read), remarks: unlistedPackages(unlisted ?? Buffer.alloc(0)) };
}

/** In one section: each costs a host a process. */
function lookAndReadApplied(origin: RunOrigin): Section {
  return { script: lines([lookNote({ ...origin, verb: 'apply' }), readApplied.script]) };
}

/** A host that has answered for the first time, and is locked. */
export interface MetHost {
  readonly transport: Transport;
  readonly known: Facts;
  readonly applied: Applied;
  /** Answers by the name of the observation. */
  readonly observed: ReadonlyMap<string, string>;
}

/**
 * Connects to a host, takes its lock and reads what is known before its resources are made. Throws the
 * HostwrightError of what is wrong with the host. The caller closes the connection.
 */
export async function meetHost(host: string, options: Survey): Promise<MetHost> {
  options.report({ type: 'step', host, title: 'connect' });
  try {
    const transport = await options.connect(host);
    const { lock } = options;
    const observations = options.observations(host);
    const first = [
      { script: factsScript(lock.mode) },
      options.look === undefined ? readApplied : lookAndReadApplied(options.look),
      ...observations.map(({ script }) => ({ script })),
    ];
    const [facts, record, ...answers] = await ask(transport, first, { lock });
    if (facts === undefined || record === undefined)
      throw new HostwrightError('E_REMOTE', `${host} gave no answer`, { place: { host } });
    const applied = parseApplied(record.stdout);
    const known = steadyFacts(parseFacts(host, facts), applied.facts ?? {}, options.address(host));
    const observed = observations.flatMap(({ name }, index): [string, string][] => {
      const answer = answers[index];
      return answer?.code === 0 ? [[name, answer.stdout.toString('utf8')]] : [];
    });
    return { transport, known, applied, observed: new Map(observed) };
  } finally {
    options.report({ type: 'step', host, title: null });
  }
}

/**
 * Plans a host that was met; nothing is changed. Throws the HostwrightError, or HostwrightErrors, of what is wrong
 * with the host or with what is declared for it. The caller closes the connection.
 */
export async function surveyHost(
  host: string,
  { transport, known, applied }: MetHost,
  options: Survey,
  read: ReadBefore,
): Promise<SurveyedHost> {
  try {
    const { connection: login, ...ofHost } = known;
    const declare = (facts: Facts): readonly DeclaredResource[] => options.resources(host, facts, read);
    const declared = declare(known);
    const selected = options.roles === undefined ? declared : declaredBy(options.roles, declared);
    const resources = selected.filter(({ type }) => options.deep || type.comparison?.deep !== true);
    refuseLockout(host, resources, login);
    const nodes = orderNodes(host, resources);
    options.report({ type: 'step', host, title: `read ${resources.length} resources` });
    const batches = probeBatches(resources, declared);
    const sections = [...batches.map(({ probe }) => probe), mountsProbe];
    const answers = await ask(transport, sections);
    const mounts = parseMounts(answers.at(-1)?.stdout ?? Buffer.alloc(0));
    const found = parseProbes(batches, answers);
    const planned = planHost(host, resources, nodes, found, mounts, declared);
    const changes = [...planned.changes.values()];
    const drain = planDrain(options.serving(host), changes);
    const plan = drain === undefined ? planned : { ...planned, drain };
    const showable = changes.filter(({ id }) => applied.resources.get(id)?.isSecret !== true);
    const wanted = options.diff ? wantedTexts(showable) : [];
    const more = await readMore(transport, wanted, openRequirements(plan), packagesToFind(plan));
    const causeOf = causes({ applied, facts: known, declare });
    const events = changes.map((change) => changeEvent(host, change, causeOf(change), more, drain));
    const remarks = remarksOf(host, resources, found, plan);
    return { transport, login, plan, applied, facts: ofHost, events, remarks };
  } finally {
    options.report({ type: 'step', host, title: null });
  }
}
