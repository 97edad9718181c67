import { HostwrightError } from '../errors.ts';
import { Command, Option } from 'commander';
import { argumentOptions, checkArguments } from '../actions/arguments.ts';
import { findAction, listActions, type FoundAction } from '../actions/find.ts';
import type { Asked } from '../actions/context.ts';
import type { ActionEvent } from '../plan/action-event.ts';
import { actionLines } from '../report/do-lines.ts';
import { chooseStyle } from '../report/style.ts';
import type { SiteModel } from '../site/model.ts';
import { act, type ActOptions } from './act.ts';
import { exitStatus, type ExitStatus } from './exit.ts';
import { extraVarsOption, inventoryOption, siteOption } from './options.ts';
import { readProject, readSiteOf, type Project } from './project.ts';

interface DoOptions extends ActOptions {
  readonly help?: true;
}

function eventOf({ role, name, action }: FoundAction): ActionEvent {
  return {
    ...{ type: 'action', role, action: name, summary: action.summary, on: action.on },
    reads: action.read !== undefined,
    arguments: argumentOptions(action.arguments).map(({ flag, description, isRequired }) => ({
      ...{ name: flag, description, required: isRequired },
    })),
  };
}

function list(site: SiteModel, role: string | undefined, json: boolean): void {
  const events = listActions(site, role).map(eventOf);
  const style = chooseStyle({
    env: process.env,
    isTTY: process.stdout.isTTY,
    columns: () => (process.stdout.isTTY ? process.stdout.columns : undefined),
  });
  const lines = json ? events.map((event) => JSON.stringify(event)) : actionLines(events, style);
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
  else
    process.stderr.write(
      role === undefined ? 'no role of the site has actions\n' : `the role ${role} has no actions\n`,
    );
}

/** The command line of one action, made of the schema of its arguments. */
function actionCommand(found: FoundAction, take: (asked: Asked) => void): Command {
  const { role, name, action } = found;
  const given = argumentOptions(action.arguments);
  const command = new Command(`hostwright do ${role} ${name}`).description(action.summary).exitOverride();
  if (action.on === 'host') command.argument('<host>', `a host with the role ${role}`);
  for (const { flag, description, isRequired, isSwitch } of given) {
    const option = new Option(isSwitch ? flag : `${flag} <value>`, description);
    command.addOption(option.makeOptionMandatory(isRequired && !isSwitch));
  }
  command.addHelpText('after', '\n`hostwright do --help` lists the options of all actions.');
  return command.action((...words: readonly unknown[]) => {
    const values = new Map(Object.entries(command.opts()));
    const args = Object.fromEntries(
      given.flatMap(({ name: argument }, index) => {
        const attribute = command.options[index]?.attributeName() ?? argument;
        return values.has(attribute) ? [[argument, values.get(attribute)] as const] : [];
      }),
    );
    const host = typeof words[0] === 'string' ? words[0] : undefined;
    take({ found, host, args: checkArguments(action.arguments, args) });
  });
}

/** HOST and the arguments; undefined where only help was wanted. */
async function parse(
  found: FoundAction,
  words: readonly string[],
  help: boolean,
): Promise<Asked | undefined> {
  let asked: Asked | undefined;
  const command = actionCommand(found, (taken) => (asked = taken));
  if (help) {
    command.outputHelp();
    return undefined;
  }
  await command.parseAsync([...words], { from: 'user' });
  return asked;
}

async function readSite(options: DoOptions): Promise<{ project: Project; site: SiteModel }> {
  const project = await readProject(options, process.env);
  return { project, site: await readSiteOf(project, options) };
}

async function run(command: Command, words: readonly string[]): Promise<ExitStatus> {
  const options = command.opts<DoOptions>();
  const [role, name, ...rest] = words;
  if (options.help === true && (role === undefined || name === undefined)) {
    command.outputHelp();
    return exitStatus.ok;
  }
  if (role?.startsWith('-') === true) {
    throw new HostwrightError('E_USAGE', `unknown option ${role}`, {
      hint: 'arguments of an action come behind it: hostwright do ROLE ACTION --ARGUMENT VALUE',
    });
  }
  const { project, site } = await readSite(options);
  if (role === undefined || name === undefined) {
    list(site, role, options.json === true);
    return exitStatus.ok;
  }
  const asked = await parse(findAction(site, role, name), rest, options.help === true);
  return asked === undefined ? exitStatus.ok : await act(asked, { project, site }, options);
}

/** `hostwright do [ROLE ACTION [HOST]]`: lists the actions of the site, and does one. */
export function doCommand(finish: (status: ExitStatus) => void): Command {
  const command = new Command('do');
  return command
    .description('do what a role offers beside its state, such as promoting a database; alone: list it')
    .usage('[options] [ROLE [ACTION [HOST]]] [--ARGUMENT VALUE...]')
    .argument('[words...]', 'role, action and host; `do ROLE ACTION --help` shows the arguments')
    .helpOption(false)
    .allowUnknownOption()
    .addOption(inventoryOption())
    .addOption(siteOption())
    .addOption(extraVarsOption())
    .option('-K, --ask-become-pass', 'prompt for the sudo password')
    .option('-y, --yes', 'do it without asking')
    .option('--json', 'print one JSON object per line on stdout')
    .option('-h, --help', 'display help for command')
    .action(async (words: readonly string[]) => {
      finish(await run(command, words));
    });
}
