import { createHash } from 'node:crypto';
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

const files = items(fileCount);
const users = items(userCount);
const lines = items(lineCount);

/** All reads of the 101 items, as one would write them by hand. */
export function readScript(): string {
  const paths = files.map(filePath).join(' ');
  return `stat -c '%n %a %U:%G' ${paths} || :
sha256sum ${paths} || :
dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' ${packages.join(' ')} || :
getent passwd ${users.map(userName).join(' ')} | cut -d: -f1,3,6,7 || :
grep -cxF ${lines.map((line) => `-e '${lineText(line)}'`).join(' ')} ${linesFile} || :
systemctl is-active ${services.join(' ')} || :
systemctl is-enabled ssh || :
`;
}

/** What the reads print on a host where all is as it should be. */
export function expectedRead(host: string, word: string): string {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  return [
    ...files.map((item) => `${filePath(item)} 644 root:root`),
    ...files.map((item) => `${sha256(fileContent(item, host, word))}  ${filePath(item)}`),
    ...packages.toSorted().map((name) => `${name} installed`),
    ...users.map((item) => `${userName(item)}:${userId(item)}:/home/${userName(item)}:/bin/bash`),
    String(lineCount),
    ...services.map(() => 'active'),
    'enabled',
    '',
  ].join('\n');
}

function writeFile(path: string, content: string): string {
  return `cat >${path}.new <<'END'\n${content}END\nchmod 644 ${path}.new; mv ${path}.new ${path}\n`;
}

/** Makes everything on a bare host, as one would write it by hand. */
export function writeScript(host: string, word: string): string {
  return [
    ...files.map((item) => writeFile(filePath(item), fileContent(item, host, word))),
    `DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends ${packages.join(' ')} >/dev/null\n`,
    ...users.map((item) => `useradd -m -s /bin/bash -u ${userId(item)} ${userName(item)}\n`),
    writeFile(linesFile, lines.map((line) => `${lineText(line)}\n`).join('')),
    `systemctl start ${services.join(' ')}\n`,
  ].join('');
}

/** The reads, and the one file that changes. */
export function changeScript(host: string, word: string): string {
  const [first] = files;
  if (first === undefined) throw new RangeError('no files');
  return readScript() + writeFile(filePath(first), fileContent(first, host, word));
}
