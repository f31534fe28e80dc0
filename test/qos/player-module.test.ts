import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BeaconEvent } from '../../shared/qos/beacon.ts';
import { startBeaconCollector, type BeaconCollector } from '../support/beacon-collector.ts';
import { startBrowser, type Browser } from '../support/browser.ts';
import { COPY_LADDER } from '../support/ladders.ts';
import { until } from '../support/live-client.ts';
import { recordPictures, type ShownPicture } from '../support/picture-recorder.ts';
import { expectAgreement, median, pictureDates, stoodStill } from './picture-truth.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';

let rill: RillInstance;
let publisher: StampedPublisher;
let browser: Browser;
let site: BeaconCollector;
let playlist: string;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, ladder: COPY_LADDER });
  publisher = startStampedPublisher({ url: await rill.rill('publish-url', 'measured', '--rtmp') });
  browser = await startBrowser();
  playlist = await rill.rill('play-url', 'measured');
  site = await startBeaconCollector(foreignPage(playlist, rill.edgeUrl), {
    '/hls.js': await readFile('node_modules/hls.js/dist/hls.min.js'),
  });
  await until('a playable stream', async () => {
    const answer = await fetch(playlist);
    await answer.body?.cancel();
    return answer.ok ? true : undefined;
  });
  await sleep(3_000);
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
  await publisher?.stop();
  await rill?.stop();
});

test('the player module tells what the picture shows', async () => {
  const { page } = await browser.watch(site.url);
  const network = await page.context().newCDPSession(page);
  const recorded = await recordPictures(page);
  const requestedAt = await page.evaluate(() => {
    document.dispatchEvent(new Event('start'));
    return performance.timeOrigin + performance.now();
  });
  await until('a start', () => site.events().find(({ event }) => event === 'startup'));
  await sleep(2_500);
  await starve(network, async () => {
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 4) < 3);
    await sleep(2_000);
  });
  await until('the end of a stall', () => site.events().find(({ event }) => event === 'stall_end'));
  await sleep(2_500);

  const pictures = await recorded();
  const events = site.events();
  const dates = await pictureDates(playlist);
  const moving = pictures.find(({ stamp }) => stamp !== pictures[0]?.stamp);
  const startup = events.find(({ event }) => event === 'startup')?.startupMs;
  expectAgreement('startup', startup, (moving?.at ?? 0) - requestedAt);

  const stood = stoodStill(pictures);
  expect(stood).toBeGreaterThan(1_000);
  expectAgreement('stall time', sum(events, 'stalledMs'), stood);

  const latencies = compareLatencies(events, pictures, dates);
  expect(latencies.length).toBeGreaterThan(3);
  const middle = median(latencies.map(({ told }) => told));
  expectAgreement('latency', middle, median(latencies.map(({ seen }) => seen)));

  await expectNoStall(page, network);

  await page.goto('about:blank');
  const end = await until('the end event', () => site.events().find(({ event }) => event === 'end'));
  expect(end).not.toHaveProperty('exitBeforeStart');
  expect(site.events().map(({ seq }) => seq)).toEqual(site.events().map((_, index) => index));
  expect(site.beacons[0]).toMatchObject({ stream: 'measured', player: 'hls.js' });
  await page.close();
});

test('the watch page tells the edge, with the viewer’s token', async () => {
  const { page } = await browser.watch(await rill.rill('play-url', 'measured', '--watch'));
  const answer = await page.waitForResponse((one) => new URL(one.url()).pathname.endsWith('/beacon'));
  expect(new URL(answer.url()).pathname).toMatch(/^\/t\/[\w-]+\.[\w-]+\.[\w-]+\/beacon$/);
  expect(answer.request().postDataJSON()).toMatchObject({ v: 1, stream: 'measured', player: 'hls.js' });
  expect(answer.status()).toBe(204);
  await page.close();
});

/** Pause, seek and a hidden page, with the network away while it is hidden: none of them is a stall. */
async function expectNoStall(page: Page, network: CDPSession): Promise<void> {
  const before = site.events().length;
  await page.evaluate(() => document.querySelector('video')?.pause());
  await sleep(1_500);
  await page.evaluate(async () => {
    const video = document.querySelector('video');
    await video?.play();
  });
  await sleep(1_000);
  await page.evaluate(() => {
    const video = document.querySelector('video');
    if (video !== null) {
      video.currentTime -= 3;
    }
  });
  await sleep(2_000);
  await setVisibility(page, 'hidden');
  await starve(network, () => sleep(3_000));
  await setVisibility(page, 'visible');
  const after = await until('a beat after all that', () => {
    const events = site.events().slice(before);
    return events.at(-1)?.event === 'heartbeat' && events.some(({ event }) => event === 'seek')
      ? events
      : undefined;
  });
  expect(after.filter(({ event }) => event.startsWith('stall'))).toEqual([]);
}

async function setVisibility(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}

/** Takes the network away from the page, beacons included: what happens meanwhile is told afterwards. */
async function starve(network: CDPSession, meanwhile: () => Promise<void>): Promise<void> {
  const conditions = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
  await network.send('Network.emulateNetworkConditions', { ...conditions, offline: true });
  await meanwhile();
  await network.send('Network.emulateNetworkConditions', { ...conditions, offline: false });
}

/** What the heartbeats say of the latency beside the date of the picture on screen at that instant. */
function compareLatencies(
  events: readonly BeaconEvent[],
  pictures: readonly ShownPicture[],
  dates: ReadonlyMap<number, number>,
): readonly { readonly told: number; readonly seen: number }[] {
  return events
    .filter(({ event }) => event === 'heartbeat')
    .flatMap(({ at, latencyMs }) => {
      const date = dates.get(pictures.findLast((picture) => picture.at <= at)?.stamp ?? 0);
      return date === undefined || latencyMs === undefined ? [] : [{ told: latencyMs, seen: at - date }];
    });
}

function sum(events: readonly BeaconEvent[], key: 'stalledMs'): number {
  return events.reduce((total, event) => total + (event[key] ?? 0), 0);
}

/** A page as anybody may write it: hls.js, and the module from the edge. */
function foreignPage(playlist: string, edge: string): string {
  return `<!doctype html><video muted playsinline width="640" height="360"></video>
<script src="/hls.js"></script>
<script type="module">
  import { attachQoe } from '${edge}/assets/rill-qoe.js';
  const video = document.querySelector('video');
  document.addEventListener('start', () => {
    const hls = new Hls({ lowLatencyMode: true });
    attachQoe(video, { url: '/beacon?token=x', stream: 'measured', engine: hls, player: 'hls.js',
      playerVersion: Hls.version, heartbeatMs: 1000 });
    hls.loadSource(${JSON.stringify(playlist)});
    hls.attachMedia(video);
    video.play();
  });
</script>`;
}
