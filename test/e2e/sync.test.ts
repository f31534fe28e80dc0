import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { offsetsOfFlashes, publishFlashAndBeep } from '../support/flash-and-beep.ts';
import { fetchVariants, until } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { COPY_LADDER, MIXED_LADDER } from '../support/ladders.ts';

const SYNC_LIMIT_SECONDS = 0.04;

let rill: RillInstance;

beforeAll(async () => {
  const streams = { 'sync-rtmp-copied': { ladder: COPY_LADDER } };
  rill = await startRill({ partTarget: 0.5, ladder: MIXED_LADDER, streams });
});

afterAll(async () => {
  await rill?.stop();
});

test.each([
  ['rtmp', 'rtmp', 2],
  ['srt', 'srt', 2],
  ['rtmp-copied', 'rtmp', 1],
] as const)('flash and beep stay within 40 ms of each other over %s', async (way, protocol, renditions) => {
  const stream = `sync-${way}`;
  const publisher = publishFlashAndBeep(await rill.rill('publish-url', stream, `--${protocol}`));
  try {
    const playUrl = await rill.rill('play-url', stream);
    const found = await until('all renditions', async () => {
      const variants = await fetchVariants(playUrl);
      return variants.variants.length === renditions && variants.audio.length === 1 ? variants : undefined;
    });
    for (const variant of found.variants) {
      const offsets = await offsetsOfFlashes(variant, found.audio[0] ?? '');
      expect(offsets.length).toBeGreaterThanOrEqual(4);
      expect(Math.max(...offsets.map(Math.abs))).toBeLessThan(SYNC_LIMIT_SECONDS);
    }
  } finally {
    publisher.kill('SIGINT');
    await once(publisher, 'exit');
  }
});
