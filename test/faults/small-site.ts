import { bareHosts } from '../lab/hosts.ts';
import { oneRoleProject } from './one-role-project.ts';
import type { FaultSite } from './recovery.ts';

const role = `
import { createHash } from 'node:crypto';
import { defineRole, directory, dpkg, file, line, link, pkg, service, z } from 'hostwright';
const paths = z.array(z.string()).default([]);
/** The word, then lines that cannot be compressed much. */
const text = (word, size) => word + '\\n' + Array.from({ length: size }, (_, index) =>
  createHash('sha256').update(word + index).digest('hex') + '\\n').join('');
export default defineRole({
  name: 'small',
  variables: z.object({
    small_word: z.string(),
    small_size: z.number().default(1),
    small_packages: z.array(z.string()).default([]),
    small_files: paths,
    small_links: paths,
    small_lines: paths,
    small_directories: paths,
  }),
  resources: ({ vars }) => [
    dpkg(),
    pkg('nginx-light'),
    ...vars.small_packages.map((name) => pkg(name)),
    link('/etc/nginx/sites-enabled/default', { absent: true }, { needs: ['package:nginx-light'] }),
    file('/etc/nginx/conf.d/small.conf', {
      content: 'server { listen 8080; location / { return 200 "' + vars.small_word + '"; } }\\n',
    }),
    service('nginx', { reloadOn: ['/etc/nginx'], validate: ['nginx', '-t'] }),
    ...vars.small_files.map((path) => file(path, { content: text(vars.small_word, vars.small_size) })),
    ...vars.small_links.map((path) => link(path, { to: vars.small_word })),
    ...vars.small_lines.map((path) => line(path, { line: 'word ' + vars.small_word, match: '^word ' })),
    ...vars.small_directories.map((path) => directory(path)),
  ],
});
`;

/** A web server and a few files on one host, in a state that each test sets. */
export interface SmallSite extends FaultSite {
  /** What is wanted from here on, beside `small_word`, which is another one each time. */
  want(variables?: Readonly<Record<string, unknown>>): void;
  readonly word: () => string;
  /** What the web server answers. */
  served(): Promise<string>;
  /** Shell as root on the host; throws where it fails. */
  shell(script: string, input?: string): Promise<string>;
  down(): Promise<void>;
}

export async function smallSite(name: string, subnet: string): Promise<SmallSite> {
  const hosts = await bareHosts(name, subnet, 1);
  const project = await oneRoleProject(hosts, 'small', role);
  let count = 0;
  let wanted: Readonly<Record<string, unknown>> = {};
  const word = (): string => `w${count}.`;
  return {
    hosts,
    names: ['web1'],
    word,
    words: () => [...project.inventory, ...['-e', JSON.stringify({ ...wanted, small_word: word() })]],
    want(variables = {}) {
      count += 1;
      wanted = variables;
    },
    async served() {
      const answer = await fetch(`http://${hosts.address('web1')}:8080/`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(10_000),
      });
      if (answer.status !== 200) throw new Error(`status ${answer.status}`);
      return await answer.text();
    },
    shell: (script, input) => hosts.shell('web1', script, input),
    async down() {
      await hosts.down();
      await project.remove();
    },
  };
}
