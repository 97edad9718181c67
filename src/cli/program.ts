import { Command } from 'commander';
import type { ExitStatus } from './exit.ts';
import { refuseSecondValues } from './repeatable.ts';
import { version } from './version.ts';

type Verb = (finish: (status: ExitStatus) => void) => Promise<Command>;

/** Each command is loaded only when it is used: `--version` and `--help` need none of them. */
export const verbs: Readonly<Record<string, { readonly summary: string; readonly load: Verb }>> = {
  plan: {
    summary: 'show what apply would change, and change nothing',
    load: async (finish) => (await import('./plan.ts')).planCommand(finish),
  },
  apply: {
    summary: 'bring hosts into the declared state',
    load: async (finish) => (await import('./apply.ts')).applyCommand(finish),
  },
  drift: {
    summary: 'show what has changed on hosts since the last apply',
    load: async (finish) => (await import('./drift.ts')).driftCommand(finish),
  },
  do: {
    summary: 'do what a role offers beside its state, such as promoting a database',
    load: async (finish) => (await import('./do.ts')).doCommand(finish),
  },
  run: {
    summary: 'run a command as root on hosts',
    load: async (finish) => (await import('./run.ts')).runCommand(finish),
  },
  logs: {
    summary: 'show the journals of hosts, merged by time',
    load: async (finish) => (await import('./logs.ts')).logsCommand(finish),
  },
  dashboard: {
    summary: 'open the dashboard of the site through the ssh connection',
    load: async (finish) => (await import('./dashboard.ts')).dashboardCommand(finish),
  },
  history: {
    summary: 'show what was done to hosts, when, by whom and from which commit',
    load: async (finish) => (await import('./history.ts')).historyCommand(finish),
  },
  report: {
    summary: 'show recorded runs, merged or as a page',
    load: async (finish) => (await import('./report.ts')).reportCommand(finish),
  },
  doctor: {
    summary: 'check this machine, the inventory and the hosts',
    load: async (finish) => (await import('./doctor.ts')).doctorCommand(finish),
  },
  'host-keys': {
    summary: 'show host keys, and add those of new hosts to known_hosts',
    load: async (finish) => (await import('./host-keys.ts')).hostKeysCommand(finish),
  },
  inventory: {
    summary: 'show hosts, groups and variables',
    load: async () => (await import('./inventory.ts')).inventoryCommand(),
  },
  secrets: {
    summary: 'encrypt, change and check the secrets of an inventory',
    load: async () => (await import('./secrets.ts')).secretsCommand(),
  },
  init: {
    summary: 'make a new project in the current folder',
    load: async () => (await import('./new.ts')).initCommand(),
  },
  new: {
    summary: 'add a role or a resource type to a project',
    load: async () => (await import('./new.ts')).newCommand(),
  },
  lab: {
    summary: 'run bare test hosts on this machine',
    load: async () => (await import('./lab.ts')).labCommand(),
  },
};

/** The program with the one command in use loaded; the others have only names. */
export async function assemble(
  wanted: string | undefined,
  finish: (status: ExitStatus) => void,
): Promise<Command> {
  const program = new Command('hostwright')
    .description('Provisions bare Linux hosts over SSH')
    .version(version())
    .showHelpAfterError('(hostwright --help lists the commands)');
  for (const [name, { summary, load }] of Object.entries(verbs)) {
    program.addCommand(name === wanted ? await load(finish) : new Command(name).description(summary));
  }
  const strict = (command: Command): void => {
    command.exitOverride().configureHelp({ minWidthToWrap: 20 });
    refuseSecondValues(command);
    for (const inner of command.commands) strict(inner);
  };
  strict(program);
  return program;
}
