import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser, type Browser, type WatchedPage } from '../support/browser.ts';
import { COPY_LADDER } from '../support/ladders.ts';
import { fetchPlaylist, fetchVariants, until } from '../support/live-client.ts';
import {
  atLiveEdge,
  collectEvents,
  eventsOf,
  fatalErrorsOf,
  latencyOf,
  playsOn,
} from '../support/player-watch.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';

const STREAM = 'shaka';

let rill: RillInstance;
let browser: Browser;
let publisher: StampedPublisher;
let watched: WatchedPage;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, ladder: COPY_LADDER });
  browser = await startBrowser();
  publisher = await publish();
  const playUrl = await rill.rill('play-url', STREAM);
  // Three target durations before the live edge are there to begin in.
  await until('four segments', async () => {
    const url = (await fetchVariants(playUrl)).variants[0] ?? '';
    return (await fetchPlaylist(url)).segments.length >= 4 ? true : undefined;
  });
  watched = await browser.playWithShaka(playUrl);
  await collectEvents(watched.page);
  await atLiveEdge(watched);
});

afterAll(async () => {
  await browser?.close();
  await publisher?.stop();
  await rill?.stop();
});

test('Shaka Player plays parts at the live edge, pictures made now', async () => {
  const requested: string[] = [];
  watched.page.on('request', (request) => requested.push(request.url()));
  const before = await watched.look();
  await playsOn(watched);
  const after = await watched.look();
  process.stdout.write(
    `latency ${await latencyOf(watched)} ms; ${JSON.stringify(await eventsOf(watched.page))}\n`,
  );
  expect(after.currentTime).toBeGreaterThan(before.currentTime);
  expect(requested.some((url) => /_HLS_msn=\d+&_HLS_part=\d+/.test(url))).toBe(true);
  expect(requested.some((url) => /-\d+\.\d+\.m4s/.test(url))).toBe(true);
  expect(await fatalErrorsOf(watched.page)).toEqual([]);
});

test('Shaka Player plays on through the discontinuity of an encoder that reconnects', async () => {
  publisher.process.kill('SIGKILL');
  await publisher.stop();
  publisher = await publish();
  const afterMs = await playsOn(watched);
  process.stdout.write(`plays on after ${afterMs} ms; ${JSON.stringify(await eventsOf(watched.page))}\n`);
  expect(await fatalErrorsOf(watched.page)).toEqual([]);
});

async function publish(): Promise<StampedPublisher> {
  return startStampedPublisher({
    url: await rill.rill('publish-url', STREAM, '--rtmp'),
    ...{ width: 320, height: 180, bitrate: 500_000 },
  });
}
