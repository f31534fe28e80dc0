import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser, type Browser } from '../support/browser.ts';
import { until } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';
import { COPY_LADDER } from '../support/ladders.ts';

const WATCHED_MS = 8_000;
/** With the five seconds of clock difference that are forgiven, over before the page has been watched. */
const TTL = '2s';
/** Far above what the benchmark shows: this tells a live edge from a backlog, not fast from slow. */
const LATENCY_LIMIT_MS = 8_000;

let rill: RillInstance;
let publisher: StampedPublisher;
let browser: Browser;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, ladder: COPY_LADDER });
  publisher = startStampedPublisher({ url: await rill.rill('publish-url', 'watched', '--rtmp') });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await publisher?.stop();
  await rill?.stop();
});

test('a browser plays the watch page at the live edge, long after its link expired, and shows how it goes', async () => {
  const watched = await browser.watch(await rill.rill('play-url', 'watched', '--watch', '--ttl', TTL));
  const foreign: string[] = [];
  watched.page.on('request', (request) => {
    if (new URL(request.url()).host !== new URL(rill.edgeUrl).host && !request.url().startsWith('blob:')) {
      foreign.push(request.url());
    }
  });
  await watched.playing();
  const before = await until('a stamped picture', async () => {
    const seen = await watched.look();
    return seen.latencyMs === undefined ? undefined : seen;
  });
  await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
  const after = await until('a stamped picture', async () => {
    const seen = await watched.look();
    return seen.latencyMs === undefined ? undefined : seen;
  });
  expect(after.currentTime - before.currentTime).toBeGreaterThan((WATCHED_MS / 1000) * 0.7);
  expect(after.latencyMs).toBeGreaterThan(0);
  expect(after.latencyMs).toBeLessThan(LATENCY_LIMIT_MS);
  expect(foreign).toEqual([]);
  for (const id of ['latency', 'buffer', 'rendition', 'dropped']) {
    expect(await watched.page.locator(`#${id}`).textContent()).toMatch(/\d/);
  }
});

test('the watch page says so when the token is not valid', async () => {
  const watched = await browser.watch(`${rill.edgeUrl}/watch/watched?token=x.y.z`);
  await until('a message', async () => {
    const text = await watched.page.locator('body').innerText();
    return /token|authori|expired|allowed/i.test(text) ? true : undefined;
  });
});
