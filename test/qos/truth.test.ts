/** From a throttled network to a report: what the rows say beside what was to be seen, and from where. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser, type Browser } from '../support/browser.ts';
import { COPY_LADDER } from '../support/ladders.ts';
import { until } from '../support/live-client.ts';
import { startPlacingProxy, type PlacingProxy } from '../support/placing-proxy.ts';
import { recordPictures, type ShownPicture } from '../support/picture-recorder.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';
import { expectAgreement, median, pictureDates, stoodStill } from './picture-truth.ts';

const STREAM = 'truth';
/** The header in which the edge's own proxies tell it of the place. */
const COUNTRY_HEADER = 'x-geo-country';
/** A machine of two noisy cores may miss a twentieth once: each try has a country, and so rows, of its own. */
const MEASURED = ['DE', 'DK', 'CH'] as const;
const tried: string[] = [];
const OTHERS = ['FR', 'IT', 'ES', 'PL', 'SE', 'NL', 'AT', 'BE', 'BR'] as const;
/** A twentieth of what the stream needs, bytes a second. */
const THROTTLED = 10_000;
/** What stands for less is a busy machine's decoder: without the element's word the module calls nothing less a stall. */
const STALL_MS = 500;
/** How long the picture is kept waiting, milliseconds, and how often. */
const STALLS_MS = [2_000, 1_200] as const;
/** What is asked for, milliseconds. */
const VISIBLE_MS = 5_000;
const NOW_MS = 10_000;

interface Row {
  readonly [name: string]: string | number;
}

let rill: RillInstance;
let publisher: StampedPublisher;
let browser: Browser;
let playlist: string;
let analyst: string;
const proxies: PlacingProxy[] = [];

beforeAll(async () => {
  rill = await startRill(
    { partTarget: 0.5, ladder: COPY_LADDER },
    { RILL_GEO_HEADERS: `country=${COUNTRY_HEADER}` },
  );
  publisher = startStampedPublisher({ url: await rill.rill('publish-url', STREAM, '--rtmp') });
  [browser, playlist] = await Promise.all([startBrowser(), rill.rill('play-url', STREAM)]);
  analyst = new URLSearchParams(new URL(await rill.rill('dashboard')).hash.slice(1)).get('token') ?? '';
  await until('a playable stream', async () => {
    const answer = await fetch(playlist);
    await answer.body?.cancel();
    return answer.ok ? true : undefined;
  });
  await sleep(3_000);
});

afterAll(async () => {
  await browser?.close();
  proxies.forEach((proxy) => proxy.close());
  await publisher?.stop();
  await rill?.stop();
});

async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(`${rill.edgeUrl}/v1/qos/${path}`, {
    headers: { authorization: `Bearer ${analyst}` },
  });
  expect(answer.status, path).toBe(200);
  return answer.json();
}

async function rowOf(report: string, country = tried.at(-1)): Promise<Row | undefined> {
  const { rows } = await ask<{ readonly rows: readonly Row[] }>(
    `${report}?stream=${STREAM}&by=country&from=-10m`,
  );
  return rows.find((row) => row['country'] === country);
}

/** Opens a page from a country, by the proxy of that country. */
async function open(country: string): Promise<Page> {
  const proxy = await startPlacingProxy({ edge: rill.edgeUrl, header: COUNTRY_HEADER, country });
  proxies.push(proxy);
  const { page } = await browser.watch(`${proxy.url}/healthz`);
  await page.setContent('<video muted playsinline width="320" height="180"></video>');
  await page.addScriptTag({ path: 'node_modules/hls.js/dist/hls.min.js' });
  await page.addScriptTag({ type: 'module', content: playerScript(new URL(playlist).pathname) });
  await page.waitForSelector('html[data-ready]');
  return page;
}

/** Begins to play; returns when that was, Unix milliseconds. */
async function requestPlay(page: Page): Promise<number> {
  return page.evaluate(() => {
    document.dispatchEvent(new Event('start'));
    return performance.timeOrigin + performance.now();
  });
}

/** Ten players decode on two cores that other tests use too, milliseconds. */
const STARTS_LIMIT_MS = 120_000;

test(
  'a report says of a viewer with a throttled network what the picture showed',
  { retry: MEASURED.length - 1 },
  async () => {
    const country = MEASURED[tried.length] ?? '';
    tried.push(country);
    const page = await open(country);
    const network = await page.context().newCDPSession(page);
    const recorded = await recordPictures(page);
    const requestedAt = await requestPlay(page);
    const fresh = await watchFreshness();
    await sleep(3_000);
    for (const ms of STALLS_MS) {
      await throttle(network, page, ms);
      await sleep(4_000);
    }
    const dates = await pictureDates(playlist);
    const pictures = await recorded();
    const leftAt = await page.evaluate(() => performance.timeOrigin + performance.now());
    await page.goto('about:blank');
    await until('the end in the report', async () => {
      const row = await rowOf('sessions');
      return row?.['ended'] === 1 ? true : undefined;
    });

    const first = pictures.find(({ stamp }) => stamp !== pictures[0]?.stamp)?.at ?? 0;
    const seen = { startup: first - requestedAt, stood: stoodStill(pictures, STALL_MS) };
    const lasted = leftAt - first;
    const [startup, rebuffering, latency] = await Promise.all(
      ['startup', 'rebuffering', 'latency'].map((report) => rowOf(report)),
    );
    const latencySeen = await latencyOfPictures(pictures, dates);
    process.stdout.write(
      `${JSON.stringify({ fresh, seen, lasted, latencySeen, startup, rebuffering, latency })}\n`,
    );
    expect(seen.stood).toBeGreaterThan(STALLS_MS.reduce((sum, ms) => sum + ms, 0));
    expectAgreement('startup', Number(startup?.['p50_ms']), seen.startup);
    expectAgreement('stalled time', Number(rebuffering?.['stalled_ms']), seen.stood);
    expect(rebuffering?.['stalls']).toBeGreaterThanOrEqual(STALLS_MS.length);
    // The ratio over a time that ends with the page: its rounding is that of the times it is made of.
    const ratio = seen.stood / lasted;
    expect(Math.abs(Number(rebuffering?.['rebuffering_ratio']) - ratio)).toBeLessThan(
      Math.max(0.05 * ratio, (2 * 100) / lasted),
    );
    expectAgreement('latency', Number(latency?.['p50_ms']), latencySeen);
    expect(fresh.reportMs).toBeLessThan(VISIBLE_MS);
    expect(fresh.nowMs).toBeLessThan(NOW_MS);
  },
);

