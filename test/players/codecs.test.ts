import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser, type Browser } from '../support/browser.ts';
import { encodeClip, openPublisher, sendTags } from '../support/enhanced-publisher.ts';
import { COPY_LADDER } from '../support/ladders.ts';
import { fetchVariants, until } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';

/** Long enough for a player to start on a loaded machine. */
const SECONDS = 25;
const PICTURES = 60;

let rill: RillInstance;
let browser: Browser;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, ladder: COPY_LADDER });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await rill?.stop();
});

test.each([
  ['av1-opus', 'av01', 'Opus'],
  ['vp9-opus', 'vp09', 'Opus'],
] as const)('hls.js in Chromium plays a copy: %s', async (stream, video, audio) => {
  const clip = await encodeClip({ video, audio, seconds: SECONDS, size: '320x180' });
  const publisher = openPublisher(await rill.rill('publish-url', stream, '--rtmp'));
  const sent = sendTags(publisher, clip.tags);
  const playUrl = await rill.rill('play-url', stream);
  await until('a variant', async () => (await fetchVariants(playUrl)).variants[0]);
  const watched = await browser.playWithDefaults(playUrl);
  await watched.playing();
  const { page } = watched;
  const decoded = await until('pictures and sound', async () => {
    const counts = await page.evaluate(() => {
      const element = document.querySelector('video');
      const sound = element !== null && 'webkitAudioDecodedByteCount' in element;
      return {
        width: element?.videoWidth,
        pictures: element?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
        soundBytes: sound ? Number(element.webkitAudioDecodedByteCount) : 0,
      };
    });
    return counts.pictures >= PICTURES && counts.soundBytes > 0 ? counts : undefined;
  });
  expect(decoded.width).toBe(320);
  await page.close();
  publisher.socket.destroy();
  await sent;
});
