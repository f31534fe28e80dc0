import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startBrowser, type Browser, type WatchedPage } from '../support/browser.ts';
import { COPIED_PICTURE_LADDER } from '../support/ladders.ts';
import { until } from '../support/live-client.ts';
import {
  atLiveEdge,
  collectEvents,
  eventsOf,
  fatalErrorsOf,
  latencyOf,
  playsOn,
  RECOVERY_LIMIT_MS,
} from '../support/player-watch.ts';
import { listDescendants } from '../support/process-usage.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';

const PAUSE_MS = 3_000;
/**
 * By how much the latency may differ from that before the pause: two stalls add half a second to what the player aims
 * at until it has been sound for a while, and it stops catching up a little before that.
 */
const LATENCY_MARGIN_MS = 750;

let rill: RillInstance;
let browser: Browser;
let publisher: StampedPublisher;
let stream: string;
let watched: WatchedPage;
let count = 0;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, ladder: COPIED_PICTURE_LADDER });
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
  await atLiveEdge(watched);
});

afterEach(async () => {
  await watched?.page.close();
  await publisher?.stop();
});

test('hls.js recovers its target latency after a network pause of 3 s', async () => {
  const before = await latencyOf(watched);
  await watched.page.context().setOffline(true);
  await sleep(PAUSE_MS);
  await watched.page.context().setOffline(false);
  const behind = await latencyOf(watched);
  const startedAt = Date.now();
  const seen: number[] = [];
  const after = await until(
    'the latency from before the pause',
    async () => {
      const now = await latencyOf(watched);
      seen.push(now);
      return now <= before + LATENCY_MARGIN_MS ? now : undefined;
    },
    RECOVERY_LIMIT_MS,
  ).catch((error: unknown) => {
    throw new Error(`${before} ms before, ${behind} ms after the pause, then ${seen.join(', ')} ms`, {
      cause: error,
    });
  });
  process.stdout.write(
    `latency ${before} ms, after the pause ${behind} ms, ${after} ms ${Date.now() - startedAt} ms later\n`,
  );
  expect(await fatalErrorsOf(watched.page)).toEqual([]);
});

test('hls.js plays on through the discontinuity of an encoder that reconnects', async () => {
  publisher.process.kill('SIGKILL');
  await publisher.stop();
  publisher = await publish();
  await goesOn();
});

test('hls.js plays on through the discontinuity of an ffmpeg killed with SIGKILL', async () => {
  const found = listDescendants(rill.processId).find((one) => one.command.includes('ffmpeg '));
  expect(found).toBeDefined();
  process.kill(found?.processId ?? 0, 'SIGKILL');
  await goesOn();
});

test('the watch page resumes by itself when a stream that has ended begins again', async () => {
  await publisher.stop();
  await until('the end', async () =>
    (await watched.page.locator('#badge').textContent()) === 'Ended' ? true : undefined,
  );
  publisher = await publish();
  const startedAt = Date.now();
  await goesOn();
  process.stdout.write(`resumed within ${Date.now() - startedAt} ms\n`);
  expect(await watched.page.locator('#badge').textContent()).toBe('Live');
});

async function publish(): Promise<StampedPublisher> {
  return startStampedPublisher({ url: await rill.rill('publish-url', stream, '--rtmp') });
}

/** Insists on pictures made from now on and on no fatal error. */
async function goesOn(): Promise<void> {
  const afterMs = await playsOn(watched);
  process.stdout.write(`plays on after ${afterMs} ms; ${JSON.stringify(await eventsOf(watched.page))}\n`);
  expect(await fatalErrorsOf(watched.page)).toEqual([]);
}
