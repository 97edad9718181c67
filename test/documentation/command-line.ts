import type { Command } from 'commander';
import { format } from 'prettier';
import { argumentOptions } from '../../src/actions/arguments.ts';
import { assemble, verbs } from '../../src/cli/program.ts';
import type { Role } from '../../src/index.ts';

/** A cell of a table: no bar may end it. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function table(heading: string, rows: readonly (readonly [term: string, text: string])[]): readonly string[] {
  const lines = rows.map(([term, text]) => `| \`${cell(term)}\` | ${cell(text)} |`);
  return lines.length === 0 ? [] : ['', `| ${heading} | |`, '| --- | --- |', ...lines];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** One command with its arguments and options; of a command with others below it, those. */
function section(command: Command, path: string): readonly string[] {
  const help = command.createHelp();
  if (command.commands.length > 0) {
    const inner = command.commands.flatMap((one) => section(one, `${path} ${one.name()}`));
    return [`## ${path}`, '', sentence(command.description()), '', ...inner];
  }
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  return [
    `${path.includes(' ') ? '###' : '##'} ${path}`,
    '',
    sentence(command.description()),
    '',
    '```text',
    `hostwright ${path} ${command.usage()}`,
    '```',
    ...table(
      'argument',
      help.visibleArguments(command).map((one) => [help.argumentTerm(one), help.argumentDescription(one)]),
    ),
    ...table(
      'option',
      options.map((one) => [help.optionTerm(one), help.optionDescription(one)]),
    ),
    '',
  ];
}

/** The actions of a role, as `hostwright do` takes them. */
function actionsOf({ name: role, actions = {} }: Role): readonly string[] {
  return Object.entries(actions).flatMap(([name, action]) => {
    const options = argumentOptions(action.arguments).map(
      ({ flag, description, isRequired, isSwitch }) =>
        [
          isSwitch ? flag : `${flag} <value>`,
          isRequired && !isSwitch ? `${description} (required)` : description,
        ] as const,
    );
    const words = [
      role,
      name,
      ...(action.on === 'host' ? ['HOST'] : []),
      ...(options.length > 0 ? ['[options]'] : []),
    ];
    return [
      `### do ${role} ${name}`,
      '',
      sentence(action.summary),
      '',
      '```text',
      `hostwright do ${words.join(' ')}`,
      '```',
      ...table('option', options),
      '',
    ];
  });
}

const introduction = `# The command line

\`npm run docs\` writes this page from the program itself. What the exit statuses mean, and which commands there are, is in the [README](../README.md#the-command-line). \`--help\` after a command shows the same.
`;

/** The text of docs/command-line.md. */
export async function commandLinePage(roles: readonly Role[]): Promise<string> {
  const nothing = (): void => {};
  const commands = await Promise.all(
    Object.keys(verbs).map(async (verb) => {
      const program = await assemble(verb, nothing);
      return program.commands.filter((command) => command.name() === verb);
    }),
  );
  const actions = roles.flatMap(actionsOf);
  const page = [
    introduction,
    ...commands.flat().flatMap((command) => section(command, command.name())),
    '## Actions of the bundled roles',
    '',
    'What a site offers depends on its roles; `hostwright do` lists it. The options of [`do`](#do) work with all of them.',
    '',
    ...actions,
  ].join('\n');
  return await format(page, { parser: 'markdown' });
}
