/**
 * Glass to glass: pictures carry the wall clock at which they were handed to the encoder; hls.js with its
 * defaults and `lowLatencyMode` plays in Chromium, and the clock is read back from the picture on screen.
 * `npm run bench:glass`
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { startBrowser } from '../test/support/browser.ts';
import { fetchPlaylist, fetchVariants, until } from '../test/support/live-client.ts';
import { startRill } from '../test/support/rill-instance.ts';
import { startStampedPublisher } from '../test/support/stamped-publisher.ts';
import { print, printMachine, quantile, summarize } from './report.ts';
import { COPY_LADDER, ENCODED_LADDER } from '../test/support/ladders.ts';

/** The stream runs for so long before a player joins. */
const WARM_UP_MS = 10_000;
/** How often a player joins: where in a part it does so stays with it as latency. */
const JOINS = 9;
const SETTLE_MS = 3_000;
const SAMPLES = 6;
const SAMPLE_MS = 500;

printMachine(
  'Glass to glass in Chromium (640x360p30, H.264 + AAC over RTMP, hls.js defaults + lowLatencyMode)',
);
for (const partTarget of [0.5, 0.2]) {
  for (const [name, ladder] of [
    ['copy', COPY_LADDER],
    ['transcoded', ENCODED_LADDER],
  ] as const) {
    await measure(name, partTarget, ladder);
  }
}

async function measure(name: string, partTarget: number, ladder: object): Promise<void> {
  const rill = await startRill({ partTarget, ladder });
  const publisher = startStampedPublisher({ url: await rill.rill('publish-url', 'glass', '--rtmp') });
  const browser = await startBrowser();
  try {
    const playUrl = await rill.rill('play-url', 'glass');
    await until('a complete segment', async () => {
      const [variant] = (await fetchVariants(playUrl)).variants;
      return variant !== undefined && (await fetchPlaylist(variant)).segments.length > 0 ? true : undefined;
    });
    await sleep(WARM_UP_MS);
    const latencies: number[] = [];
    const buffers: number[] = [];
    const byJoin: number[] = [];
    for (let join = 0; join < JOINS; join += 1) {
      const first = latencies.length;
      const joined = await browser.playWithDefaults(playUrl);
      await joined.playing();
      await sleep(SETTLE_MS);
      for (let sample = 0; sample < SAMPLES; sample += 1) {
        await sleep(SAMPLE_MS);
        const seen = await joined.look();
        if (seen.latencyMs !== undefined) {
          latencies.push(seen.latencyMs);
          buffers.push(seen.bufferSeconds * 1000);
        }
      }
      byJoin.push(Math.round(quantile(latencies.slice(first), 0.5)));
      await joined.page.close();
    }
    print(`${name}, parts of ${partTarget} s: glass to glass ${summarize(latencies, 'ms')}`);
    print(`${name}, parts of ${partTarget} s: player's buffer ${summarize(buffers, 'ms')}`);
    print(`${name}, parts of ${partTarget} s: by join ${byJoin.join(', ')} ms`);
  } finally {
    await browser.close();
    await publisher.stop();
    await rill.stop();
  }
}
