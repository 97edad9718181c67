import { HostwrightError } from '../../../src/errors.ts';
import { readApplied, writeApplied } from '../../../src/plan/applied.ts';
import { factsScript } from '../../../src/plan/facts.ts';
import { beginNote } from '../../../src/plan/journal.ts';
import { mountsProbe } from '../../../src/plan/mounts.ts';
import type { ResourceId, State } from '../../../src/resources/state.ts';
import type { Answer, Request, Transport } from '../../../src/transport/transport.ts';
import { origin } from '../../report/terminal.ts';
import { instructionSchema, type Asked, type Instruction } from './types.ts';
import {
  become,
  copyOf,
  install,
  makeDirectory,
  purge,
  readBelow,
  remove,
  write,
  type World,
} from './world.ts';

/** Where the connection breaks: at which request, and after how much of it was done on the host. */
export interface Loss {
  readonly request: number;
  readonly done: 'nothing' | 'half' | 'all';
}

/** What one request changed, in order. */
export type Done = readonly ResourceId[];

interface HostOptions {
  /** Its name; default web1. */
  readonly host?: string;
  /** Its step fails. */
  readonly broken?: ResourceId;
  /** Its step does nothing and says that all went well. */
  readonly idle?: ResourceId;
  readonly loss?: Loss | undefined;
}

export interface ModelHost extends Transport {
  readonly log: readonly Done[];
}

interface Received {
  readonly script: string;
  readonly stdin: Buffer;
}

/** What sectionsRequest put together. */
function sectionsOf({ script, stdin = new Uint8Array() }: Request): readonly Received[] {
  const bytes = Buffer.from(stdin);
  let at = 0;
  const take = (length: number): Buffer => bytes.subarray(at, (at += length));
  const inputs = new Map(
    [...script.text.matchAll(/^head -c (\d+) >"\$hw_work\/"(\d+)\.in /gm)].map(
      ([, length, number]) => [number, take(Number(length))] as const,
    ),
  );
  const sections = script.text.matchAll(/^hw_section (\d+) \S+ ((?:'[^']*'|\\'|[^'\s])+)$/gm);
  return [...sections].map(([, number, words = '']) => ({
    script: words.replaceAll(/'([^']*)'|\\(')/g, '$1$2'),
    stdin: inputs.get(number) ?? Buffer.alloc(0),
  }));
}

function instructionOf(script: string): Instruction {
  const text = /^model '(.*)'$/s.exec(script)?.[1];
  if (text === undefined) throw new Error(`the model does not know this script:\n${script}`);
  return instructionSchema.parse(JSON.parse(text));
}

function stateOf(world: World, type: string, item: Asked): State | string | null {
  const { path = '', name = '', server = '', key = '', reads } = item;
  if (type === 'path') return world.entries.get(path) ?? null;
  if (type === 'package') return world.packages.has(name) ? { installed: true } : null;
  if (type === 'record') {
    if (world.daemons.get(server)?.running !== true) return `${server} does not run`;
    const value = world.records.get(`${server}/${key}`);
    return value === undefined ? null : { value };
  }
  const daemon = world.daemons.get(name);
  if (daemon === undefined) return null;
  const isDue = daemon.running && daemon.loaded !== readBelow(world, reads);
  return { running: daemon.running, enabled: daemon.enabled, reload: isDue ? 'due' : 'not due' };
}

function serviceStep(world: World, step: Extract<Instruction, { readonly do: 'service' }>): void {
  const daemon = world.daemons.get(step.name);
  if (daemon === undefined) throw new Error(`there is no service ${step.name}`);
  daemon.enabled = step.enabled;
  if (step.turn === 'stop') daemon.running = false;
  if (step.turn === 'start') daemon.running = true;
  if (step.turn === 'reload' && !daemon.running) throw new Error(`${step.name} does not run`);
  if (step.turn === 'start' || step.turn === 'reload') daemon.loaded = readBelow(world, step.reads);
}

function documentStep(
  world: World,
  { path, text }: { readonly path: string; readonly text: string | null },
): void {
  if (text === null && world.entries.get(path)?.kind === 'document') return;
  write(world, path, text ?? '');
}

function directoryStep(world: World, path: string): void {
  if (world.entries.get(path)?.kind !== 'directory') remove(world, path);
  makeDirectory(world, path);
}

function recordStep(world: World, step: Extract<Instruction, { readonly do: 'record' }>): void {
  const key = `${step.server}/${step.key}`;
  if (world.daemons.get(step.server)?.running !== true) throw new Error(`${step.server} does not run`);
  if ((world.records.get(key) ?? null) === step.value) throw new Error(`${key} is as it should be`);
  if (step.value === null) world.records.delete(key);
  else world.records.set(key, step.value);
}

type Faults = Pick<HostOptions, 'broken' | 'idle'>;

