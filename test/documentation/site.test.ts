import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { linkedFiles } from '../../site/linked-files.ts';
import { addressOf, sections, sidebar } from '../../site/sidebar.ts';
import { tree } from '../inventory/tree.ts';

const root = resolve(import.meta.dirname, '../..');

function pagesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => join(folder, file));
}

it('has every page in its sidebar, once', () => {
  const atTop = readdirSync(root).filter((file) => file.endsWith('.md'));
  const all = [...atTop, ...['docs', 'roles', 'inventory', 'examples'].flatMap(pagesBelow)];
  expect(
    sections(root)
      .flatMap(({ pages }) => pages)
      .toSorted(),
  ).toEqual(all.toSorted());
});

it('takes up a new page of docs/ and the README of a new role by itself, under their headings', () => {
  const project = tree({
    'README.md': '# Project\n',
    'docs/logs.md': '# Logs of `all` hosts\n',
    'docs/how-to/rotate.md': '# Rotate\n',
    'roles/hello/README.md': '# hello\n',
    'roles/plain/role.ts': '',
    'inventory/lab/hosts.yml': '',
    'examples/one/README.md': '# An example\n',
  });
  expect(sidebar(project).map(({ text, items }) => [text, items])).toEqual([
    ['Start', [{ text: 'What it is', link: '/index.md' }]],
    ['How to', [{ text: 'Rotate', link: '/docs/how-to/rotate.md' }]],
    ['Running a site', [{ text: 'Logs of all hosts', link: '/docs/logs.md' }]],
    ['Bundled roles', [{ text: 'hello', link: '/roles/hello/index.md' }]],
    ['Inventories and examples', [{ text: 'An example', link: '/examples/one/index.md' }]],
  ]);
});

it('shows a README as the index of its folder', () => {
  expect(['README.md', 'roles/pki/README.md', 'docs/ssh.md'].map(addressOf)).toEqual([
    'index.md',
    'roles/pki/index.md',
    'docs/ssh.md',
  ]);
});

it('takes linked files that are no pages along, and refuses a link to a file that is not there', () => {
  const project = tree({ 'bench/items.ts': 'export {};\n', 'docs/a.md': '' });
  const files = linkedFiles(project);
  const link = (href: string) => ({
    type: 'inline',
    children: [{ type: 'link_open', children: null, attrGet: () => href }],
    attrGet: () => null,
  });
  const env = { path: join(project, 'docs/a.md') };
  files.note(
    [link('../bench/items.ts#top'), link('b.md'), link('https://example.org/x'), link('#here')],
    env,
  );
  files.copyTo(join(project, 'built'));
  expect(readdirSync(join(project, 'built'), { recursive: true, encoding: 'utf8' }).toSorted()).toEqual([
    'bench',
    'bench/items.ts',
  ]);
  expect(() => {
    files.note([link('../bench/item.ts')], env);
  }).toThrow('docs/a.md: the link to ../bench/item.ts leads to no file');
});
