import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';

interface Token {
  readonly type: string;
  readonly children: readonly Token[] | null;
  attrGet(name: string): string | null;
}

/** The path of a link to a file of the repository that is no page, such as an example; else undefined. */
function fileOf(href: string): string | undefined {
  const path = decodeURI(href.replace(/[#?].*$/, ''));
  const isElsewhere = /^[a-z]+:|^\/|^$/i.test(path);
  return isElsewhere || ['.md', '.html'].includes(extname(path)) ? undefined : path;
}

/** Links to files of the repository that are no pages: the site gets these files, and a dead link is an error. */
export function linkedFiles(root: string): {
  note(tokens: readonly Token[], env: { readonly path: string }): void;
  copyTo(folder: string): void;
} {
  const found = new Set<string>();
  const note = (tokens: readonly Token[], env: { readonly path: string }): void => {
    for (const token of tokens) {
      note(token.children ?? [], env);
      const path = token.type === 'link_open' ? fileOf(token.attrGet('href') ?? '') : undefined;
      if (path === undefined) continue;
      const file = join(dirname(env.path), path);
      if (!existsSync(file) || !statSync(file).isFile()) {
        throw new Error(`${relative(root, env.path)}: the link to ${path} leads to no file`);
      }
      found.add(relative(root, file));
    }
  };
  const copyTo = (folder: string): void => {
    for (const file of found) {
      mkdirSync(join(folder, dirname(file)), { recursive: true });
      copyFileSync(join(root, file), join(folder, file));
    }
  };
  return { note, copyTo };
}
