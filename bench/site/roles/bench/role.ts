import { defineRole, file, line, pkg, service, user, z } from 'hostwright';
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
} from '../../../items.ts';

export default defineRole({
  name: 'bench',
  variables: z.object({
    bench_word: z.string().default('0').describe('What stands in the first file'),
    bench_host: z.string().optional().describe('What stands in the place of the name of the host'),
  }),
  resources: ({ vars, host }) => [
    ...items(fileCount).map((item) =>
      file(filePath(item), { content: fileContent(item, vars.bench_host ?? host.name, vars.bench_word) }),
    ),
    ...packages.map((name) => pkg(name)),
    ...items(userCount).map((item) => user(userName(item), { uid: userId(item), shell: '/bin/bash' })),
    ...items(lineCount).map((item) => line(linesFile, { line: lineText(item) })),
    ...services.map((name) => service(name)),
  ],
});
