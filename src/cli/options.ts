import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { inventoryPath } from '../inventory/locate.ts';
import { parseShard, type Shard } from '../inventory/shard.ts';
import type { PlanRequest } from '../plan/saved.ts';
import { RepeatableOption } from './repeatable.ts';

export function positiveInteger(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('expected a whole number, 1 or more');
  return number;
}

function shard(text: string): Shard {
  try {
    return parseShard(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/** Options for the output. */
export interface ReportOptions {
  readonly json?: true;
  readonly diff: boolean;
}

/** The common options of `plan`, `apply` and `drift`. */
export interface RunOptions extends ReportOptions {
  readonly inventory?: string;
  readonly site?: string;
  readonly limit?: string;
  readonly shard?: Shard;
  readonly role?: readonly string[];
  readonly extraVars?: readonly string[];
  readonly forks: number;
  readonly workers?: number;
  readonly askBecomePass?: true;
  readonly deep?: true;
}

/** The options that a saved plan stores. Not those of `-e`, which may hold a secret. */
export function planRequest(options: RunOptions, environment: NodeJS.ProcessEnv): PlanRequest {
  const { site, limit, shard, role, deep } = options;
  return {
    inventory: resolve(inventoryPath(options.inventory, environment)),
    ...(site === undefined ? {} : { site: resolve(site) }),
    ...(limit === undefined ? {} : { limit }),
    ...(shard === undefined ? {} : { shard }),
    ...(role === undefined ? {} : { role: [...role] }),
    ...(deep === undefined ? {} : { deep }),
  };
}

/** Adds the options that select hosts. */
export function addSelectionOptions(command: Command): Command {
  return command
    .option('-l, --limit <pattern>', 'only these hosts, such as web1 or all:!db')
    .addOption(
      new Option('--shard <k/n>', 'only shard K of N (chosen by a hash of the host name)').argParser(shard),
    );
}

export function inventoryOption(): Option {
  return new Option(
    '-i, --inventory <path>',
    'inventory file or folder (default: $HOSTWRIGHT_INVENTORY, or inventory/)',
  );
}

export function siteOption(): Option {
  return new Option('--site <file>', 'site file (default: the nearest site.yml above the inventory)');
}

export function extraVarsOption(): Option {
  return new RepeatableOption(
    '-e, --extra-vars <vars>',
    'name=value, JSON or @file; takes precedence over the inventory',
  );
}

/** Adds the inventory and the options that select hosts. */
export function addHostOptions(command: Command): Command {
  return addSelectionOptions(command.addOption(inventoryOption()));
}

export function forksOption(): Option {
  return new Option('-f, --forks <n>', 'hosts in parallel').argParser(positiveInteger).default(20);
}

export function confirmOption(): Option {
  return new Option(
    '--confirm-within <seconds>',
    'time limit for the new connection that confirms a firewall or sshd change; after it, the host rolls the change back',
  )
    .argParser(positiveInteger)
    .default(60);
}

/** Adds the options for the output. */
export function addReportOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON object per line on stdout')
    .addOption(new Option('-D, --diff', 'show diffs of text files (default)').default(true).hideHelp())
    .option('--no-diff', 'do not show diffs of text files');
}

/** Adds the options of `plan`, `apply` and `drift`, with Ansible's names where the meaning is the same. */
export function addRunOptions(command: Command): Command {
  const withHosts = addHostOptions(command)
    .addOption(siteOption())
    .addOption(new RepeatableOption('--role <name>', 'only this role'))
    .addOption(extraVarsOption())
    .addOption(forksOption())
    .addOption(
      new Option(
        '--workers <n>',
        'processes that share the hosts (default: 1, more for many hosts)',
      ).argParser(positiveInteger),
    )
    .option('--deep', 'also compare the files of all packages with dpkg (takes seconds)')
    .option('-K, --ask-become-pass', 'prompt for the sudo password');
  return addReportOptions(withHosts);
}