/** Gives what the script prints. What there is nothing to do for must not be asked. */
function carryOut(world: World, step: Instruction, { broken, idle }: Faults): string {
  if (broken !== undefined && step.ids.includes(broken)) throw new Error(`${broken} is broken`);
  if (idle !== undefined && step.ids.includes(idle)) return '';
  switch (step.do) {
    case 'probe':
      return JSON.stringify(step.items.map((item) => stateOf(world, step.type, item)));
    case 'document':
      documentStep(world, step);
      break;
    case 'directory':
      directoryStep(world, step.path);
      break;
    case 'remove':
      if (!world.entries.has(step.path)) throw new Error(`there is no ${step.path} to remove`);
      remove(world, step.path);
      break;
    case 'packages':
      step.purge.forEach((name) => {
        purge(world, name);
      });
      step.install.forEach((name) => {
        install(world, name);
      });
      break;
    case 'service':
      serviceStep(world, step);
      break;
    case 'record':
      recordStep(world, step);
      break;
  }
  return '';
}

/** A transaction as transactionSection writes it: files in a copy, then for real, then the service or all back. Or the copy alone. */
function transact(world: World, { script, stdin }: Received, faults: Faults): readonly ResourceId[] {
  let at = 0;
  const parts = [...script.matchAll(/^head -c (\d+) >"\$HW\/"(\S+)$/gm)].map(([, size, name = '']) => {
    const text = stdin.subarray(at, at + Number(size)).toString();
    at += Number(size);
    return { name, text };
  });
  const files = parts
    .filter(({ name }) => /^file\.\d+\.sh$/.test(name))
    .map(({ text }) => instructionOf(text));
  const service = parts.find(({ name }) => name === 'service.sh');
  const before = copyOf(world);
  const rehearsal = copyOf(world);
  for (const file of files) carryOut(rehearsal, file, faults);
  if (!script.includes('write-all.sh')) return [];
  for (const file of files) carryOut(world, file, faults);
  const last = service === undefined ? [] : [instructionOf(service.text)];
  try {
    for (const step of last) carryOut(world, step, faults);
  } catch (error) {
    become(world, before);
    throw error;
  }
  return [...files, ...last].flatMap(({ ids }) => ids);
}

interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What sectionsRequest prints: what each section came to, then what they printed. */
function framed(sections: readonly Printed[]): Buffer {
  const headers = sections.map(
    ({ code, stdout, stderr }) => `${code} ${Buffer.byteLength(stdout)} ${Buffer.byteLength(stderr)}\n`,
  );
  const bodies = sections.map(({ stdout, stderr }) => stdout + stderr);
  return Buffer.from([...headers, ...bodies].join(''));
}

/** How a note for the journal begins. */
const noteScript = beginNote({ ...origin(), verb: 'apply' }, true, []).script.text;

/** What the host says to scripts of the engine that are about no resource. */
const ownScripts: ReadonlyMap<string, string> = new Map([
  [factsScript('exclusive').text, 'architecture=amd64\nmemory=1024\n'],
  [readApplied.script.text, ''],
  [writeApplied({ resources: new Map() }).script.text, ''],
  [mountsProbe.script.text, ''],
  ['', ''],
]);

/** A transport to the host of the model, which interprets the requests that planning and applying send. */
export function modelHost(world: World, { host = 'web1', loss, ...faults }: HostOptions = {}): ModelHost {
  const log: Done[] = [];
  const run = (section: Received, done: ResourceId[]): Printed => {
    // What the first request of an apply reads comes behind a note.
    const own = ownScripts.get(section.script.replace(/^umask 077\n\{ printf .* \|\| :\n(?=cat )/s, ''));
    if (own !== undefined) return { code: 0, stdout: own, stderr: '' };
    if (section.script.startsWith(noteScript)) return { code: 0, stdout: '', stderr: '' };
    try {
      if (section.script.includes('rehearse.sh')) {
        done.push(...transact(world, section, faults));
        return { code: 0, stdout: '', stderr: '' };
      }
      const instruction = instructionOf(section.script);
      const printed = carryOut(world, instruction, faults);
      done.push(...instruction.ids);
      return { code: 0, stdout: printed, stderr: '' };
    } catch (error) {
      return { code: 1, stdout: '', stderr: error instanceof Error ? error.message : String(error) };
    }
  };
  return {
    host,
    log,
    get roundTrips() {
      return log.length;
    },
    stream: () => Promise.reject(new Error('not asked for')),
    stop: () => undefined,
    close: () => Promise.resolve(),
    request: (request): Promise<Answer> => {
      const sections = sectionsOf(request);
      const isLost = loss !== undefined && log.length >= loss.request;
      const share = { nothing: 0, half: Math.ceil(sections.length / 2), all: sections.length };
      const done: ResourceId[] = [];
      const answers = sections
        .slice(0, isLost ? share[loss.done] : sections.length)
        .map((section) => run(section, done));
      log.push(done);
      if (isLost) return Promise.reject(new HostwrightError('E_CONNECT', 'the connection was lost'));
      return Promise.resolve({ code: 0, stdout: framed(answers), stderr: Buffer.alloc(0) });
    },
  };
}
