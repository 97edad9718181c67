import { followed, harmless, refused } from '../../src/transport/ssh-options.ts';

function table(heads: readonly [string, string], rows: readonly (readonly [string, string])[]): string {
  const widths = ([0, 1] as const).map((at) => Math.max(...[heads, ...rows].map((row) => row[at].length)));
  const line = (row: readonly [string, string]): string =>
    `| ${row[0].padEnd(widths[0] ?? 0)} | ${row[1].padEnd(widths[1] ?? 0)} |`;
  return [line(heads), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join(
    '\n',
  );
}

/** docs/ssh.md, from the tables of the code. */
export function sshPage(): string {
  const alike = new Map<string, string[]>();
  for (const [name, why] of Object.entries(harmless)) alike.set(why, [...(alike.get(why) ?? []), name]);
  return `# The ssh configuration

Hostwright runs your own \`ssh -G\` to read the configuration of a host: \`~/.ssh/config\`, \`/etc/ssh/ssh_config\` and \`ansible_ssh_common_args\`. Then it opens the connection itself. It never silently ignores an option that restricts the connection: it follows the option, or refuses the host with \`E_CONNECT\` before it sends anything. \`npm run docs\` writes this page.

## Followed

${table(
  ['option', 'how'],
  Object.entries(followed).map(([name, how]) => [`\`${name}\``, how]),
)}

## Refused

A host is refused if one of these options is set to something other than its default.

${table(
  ['option', 'reason, and remedy'],
  Object.entries(refused).map(([name, { why, hint }]) => [`\`${name}\``, `${why}: ${hint}`]),
)}

An option of a newer ssh that is not on this page is refused too, unless it has its default value.

## Without effect

Hostwright does not use the features that these options control.

${table(
  ['reason', 'options'],
  [...alike].map(([why, names]) => [why, names.map((name) => `\`${name}\``).join(', ')]),
)}
`;
}
