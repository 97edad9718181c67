import { defineConfig } from 'rolldown';

/**
 * Few files in the place of the hundreds of the dependencies: finding and reading these takes longer than a
 * plan of a small site. Everything lies two folders below the root, as the sources do.
 */
export default defineConfig({
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
});
