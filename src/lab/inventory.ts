import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { stringify } from 'yaml';
import { defaultSubnet, hostAddresses, labFolders } from './settings.ts';
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
 * Writes the inventory of this lab, with the variables of `inventory/lab` in the project; addresses of the
 * default lab in them become those of this one. Files that are there otherwise, such as generated secrets,
 * stay: the hosts know them.
 * @param source the folder inventory/lab of the project
 */
export async function writeInventory(
  settings: LabSettings,
  state: LabState,
  source: string,
): Promise<string> {
  const { inventory: folder } = labFolders(settings);
  await mkdir(folder, { recursive: true });
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile() && one.name !== 'generated.yml')) {
    const target = join(folder, relative(source, entry.parentPath), entry.name);
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text.replaceAll(`${defaultSubnet}.`, `${settings.subnet}.`));
  }
  await writeFile(join(folder, 'hosts.yml'), inventoryText(settings, state.hosts));
  return folder;
}
