import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { hostAddresses, labFolders } from './settings.ts';
import type { LabSettings } from './settings.ts';
import { knownHosts, userKey } from './ssh.ts';
import type { LabState } from './state.ts';

/** Which hosts are in a group of the compact site, by their numbers. */
const groups: Readonly<Record<string, (number: number) => boolean>> = {
  lb: (number) => number === 1,
  web: () => true,
  app: () => true,
  db: (number) => number === 2 || number === 3,
  monitoring: (number) => number === 1,
};

/** The inventory of a lab as text; the one of the default lab is committed as inventory/lab/hosts.yml. */
export function inventoryText(
  settings: LabSettings,
  hosts: readonly { name: string; number: number }[],
): string {
  const members = (belongs: (number: number) => boolean) => ({
    hosts: Object.fromEntries(hosts.filter(({ number }) => belongs(number)).map(({ name }) => [name, null])),
  });
  const inventory = {
    all: {
      hosts: Object.fromEntries(
        hosts.map(({ name, number }) => [name, { ansible_host: hostAddresses(settings, number).address }]),
      ),
      vars: {
        ansible_user: 'admin',
        ansible_become: true,
        ansible_ssh_private_key_file: userKey(settings),
        ansible_ssh_common_args: `-o UserKnownHostsFile=${knownHosts(settings)}`,
      },
      children: Object.fromEntries(Object.entries(groups).map(([name, belongs]) => [name, members(belongs)])),
    },
  };
  const heading = '# The hosts of `hostwright lab up`, in the compact layout.\n';
  return heading + stringify(inventory, { nullStr: '', lineWidth: 0 });
}

/**
 * Writes the inventory of this lab, with the variables of `inventory/lab` in the project.
 * @param source the folder inventory/lab of the project
 */
export async function writeInventory(
  settings: LabSettings,
  state: LabState,
  source: string,
): Promise<string> {
  const { inventory: folder } = labFolders(settings);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const entry of await readdir(source)) {
    if (entry !== 'hosts.yml') await cp(join(source, entry), join(folder, entry), { recursive: true });
  }
  await writeFile(join(folder, 'hosts.yml'), inventoryText(settings, state.hosts));
  return folder;
}
