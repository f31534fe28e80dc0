import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startBrowser, type Browser, type WatchedPage } from '../support/browser.ts';
import { until } from '../support/live-client.ts';
import { listDescendants } from '../support/process-usage.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';

const LADDER = {
  video: [{ name: 'source', codec: 'copy' }],
  audio: { name: 'audio', codec: 'copy', bitrate: 128_000 },
};
const PAUSE_MS = 3_000;
/** By how much the latency may differ from that before the pause: the catch-up speed comes in steps. */
const LATENCY_MARGIN_MS = 500;
const RECOVERY_LIMIT_MS = 30_000;
/** Pictures that a latency is taken from, as their median. */
const LOOKS = 5;

let rill: RillInstance;
let browser: Browser;
let publisher: StampedPublisher;
let stream: string;
let watched: WatchedPage;
let count = 0;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, ladder: LADDER });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await rill?.stop();
});

beforeEach(async () => {
  count += 1;
  stream = `player${count}`;
  publisher = await publish();
  watched = await browser.watch(await rill.rill('play-url', stream, '--watch'));
  await collectEvents(watched.page);
  await watched.playing();
  await until('the live edge', async () => ((await latency()) < 6_000 ? true : undefined));
});

afterEach(async () => {
  await watched?.page.close();
  await publisher?.stop();
});

test('hls.js recovers its target latency after a network pause of 3 s', async () => {
  const before = await latency();
  await watched.page.context().setOffline(true);
  await wait(PAUSE_MS);
  await watched.page.context().setOffline(false);
  const behind = await latency();
  const startedAt = Date.now();
  const after = await until(
    'the latency from before the pause',
    async () => {
      const now = await latency();
      return now <= before + LATENCY_MARGIN_MS ? now : undefined;
    },
    RECOVERY_LIMIT_MS,
  );
  process.stdout.write(
    `latency ${before} ms, after the pause ${behind} ms, ${after} ms ${Date.now() - startedAt} ms later\n`,
  );
  expect(await fatalErrors()).toEqual([]);
});

test('hls.js plays on through the discontinuity of an encoder that reconnects', async () => {
  publisher.process.kill('SIGKILL');
  await publisher.stop();
  publisher = await publish();
  await playsOn();
});

test('hls.js plays on through the discontinuity of an ffmpeg killed with SIGKILL', async () => {
  const found = listDescendants(rill.processId).find((one) => one.command.includes('ffmpeg '));
  expect(found).toBeDefined();
  process.kill(found?.processId ?? 0, 'SIGKILL');
  await playsOn();
});

test('the watch page resumes by itself when a stream that has ended begins again', async () => {
  await publisher.stop();
  await until('the end', async () =>
    (await watched.page.locator('#badge').textContent()) === 'Ended' ? true : undefined,
  );
  publisher = await publish();
  const startedAt = Date.now();
  await playsOn();
  process.stdout.write(`resumed within ${Date.now() - startedAt} ms\n`);
  expect(await watched.page.locator('#badge').textContent()).toBe('Live');
});

async function publish(): Promise<StampedPublisher> {
  return startStampedPublisher({ url: await rill.rill('publish-url', stream, '--rtmp') });
}

/** Waits until pictures made after now move on screen at the live edge, and insists on no fatal error. */
async function playsOn(): Promise<void> {
  const since = Date.now();
  await until(
    'a picture made from now on',
    async () => {
      const { latencyMs, stalled } = await watched.look();
      return !stalled && latencyMs !== undefined && Date.now() - latencyMs > since + 4_000 ? true : undefined;
    },
    RECOVERY_LIMIT_MS,
  );
  process.stdout.write(
    `plays on after ${Date.now() - since} ms; ${JSON.stringify(await events(watched.page))}\n`,
  );
  expect(await latency()).toBeLessThan(6_000);
  expect(await fatalErrors()).toEqual([]);
}

/** The median of a few pictures' ages, milliseconds. */
async function latency(): Promise<number> {
  const ages: number[] = [];
  while (ages.length < LOOKS) {
    const { latencyMs } = await watched.look();
    if (latencyMs !== undefined) {
      ages.push(latencyMs);
    }
    await wait(50);
  }
  return ages.toSorted((left, right) => left - right)[Math.floor(LOOKS / 2)] ?? 0;
}

async function fatalErrors(): Promise<readonly string[]> {
  return (await events(watched.page)).filter((event) => event.startsWith('fatalerror'));
}

/** Writes down what the page's video goes through, in the page's own memory. */
async function collectEvents(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: string[] = [];
    const started = performance.now();
    Object.assign(globalThis, { seenEvents: seen });
    for (const name of ['fatalerror', 'waiting', 'seeking', 'emptied', 'ended', 'error']) {
      document.querySelector('video')?.addEventListener(name, (event) => {
        const detail = event instanceof CustomEvent ? ` ${String(event.detail)}` : '';
        seen.push(`${name}${detail} at ${Math.round(performance.now() - started)} ms`);
      });
    }
  });
}

async function events(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const seen: unknown = Reflect.get(globalThis, 'seenEvents');
    return Array.isArray(seen) ? seen.map(String) : [];
  });
}

async function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
