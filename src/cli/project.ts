import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as api from '../index.ts';
import { readExtraVars, readingsOf } from '../inventory/extra.ts';
import { inventoryPath } from '../inventory/locate.ts';
import type { Inventory } from '../inventory/model.ts';
import { readInventory } from '../inventory/read.ts';
import { magicVariables, resolveVariables } from '../inventory/variables.ts';
import type { HostVariables } from '../roles/variables.ts';
import { identityFile, readIdentities } from '../secrets/identity.ts';
import { openGeneratedSecrets, type GeneratedSecrets } from '../secrets/generated.ts';
import { variableDecrypter } from '../inventory/decrypt.ts';
import { readSiteModel, type SiteModel } from '../site/model.ts';
import { createRenderer } from '../template/render.ts';

/** Hostwright's own folder, with the bundled roles, templates and example site. */
export const packageFolder = fileURLToPath(new URL('../..', import.meta.url));

export interface ProjectOptions {
  readonly inventory?: string;
  readonly site?: string;
  readonly extraVars?: readonly string[];
}

/** An inventory with the variables of every host resolved, and the site that belongs to it. */
export interface Project {
  readonly inventory: Inventory;
  readonly variables: ReadonlyMap<string, HostVariables>;
  readonly generated: GeneratedSecrets;
}

export async function readProject(options: ProjectOptions, environment: NodeJS.ProcessEnv): Promise<Project> {
  const path = inventoryPath(options.inventory, environment);
  const extraVars = await readExtraVars(options.extraVars ?? []);
  const inventory = await readInventory(path, { extraVars });
  const identity = identityFile(environment);
  const decrypt = variableDecrypter(() => readIdentities(identity));
  const render = createRenderer();
  const variables = new Map(
    await Promise.all(
      [...inventory.hosts.values()].map(async (host): Promise<[string, HostVariables]> => {
        const values = resolveVariables({
          vars: await decrypt(host.vars, host.places),
          places: host.places,
          magic: magicVariables(inventory, host),
          render: (text, data, place) => render({ text, file: place.file, data }),
        });
        return [host.name, { values, places: host.places, readings: readingsOf(values, host.places) }];
      }),
    ),
  );
  return { inventory, variables, generated: openGeneratedSecrets({ inventory: path, identity }) };
}

/** The nearest site.yml above the inventory, or Hostwright's own. */
function findSite(inventorySource: string): string {
  for (let folder = resolve(inventorySource); ; folder = dirname(folder)) {
    const candidate = join(folder, 'site.yml');
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return join(packageFolder, 'site.yml');
  }
}

/** The site.yml of a run, absolute. */
export function siteFile(project: Project, options: ProjectOptions): string {
  return options.site === undefined ? findSite(project.inventory.source) : resolve(options.site);
}

/** Reads and checks everything that needs no connection to a host. */
export async function readSiteOf(project: Project, options: ProjectOptions): Promise<SiteModel> {
  return await readSiteModel({
    file: siteFile(project, options),
    ...project,
    packageFolder,
    api,
    generate: (missing) => project.generated.generate(missing),
  });
}
