import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, afterAll, expect, test } from 'vitest';
import { startBrowser, type Browser } from '../support/browser.ts';
import { startFurtherOrigin, type FurtherOrigin } from '../support/further-origin.ts';
import { COPY_LADDER } from '../support/ladders.ts';
import { fetchPlaylist, fetchVariants, followParts, until } from '../support/live-client.ts';
import { expectOneAfterTheOther, longestWait } from '../support/followed-parts.ts';
import { atLiveEdge, collectEvents, fatalErrorsOf, playsOn } from '../support/player-watch.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';

/** Within so long after its death an origin's streams go on at the other, milliseconds. */
const TAKE_OVER_LIMIT_MS = 8_000;

/** By how much a busy machine's first frame may come late, and with it all dates, milliseconds. */
const LATE_FRAME_MS = 500;
/** The first origin says at once that it has no more, so nobody waits for its lease to run out; milliseconds. */
const HAND_OVER_LIMIT_MS = 5_000;
const HAND_OVER_WATCH_MS = 6_000;
/** How long the parts are followed, and how long of that before the origin is killed, milliseconds. */
const WATCH_MS = 12_000;
const WATCH_BEFORE_MS = 2_000;

let rill: RillInstance;
let browser: Browser;
let origins: FurtherOrigin[] = [];
let publishers: StampedPublisher[] = [];

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, dvr: '60s', ladder: COPY_LADDER });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await rill?.stop();
});

afterEach(async () => {
  origins.forEach((origin) => origin.process.kill('SIGCONT'));
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  await Promise.all(origins.map((origin) => origin.kill()));
  origins = [];
  publishers = [];
});

/** Publishes to a further origin first, and to the instance's own once the stream is live. */
async function publishToBoth(stream: string): Promise<{ first: FurtherOrigin; variant: string }> {
  const first = await startFurtherOrigin(rill);
  origins.push(first);
  publishers.push(startStampedPublisher({ url: await first.publishUrl(stream, 'rtmp') }));
  const playUrl = await rill.rill('play-url', stream);
  const variant = await until('a variant', async () => (await fetchVariants(playUrl)).variants[0]);
  publishers.push(startStampedPublisher({ url: await rill.rill('publish-url', stream, '--rtmp') }));
  await until('the other origin to stand by', () =>
    rill.output().includes('standing by') ? true : undefined,
  );
  await until('three segments', async () =>
    (await fetchPlaylist(variant)).segments.length >= 3 ? true : undefined,
  );
  return { first, variant };
}

test('a second origin goes on with a stream when the first is killed, and players follow', async () => {
  const { first, variant } = await publishToBoth('takeover');
  const page = await browser.watch(await rill.rill('play-url', 'takeover', '--watch'));
  await collectEvents(page.page);
  await atLiveEdge(page);
  const watching = followParts(variant, WATCH_MS);
  await sleep(WATCH_BEFORE_MS);
  await first.kill();
  const parts = await watching;
  expectOneAfterTheOther(parts);
  const interruption = longestWait(parts);
  process.stdout.write(`origin killed: the longest wait for a part was ${interruption} ms\n`);
  expect(interruption).toBeLessThan(TAKE_OVER_LIMIT_MS);
  expect(parts.at(-1)?.downloadedAt).toBeGreaterThan(Date.now() - 2_000);
  const after = await fetchPlaylist(variant);
  expect(after.ended).toBe(false);
  expect(after.discontinuities).toBe(1);
  expectDatesInOrder(after.text);
  await playsOn(page);
  expect(await fatalErrorsOf(page.page)).toEqual([]);
  await page.page.close();
});

test('a stream goes on at the second origin when the first one is bidden goodbye, and ends with both', async () => {
  const { variant } = await publishToBoth('goodbye');
  const watching = followParts(variant, HAND_OVER_WATCH_MS);
  await sleep(WATCH_BEFORE_MS);
  await publishers.shift()?.stop();
  const parts = await watching;
  expectOneAfterTheOther(parts);
  process.stdout.write(`encoder stopped: the longest wait for a part was ${longestWait(parts)} ms\n`);
  expect(longestWait(parts)).toBeLessThan(HAND_OVER_LIMIT_MS);
  expect(await fetchPlaylist(variant)).toMatchObject({ discontinuities: 1, ended: false });
  await publishers.shift()?.stop();
  await until('the end', async () => ((await fetchPlaylist(variant)).ended ? true : undefined));
});

test('an origin that was paused for longer than its lease is fenced off when it wakes up', async () => {
  const { first, variant } = await publishToBoth('paused');
  first.process.kill('SIGSTOP');
  const taken = await until('the other origin to go on', async () => {
    const playlist = await fetchPlaylist(variant);
    return playlist.discontinuities === 1 ? playlist : undefined;
  });
  first.process.kill('SIGCONT');
  await until('the first to find out', () =>
    first.output().includes('another origin has taken this stream over') ? true : undefined,
  );
  await sleep(2_000);
  const after = await fetchPlaylist(variant);
  expect(after.discontinuities).toBe(1);
  expect(new Set(after.text.match(/^#EXT-X-MAP:.*$/gm)).size).toBe(2);
  expect(after.next.msn).toBeGreaterThan(taken.next.msn);
  expectDatesInOrder(after.text);
});

/** EXT-X-PROGRAM-DATE-TIME never runs ahead of the clock, and back by no more than a group of pictures. */
function expectDatesInOrder(text: string): void {
  const dates = [...text.matchAll(/^#EXT-X-PROGRAM-DATE-TIME:(.+)$/gm)].map(([, date = '']) =>
    Date.parse(date),
  );
  expect(dates.length).toBeGreaterThan(1);
  dates.forEach((date, index) => {
    expect(date).toBeGreaterThan((dates[index - 1] ?? 0) - 2_000);
    expect(date).toBeLessThan(Date.now() + LATE_FRAME_MS);
  });
}
