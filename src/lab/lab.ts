import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HostwrightError } from '../errors.ts';
import { ensureAcme } from './acme.ts';
import { ensureAuthority, readAuthority } from './authority.ts';
import { baseFolder, ensureBase } from './base.ts';
import { cgroupPath, endCgroup } from './cgroup.ts';
import { ensureDns } from './dns.ts';
import { awaitHost, emptyHost, hostFolders, hostRecord, isBare, startHost, stopHost } from './host.ts';
import { writeInventory } from './inventory.ts';
import { withLock } from './lock.ts';
import { readMirror } from './mirror.ts';
import type { Mirror } from './mirror.ts';
import { checkSubnet, ensureBridge, removeBridge } from './network.ts';
import { ensurePackages } from './packages.ts';
import { findProcess, stopProcess } from './process.ts';
import type { Progress } from './progress.ts';
import { ensureProxy, releaseProxy } from './proxy.ts';
import { planLab } from './request.ts';
import type { LabRequest } from './request.ts';
import { checkMachine, checkUser } from './requirements.ts';
import { ensureSeed } from './seed.ts';
import { labFolders } from './settings.ts';
import type { LabSettings, Release } from './settings.ts';
import { ensureUserKey, writeKnownHosts } from './ssh.ts';
import { labNames, readState, standing, writeState } from './state.ts';
import type { LabHost, LabState } from './state.ts';

export interface LabContext {
  readonly progress: Progress;
  /** For pebble's own settings, `PEBBLE_…`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The folder inventory/lab of the project. */
  readonly inventory: string;
}

/**
 * Creates the lab as requested, or starts the missing parts; returns the folder of its inventory. E_LAB,
 * before any change, when the machine cannot run it.
 */
export async function up(settings: LabSettings, request: LabRequest, context: LabContext): Promise<string> {
  checkUser();
  const mirror = await prepare(settings, request, context);
  return await withLock(settings, `lab-${settings.name}`, async () => {
    const authority = await ensureAuthority(settings);
    const baseOf = (release: Release): string => baseFolder(settings, release, authority);
    const planned = planLab(settings, await readState(settings), request, baseOf);
    const state = { ...planned, hosts: planned.hosts.map((host) => onBase(settings, host, baseOf)) };
    return await converge(settings, state, state.hosts, { mirror, authority, context });
  });
}

/** Resets the named hosts, or all, to a bare Debian with the same keys. */
export async function reset(
  asked: LabSettings,
  names: readonly string[],
  context: LabContext,
): Promise<void> {
  checkUser();
  const settings = standing(asked, await readState(asked));
  const mirror = await prepare(settings, {}, context);
  await withLock(settings, `lab-${settings.name}`, async () => {
    const current = await readState(settings);
    const known = current?.hosts.map(({ name }) => name) ?? [];
    const stranger = names.find((name) => !known.includes(name));
    if (current === undefined || stranger !== undefined) throw noSuchHost(settings, stranger, known);
    const authority = await ensureAuthority(settings);
    const chosen = (host: LabHost): boolean => names.length === 0 || names.includes(host.name);
    await Promise.all(
      current.hosts.filter(chosen).map(async ({ name }) => {
        await stopHost(settings, name);
        await emptyHost(settings, name);
      }),
    );
    const hosts = current.hosts.map((host) =>
      chosen(host) ? onBase(settings, host, (release) => baseFolder(settings, release, authority)) : host,
    );
    await converge(settings, { ...current, hosts }, hosts.filter(chosen), { mirror, authority, context });
  });
}

/** Stops and removes everything of the lab but base trees, package cache and logs. */
export async function down(
  settings: LabSettings,
  options: { purge: boolean },
  progress: Progress,
): Promise<void> {
  checkUser();
  if (existsSync(settings.root)) {
    await withLock(settings, `lab-${settings.name}`, async () => {
      const { home, run } = labFolders(settings);
      await endCgroup(cgroupPath(settings));
      for (const record of await readdir(run).catch(() => [])) await stopProcess(join(run, record));
      await removeBridge(settings);
      await rm(home, { recursive: true, force: true });
      await releaseProxy(settings);
    });
  }
  progress(`lab "${settings.name}" is down`);
  if (options.purge) await purge(settings);
}

