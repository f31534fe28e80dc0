/** Test projects: `unit` beside the code (Node), `edge` (`*.workerd.test.ts`) under workerd, `e2e` with every real part running.
 * Without isolation files share a process, which halves the time: tests keep no global state. */
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{shared,origin,cli,edge-worker}/**/*.test.ts'],
          exclude: ['**/*.workerd.test.ts'],
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: {
          name: 'edge',
          include: ['edge-worker/**/*.workerd.test.ts'],
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
