import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (file: string): string => fileURLToPath(new URL(`src/${file}`, import.meta.url));

const alias = { 'hostwright/testing': source('testing/index.ts'), hostwright: source('index.ts') };
// What is compiled of the roles of tests is not for the user.
const env = { XDG_CACHE_HOME: fileURLToPath(new URL('node_modules/.cache', import.meta.url)) };

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          env,
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', 'test/faults/**'],
          testTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'lab',
          env,
          include: ['test/lab/**/*.test.ts'],
          // Each file has hosts of its own, and waits for them half of the time.
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'faults',
          env,
          include: ['test/faults/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 1_200_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
});
