import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { labFolders, releases } from './settings.ts';
import type { LabSettings } from './settings.ts';

const schema = z.object({
  subnet: z.string(),
  hosts: z.array(
    z.object({
      name: z.string(),
      number: z.number().int().positive(),
      release: z.enum(releases),
      /** The base tree it was made from: a later base must not slip under its changes. */
      base: z.string(),
    }),
  ),
  /** Names that the lab's name server knows, with the host or the address each one leads to. */
  domains: z.record(z.string(), z.string()),
});

/** What `up` was asked to make; it outlives a crash and a reboot of the machine. */
export type LabState = z.output<typeof schema>;
export type LabHost = LabState['hosts'][number];

const file = (settings: LabSettings): string => join(labFolders(settings).home, 'lab.json');

/** undefined when there is no such lab. */
export async function readState(settings: LabSettings): Promise<LabState | undefined> {
  const text = await readFile(file(settings), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : schema.parse(JSON.parse(text));
}

/** The settings of a lab that is there, whose subnet need not be said again. */
export function standing(asked: LabSettings, state: LabState | undefined): LabSettings {
  return state === undefined ? asked : { ...asked, subnet: state.subnet };
}

export async function writeState(settings: LabSettings, state: LabState): Promise<void> {
  await mkdir(labFolders(settings).home, { recursive: true });
  await writeFile(`${file(settings)}.new`, `${JSON.stringify(state, null, 2)}\n`);
  await rename(`${file(settings)}.new`, file(settings));
}

/** Names of the labs that are up, or were when the machine went down. */
export async function labNames(settings: LabSettings): Promise<readonly string[]> {
  const folders = await readdir(settings.root).catch(() => []);
  const found = await Promise.all(
    folders.map(async (name) => ((await readState({ ...settings, name })) === undefined ? [] : [name])),
  );
  return found.flat();
}
