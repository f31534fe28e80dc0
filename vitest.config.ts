/**
 * Test projects: `unit` beside the code (Node), `edge` (`*.workerd.test.ts`) under workerd, `e2e` with every real part
 * running, `feeds` with an origin in the first place, `wire` with an edge alone and requests to it. Without isolation
 * files share a process, which halves the time: tests keep no global state.
 */
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** Tests of a running edge, most of them without an encoder: they may run beside those that play in real time. */
const WIRE = [
  'test/{access,delivery,deploy}/**/*.test.ts',
  'test/conformance/{bad-publisher,directives,http,playlists}.test.ts',
  'test/qos/{alerts,dashboard,engine-away,intake,npm-start,reports}.test.ts',
  'test/e2e/codec-change.test.ts',
  'test/players/session-players.test.ts',
  'test/fuzz/**/*.test.ts',
];

/** Tests of origins: what they take, survive and pass on; and those that compare times to within a tenth of a second. */
const FEEDS = [
  'test/{control,faults,ingest,restream}/**/*.test.ts',
  'test/e2e/{backup-feed,enhanced-rtmp,ladder,srt-and-restream,takeover}.test.ts',
  'test/players/hls-js.test.ts',
  'test/qos/{player-module,truth}.test.ts',
];

/** A running system: one file after the other, each with processes of its own. */
const SYSTEM = {
  globalSetup: 'test/support/build-edge.ts',
  testTimeout: 180_000,
  hookTimeout: 180_000,
  fileParallelism: false,
};

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
          exclude: [...WIRE, ...FEEDS],
          ...SYSTEM,
        },
      },
      {
        test: {
          name: 'feeds',
          include: FEEDS,
          ...SYSTEM,
        },
      },
      {
        test: {
          name: 'wire',
          include: WIRE,
          ...SYSTEM,
        },
      },
    ],
  },
});
