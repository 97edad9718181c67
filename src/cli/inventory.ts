import { Command } from 'commander';
import { HostwrightError } from '../errors.ts';
import { readExtraVars } from '../inventory/extra.ts';
import { inventoryPath } from '../inventory/locate.ts';
import type { Inventory } from '../inventory/model.ts';
import { selectHosts, type Selection } from '../inventory/pattern.ts';
import { readInventory } from '../inventory/read.ts';
import { hostTable, inventoryGraph, inventoryJson } from '../inventory/show.ts';
import { addSelectionOptions, extraVarsOption, inventoryOption } from './options.ts';

export interface InventoryCommandContext {
  readonly write: (text: string) => void;
  readonly environment: NodeJS.ProcessEnv;
}

interface Options {
  readonly inventory?: string;
  readonly extraVars?: readonly string[];
}

interface ListOptions extends Options, Selection {
  readonly json?: true;
}

const surroundings: InventoryCommandContext = {
  write: (text) => {
    process.stdout.write(text);
  },
  environment: process.env,
};

async function read(options: Options, { environment }: InventoryCommandContext): Promise<Inventory> {
  const extraVars = await readExtraVars(options.extraVars ?? []);
  return await readInventory(inventoryPath(options.inventory, environment), { extraVars });
}

function verb(name: string, summary: string): Command {
  return new Command(name).description(summary).addOption(inventoryOption()).addOption(extraVarsOption());
}

/** `hostwright inventory list | graph`. Rejects with HostwrightError or HostwrightErrors. */
export function inventoryCommand(context: InventoryCommandContext = surroundings): Command {
  const list = addSelectionOptions(verb('list', 'list hosts with their addresses and groups'))
    .option('--json', 'print groups and variables in the format of ansible-inventory --list')
    .action(async (options: ListOptions) => {
      const given = (['limit', 'shard'] as const).find((name) => options[name] !== undefined);
      if (options.json === true && given !== undefined) {
        const hint = `remove --${given}, or --json`;
        throw new HostwrightError('E_USAGE', '--json always lists the whole inventory', {
          found: `--${given}`,
          hint,
        });
      }
      const inventory = await read(options, context);
      context.write(
        options.json === true
          ? inventoryJson(inventory)
          : hostTable(await selectHosts(inventory, 'all', options)),
      );
    });
  const graph = verb('graph', 'show the tree of groups and hosts, in the format of ansible-inventory --graph')
    .argument('[group]', 'the group at the top', 'all')
    .action(async (group: string, options: Options) => {
      context.write(inventoryGraph(await read(options, context), group));
    });
  return new Command('inventory')
    .description('show hosts, groups and variables')
    .addCommand(list)
    .addCommand(graph);
}
