import type { Hosts } from './hosts.ts';
import {
  fileContent,
  fileCount,
  filePath,
  items,
  lineCount,
  linesFile,
  lineText,
  packages,
  services,
  userCount,
  userId,
  userName,
} from './items.ts';

const python = (value: unknown): string => JSON.stringify(value).replaceAll('true', 'True');

/** The files of a bundlewrap repository, by path; it has no lines of a file, so that these are actions. */
export function repository(hosts: Hosts): ReadonlyMap<string, string> {
  const nodes = Object.fromEntries(
    [...hosts.ways].map(([name, { address }]) => [
      name,
      { hostname: address, bundles: ['bench'], os: 'debian' },
    ]),
  );
  const files = items(fileCount).map((item) => {
    const content = python(fileContent(item, '@HOST@', '@WORD@'));
    const filled = `${content}.replace('@HOST@', node.name).replace('@WORD@', os.environ['BENCH_WORD'])`;
    return `    ${python(filePath(item))}: {'content': ${filled}, 'mode': '0644', 'owner': 'root', 'group': 'root'},`;
  });
  const users = items(userCount).map(
    (item) =>
      `    ${python(userName(item))}: {'uid': ${userId(item)}, 'shell': '/bin/bash', 'home': '/home/${userName(item)}'},`,
  );
  const lines = items(lineCount).map(
    (item) =>
      `    ${python(`line_${item.index}`)}: {'command': "echo '${lineText(item)}' >>${linesFile}", 'unless': "grep -qxF '${lineText(item)}' ${linesFile}"},`,
  );
  const bundle = [
    'import os',
    `files = {\n${files.join('\n')}\n}`,
    `pkg_apt = {\n${packages.map((name) => `    ${python(name)}: {},`).join('\n')}\n}`,
    `users = {\n${users.join('\n')}\n}`,
    `actions = {\n${lines.join('\n')}\n}`,
    `svc_systemd = {\n${services.map((name) => `    ${python(name)}: {'enabled': None},`).join('\n')}\n}`,
  ];
  return new Map([
    ['nodes.py', `nodes = ${python(nodes)}\n`],
    ['groups.py', 'groups = {}\n'],
    ['requirements.txt', ''],
    ['bundles/bench/items.py', `${bundle.join('\n')}\n`],
  ]);
}