async function purge(settings: LabSettings): Promise<void> {
  const others = await labNames(settings);
  if (others.length === 0) {
    await rm(settings.root, { recursive: true, force: true });
    return;
  }
  throw new HostwrightError('E_LAB', 'other labs use the base systems and the package cache', {
    found: others.join(', '),
    hint: others.map((name) => `HOSTWRIGHT_LAB=${name} hostwright lab down`).join('; '),
  });
}

/** Checks everything that can be checked without touching the machine, then installs what is missing. */
async function prepare(
  settings: LabSettings,
  request: LabRequest,
  { progress }: LabContext,
): Promise<Mirror> {
  const authority = await readAuthority(settings);
  const baseOf = (release: Release): string =>
    authority === undefined ? '' : baseFolder(settings, release, authority);
  const { hosts } = planLab(settings, await readState(settings), request, baseOf);
  const bases = new Set(
    hosts.map(({ release }) => release).filter((release) => !existsSync(baseOf(release))),
  );
  const fresh = hosts.filter(({ name }) => isBare(settings, name));
  await checkMachine(settings, { hosts: fresh.length, bases: bases.size });
  await checkSubnet(settings);
  const mirror = await readMirror();
  await ensurePackages(settings, progress);
  // Once more, for a machine that had no ip(8) before.
  await checkSubnet(settings);
  return mirror;
}

/** A bare host takes the base tree of today; one with a past cannot do without its own. */
function onBase(settings: LabSettings, host: LabHost, baseOf: (release: Release) => string): LabHost {
  if (isBare(settings, host.name)) return { ...host, base: baseOf(host.release) };
  if (existsSync(host.base)) return host;
  throw new HostwrightError('E_LAB', 'the base system of a host is missing', {
    place: { host: host.name },
    found: `no folder ${host.base}`,
    hint: `\`hostwright lab reset ${host.name}\` resets the host, with a new base system`,
  });
}

interface Means {
  readonly mirror: Mirror;
  readonly authority: string;
  readonly context: LabContext;
}

async function converge(
  settings: LabSettings,
  state: LabState,
  hosts: readonly LabHost[],
  { mirror, authority, context }: Means,
): Promise<string> {
  const { progress } = context;
  // From here on the shared package cache counts this lab as one that needs it.
  await writeState(settings, state);
  await ensureBridge(settings);
  await ensureProxy(settings, mirror);
  await ensureUserKey(settings);
  const releases = [...new Set(hosts.filter(({ base }) => !existsSync(base)).map(({ release }) => release))];
  const bases = Promise.all(releases.map((release) => ensureBase(settings, release, authority, progress)));
  const services = ensureDns(settings, state).then(() => ensureAcme(settings, context.environment));
  const seeds = Promise.all(state.hosts.map((host) => seedHost(settings, host)));
  await Promise.all([bases, services, seeds]);
  await writeKnownHosts(settings, state.hosts, (host) => join(hostFolders(settings, host).seed, 'etc/ssh'));
  await Promise.all(hosts.map((host) => bootHost(settings, host, progress)));
  return await writeInventory(settings, state, context.inventory);
}

/** The layer under a running host must not change. */
async function seedHost(settings: LabSettings, host: LabHost): Promise<void> {
  const running = await findProcess(hostRecord(settings, host.name));
  if (running === undefined) await ensureSeed(settings, host, hostFolders(settings, host.name).seed);
}

async function bootHost(settings: LabSettings, host: LabHost, progress: Progress): Promise<void> {
  const began = performance.now();
  const bare = isBare(settings, host.name);
  await startHost(settings, host);
  await awaitHost(settings, host, bare, progress);
  progress(
    `${host.name} is up: Debian ${host.release}, ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
}

function noSuchHost(
  settings: LabSettings,
  name: string | undefined,
  known: readonly string[],
): HostwrightError {
  if (name === undefined) {
    return new HostwrightError('E_LAB', `the lab "${settings.name}" does not exist`, {
      hint: '`hostwright lab up` creates it',
    });
  }
  return new HostwrightError('E_USAGE', 'unknown lab host', {
    found: name,
    expected: known.join(', '),
    hint: '`hostwright lab status` lists the hosts',
  });
}
