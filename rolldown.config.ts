import { readFileSync } from 'node:fs';
import { defineConfig, type RolldownOptions } from 'rolldown';

/**
 * Few files in the place of the hundreds of the dependencies: finding and reading these takes longer than a
 * plan of a small site. Everything lies two folders below the root, as the sources do.
 */
const program: RolldownOptions = {
  input: {
    'cli/main': 'src/cli/main.ts',
    'cli/worker': 'src/cli/worker.ts',
    index: 'src/index.ts',
    'testing/index': 'src/testing/index.ts',
    'testing/register': 'src/testing/register.ts',
  },
  platform: 'node',
  // jiti loads its compiler only where a role has changed; ssh2 looks for its optional native part itself.
  external: ['jiti', 'jiti/register', 'ssh2'],
  plugins: [
    {
      // `z.locales` refers to some sixty languages, which every run would read.
      name: 'zod-in-english',
      load: {
        filter: { id: /zod\/v4\/locales\/index\.js$/ },
        handler: () => "export { default as en } from './en.js';",
      },
    },
  ],
  output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name].js' },
};

/** The files that all pages have, and are no modules. */
const frame = {
  'pages.css': ['node_modules/uplot/dist/uPlot.min.css', 'pages/frame/style.css'],
  'icon.svg': ['pages/frame/icon.svg'],
  'report.css': ['pages/report/style.css'],
};

/** One script for each page of `pages/`, which roles serve, or which is a part of a report; a page has no modules and needs nothing from elsewhere. */
const page = (name: string): RolldownOptions => ({
  input: { [name]: `pages/${name}/main.ts` },
  platform: 'browser',
  tsconfig: 'pages/tsconfig.json',
  plugins: [
    {
      name: 'frame',
      generateBundle() {
        for (const [fileName, parts] of Object.entries(frame)) {
          const source = parts.map((part) => readFileSync(part, 'utf8')).join('\n');
          this.emitFile({ type: 'asset', fileName, source });
        }
      },
    },
  ],
  output: { dir: 'dist/browser', format: 'iife', minify: true, entryFileNames: '[name].js' },
});

export default defineConfig([program, page('dashboard'), page('report')]);
