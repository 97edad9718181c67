import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { linkedFiles } from '../linked-files.ts';
import { addressOf, sidebar } from '../sidebar.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = linkedFiles(root);

/** The pages lie where they are in the repository, so that their links work there and here. */
export default defineConfig({
  title: 'Hostwright',
  description: 'Provisions bare Debian hosts over SSH, with a dry run that is true',
  lang: 'en',
  // Without it browsers ask for /favicon.ico.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: root,
  srcExclude: ['{test,demo,bench,site,dist}/**', '**/.hostwright/**'],
  outDir: 'dist',
  cacheDir: 'node_modules/.vitepress',
  rewrites: addressOf,
  markdown: {
    config: (markdown) => {
      const code = markdown.renderer.rules.code_inline;
      if (code === undefined) throw new Error('markdown-it has no rule for inline code');
      // `{{ name }}` is text of a page and nothing for Vue; fenced code has this already.
      markdown.renderer.rules.code_inline = (tokens, index, ...rest) => {
        tokens[index]?.attrSet('v-pre', '');
        return code(tokens, index, ...rest);
      };
      markdown.core.ruler.push('linked-files', ({ tokens, env }) => {
        files.note(tokens, env);
      });
    },
  },
  buildEnd: ({ outDir }) => {
    files.copyTo(outDir);
  },
  vite: {
    // As files of their own: style.css knows terminals by their names.
    build: { assetsInlineLimit: 0 },
    plugins: [
      {
        // Pages are made into modules that import vue, and above them there is none.
        name: 'vue-of-the-site',
        enforce: 'pre',
        resolveId: (source, _importer, { ssr }) =>
          ssr === true && /^vue(\/|$)/.test(source) ? { id: source, external: true } : undefined,
      },
    ],
  },
  themeConfig: {
    nav: [
      { text: 'Five minutes', link: '/docs/start' },
      { text: 'Tutorial', link: '/docs/tutorial' },
      { text: 'Command line', link: '/docs/command-line' },
      { text: 'Resources', link: '/docs/resources' },
    ],
    sidebar: sidebar(root),
    outline: [2, 3],
    search: { provider: 'local' },
    externalLinkIcon: true,
  },
});
