import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

/** A heading of the sidebar; `pages` are files relative to the repository's root, in their order. */
export interface Section {
  readonly title: string;
  readonly pages: readonly string[];
}

/** As VitePress wants it. */
export interface SidebarGroup {
  readonly text: string;
  readonly items: { readonly text: string; readonly link: string }[];
}

/** What the sidebar says of these pages in the place of their heading. */
const shortTitles: Readonly<Record<string, string>> = { 'README.md': 'What it is' };

/** The pages of `docs/` that belong to one kind; every other page there is about running a site. */
const named = {
  start: ['README.md', 'docs/start.md', 'docs/tutorial.md'],
  code: ['docs/writing-roles.md', 'docs/templates.md', 'docs/writing-resources.md'],
  reference: ['docs/command-line.md', 'docs/resources.md', 'docs/errors.md', 'docs/ssh.md'],
  why: ['docs/why.md', 'docs/architecture.md', 'docs/reliability.md', 'docs/drift.md', 'docs/benchmarks.md'],
  project: ['SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
};

function pagesIn(root: string, folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.md'));
  return names.toSorted().map((name) => `${folder}/${name}`);
}

function readmesIn(root: string, folder: string): readonly string[] {
  const files = readdirSync(join(root, folder)).map((name) => `${folder}/${name}/README.md`);
  return files.filter((file) => existsSync(join(root, file))).toSorted();
}

/** All pages of the site in their order. A new page of `docs/`, or a README of a role, joins by itself. */
export function sections(root: string): readonly Section[] {
  const known: readonly string[] = Object.values(named).flat();
  const there = (pages: readonly string[]) => pages.filter((page) => existsSync(join(root, page)));
  return [
    { title: 'Start', pages: there(named.start) },
    { title: 'How to', pages: pagesIn(root, 'docs/how-to') },
    { title: 'Running a site', pages: pagesIn(root, 'docs').filter((page) => !known.includes(page)) },
    { title: 'Your own roles', pages: there(named.code) },
    { title: 'Reference', pages: there(named.reference) },
    { title: 'Bundled roles', pages: readmesIn(root, 'roles') },
    {
      title: 'Inventories and examples',
      pages: [...readmesIn(root, 'inventory'), ...readmesIn(root, 'examples')],
    },
    { title: 'Why and how well', pages: there(named.why) },
    { title: 'The project', pages: there(named.project) },
  ].filter(({ pages }) => pages.length > 0);
}

/** The first heading of a page. */
export function titleOf(root: string, page: string): string {
  const heading = /^# (.+)$/m.exec(readFileSync(join(root, page), 'utf8'))?.[1];
  if (heading === undefined) throw new Error(`${page} has no heading "# …"`);
  return shortTitles[page] ?? heading.replaceAll('`', '');
}

/** The address of a page on the site: a README is the index of its folder. */
export function addressOf(page: string): string {
  return page.replace(/(^|\/)README\.md$/, '$1index.md');
}

export function sidebar(root: string): SidebarGroup[] {
  return sections(root).map(({ title, pages }) => ({
    text: title,
    items: pages.map((page) => ({ text: titleOf(root, page), link: `/${addressOf(page)}` })),
  }));
}
