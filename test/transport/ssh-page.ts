import { followed, harmless, refused } from '../../src/transport/ssh-options.ts';

function table(heads: readonly [string, string], rows: readonly (readonly [string, string])[]): string {
  const widths = ([0, 1] as const).map((at) => Math.max(...[heads, ...rows].map((row) => row[at].length)));
  const line = (row: readonly [string, string]): string =>
    `| ${row[0].padEnd(widths[0] ?? 0)} | ${row[1].padEnd(widths[1] ?? 0)} |`;
  return [line(heads), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join(
    '\n',
  );
}

/** docs/ssh.md, of the tables that the code goes by. */
export function sshPage(): string {
  const alike = new Map<string, string[]>();
  for (const [name, why] of Object.entries(harmless)) alike.set(why, [...(alike.get(why) ?? []), name]);
  return `# The ssh configuration

Hostwright asks your own ssh (\`ssh -G\`) what it would do for a host: \`~/.ssh/config\`, \`/etc/ssh/ssh_config\`, and what \`ansible_ssh_common_args\` says. It makes the connection itself. An option that asks for more care than Hostwright takes is never passed over in silence: it is followed, or the host is refused with \`E_CONNECT\` before anything is sent. \`npm run docs\` writes this page.

## Followed

${table(
  ['option', 'how'],
  Object.entries(followed).map(([name, how]) => [`\`${name}\``, how]),
)}

## Refused

Where one of these is set to something else than its default.

${table(
  ['option', 'why, and what to do'],
  Object.entries(refused).map(([name, { why, hint }]) => [`\`${name}\``, `${why}: ${hint}`]),
)}

An option that a newer ssh has and this page has not is refused too, unless it has the value that it has without any configuration.

## Without a difference

Hostwright does not do what these options are about, so that none of them is needed to forbid it.

${table(
  ['why', 'options'],
  [...alike].map(([why, names]) => [why, names.map((name) => `\`${name}\``).join(', ')]),
)}
`;
}