test('ten players from ten countries are told apart', async () => {
  const before = await rowOf('rebuffering');
  const players = await Promise.all(OTHERS.map((country) => open(country)));
  await Promise.all(players.map((page) => requestPlay(page)));
  const countries = [...tried, ...OTHERS].toSorted();
  const rows = await until(
    'a start in each country',
    async () => {
      const { rows: all } = await ask<{ readonly rows: readonly Row[] }>(
        `startup?stream=${STREAM}&by=country&from=-10m`,
      );
      return all.length === countries.length ? all : undefined;
    },
    STARTS_LIMIT_MS,
  );
  expect(rows.map((row) => [row['country'], row['starts']])).toEqual(countries.map((name) => [name, 1]));
  await until('nine viewers now', async () => {
    const { streams } = await ask<{ readonly streams: readonly Row[] }>(`now?stream=${STREAM}`);
    return streams[0]?.['viewers'] === OTHERS.length ? true : undefined;
  });
  await Promise.all(players.map((page) => page.close()));
  expect(await rowOf('rebuffering')).toEqual(before);
});

/** How long after the request to play the viewer is counted now, and after the first frame it is in the report; ms. */
async function watchFreshness(): Promise<{ readonly nowMs: number; readonly reportMs: number }> {
  const [nowAt, reportAt] = await Promise.all([
    until('a viewer now', async () => {
      const { streams } = await ask<{ readonly streams: readonly Row[] }>(`now?stream=${STREAM}`);
      return streams[0]?.['viewers'] === 1 ? Date.now() : undefined;
    }),
    until('the start in the report', async () =>
      (await rowOf('startup'))?.['starts'] === 1 ? Date.now() : undefined,
    ),
  ]);
  const at = async (event: string): Promise<number> => Number((await timeline(event))[0]?.['at_ms']);
  return { nowMs: nowAt - (await at('session_start')), reportMs: reportAt - (await at('startup')) };
}

/** Rows of the measured viewer's session. */
async function timeline(event?: string): Promise<readonly Row[]> {
  const { rows: worst } = await ask<{ readonly rows: readonly Row[] }>(`worst?stream=${STREAM}`);
  const session = worst.find(({ country }) => country === tried.at(-1))?.['session'];
  const { rows } = await ask<{ readonly rows: readonly Row[] }>(`session/${session}?stream=${STREAM}`);
  return event === undefined ? rows : rows.filter((row) => row['event'] === event);
}

/** The median age of the picture at the instants at which the player told a latency, milliseconds. */
async function latencyOfPictures(
  pictures: readonly ShownPicture[],
  dates: ReadonlyMap<number, number>,
): Promise<number> {
  const told = (await timeline()).filter((row) => Number(row['latency_ms']) > 0);
  const ages = told.flatMap((row) => {
    const at = Number(row['at_ms']);
    const date = dates.get(pictures.findLast((picture) => picture.at <= at)?.stamp ?? 0);
    return date === undefined ? [] : [at - date];
  });
  expect(ages.length).toBeGreaterThan(told.length / 2);
  return median(ages);
}

/** Gives the page less network than the stream needs until its picture has stood still for a time. */
async function throttle(network: CDPSession, page: Page, ms: number): Promise<void> {
  const conditions = { offline: false, latency: 0, uploadThroughput: -1 };
  await network.send('Network.emulateNetworkConditions', { ...conditions, downloadThroughput: THROTTLED });
  await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 4) < 3);
  await sleep(ms);
  await network.send('Network.emulateNetworkConditions', { ...conditions, downloadThroughput: -1 });
}

/** Plays with hls.js, measured by the module from the edge, which tells the edge. */
function playerScript(multivariant: string): string {
  const beacon = multivariant.replace(/\/live\/.*$/, '/beacon');
  return `import { attachQoe } from '/assets/rill-qoe.js';
  const video = document.querySelector('video');
  document.addEventListener('start', () => {
    const hls = new Hls({ lowLatencyMode: true });
    attachQoe(video, { url: '${beacon}', stream: '${STREAM}', engine: hls, player: 'hls.js',
      playerVersion: Hls.version, heartbeatMs: 1000 });
    hls.loadSource(${JSON.stringify(multivariant)});
    hls.attachMedia(video);
    video.play();
  });
  document.documentElement.dataset.ready = '';`;
}
