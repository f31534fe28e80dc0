import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser, type Browser } from '../support/browser.ts';
import { COPY_LADDER } from '../support/ladders.ts';
import { expectOneAfterTheOther, longestWait } from '../support/followed-parts.ts';
import { fetchPlaylist, fetchVariants, followParts, until } from '../support/live-client.ts';
import { atLiveEdge, collectEvents, fatalErrorsOf, playsOn } from '../support/player-watch.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';

/** A switch takes at most so long, milliseconds; a player waits for a part more. */
const SWITCH_LIMIT_MS = 2_000;
const PART_MS = 500;
const RETURN_AFTER_SECONDS = 3;
const GRACE_MS = 6_000;
/** How long before its end the grace period is looked at, milliseconds. */
const EDGE_MS = 1_000;
/** An encoder that comes back needs some time to start, milliseconds. */
const START_MS = 4_000;
const WATCH_MS = 4_500;
const WATCH_BEFORE_MS = 1_500;

let rill: RillInstance;
let browser: Browser;
const publishers: StampedPublisher[] = [];

beforeAll(async () => {
  rill = await startRill({
    partTarget: PART_MS / 1_000,
    dvr: '60s',
    ladder: COPY_LADDER,
    redundancy: { returnAfter: RETURN_AFTER_SECONDS, reconnectGrace: GRACE_MS / 1_000 },
  });
  browser = await startBrowser();
});

afterAll(async () => {
  for (const publisher of publishers) {
    publisher.process.kill('SIGCONT');
    await publisher.stop();
  }
  await browser?.close();
  await rill?.stop();
});

function publish(url: string): StampedPublisher {
  const publisher = startStampedPublisher({ url });
  publishers.push(publisher);
  return publisher;
}

test('the backup feed takes over from a lost and from a silent primary within 2 s, and gives back', async () => {
  const primaryUrl = await rill.rill('publish-url', 'pair', '--rtmp');
  const backupUrl = (await rill.rill('publish-url', 'pair', '--srt')).replace(
    'm=publish',
    'm=publish,role=backup',
  );
  const primary = publish(primaryUrl);
  const playUrl = await rill.rill('play-url', 'pair');
  const variant = await until('a variant', async () => (await fetchVariants(playUrl)).variants[0]);
  publish(backupUrl);
  const page = await browser.watch(await rill.rill('play-url', 'pair', '--watch'));
  await collectEvents(page.page);
  await atLiveEdge(page);
  expect((await fetchPlaylist(variant)).discontinuities).toBe(0);

  await expectSwitch(variant, 'a killed primary', () => primary.process.kill('SIGKILL'));
  expect((await fetchPlaylist(variant)).discontinuities).toBe(1);

  const again = publish(primaryUrl);
  await until('the primary to be gone back to', async () =>
    (await fetchPlaylist(variant)).discontinuities === 2 ? true : undefined,
  );
  expect(Date.now() - again.startedAt).toBeGreaterThan(RETURN_AFTER_SECONDS * 1_000);

  await expectSwitch(variant, 'a silent primary', () => again.process.kill('SIGSTOP'));
  expect(await fetchPlaylist(variant)).toMatchObject({ discontinuities: 3, ended: false });
  await playsOn(page);
  expect(await fatalErrorsOf(page.page)).toEqual([]);
});

test('an encoder may come back up to the end of the grace period, and ends its stream by staying away', async () => {
  const url = await rill.rill('publish-url', 'grace', '--rtmp');
  const first = publish(url);
  const playUrl = await rill.rill('play-url', 'grace');
  const variant = await until('a variant', async () => (await fetchVariants(playUrl)).variants[0]);
  await until('a segment', async () =>
    (await fetchPlaylist(variant)).segments.length > 0 ? true : undefined,
  );
  first.process.kill('SIGKILL');
  await sleep(GRACE_MS - START_MS);
  const second = publish(url);
  const after = await until('a segment after the discontinuity', async () => {
    const playlist = await fetchPlaylist(variant);
    return playlist.discontinuities === 1 && !playlist.ended ? playlist : undefined;
  });
  second.process.kill('SIGKILL');
  const lostAt = Date.now();
  await sleep(GRACE_MS - EDGE_MS);
  expect((await fetchPlaylist(variant)).ended).toBe(false);
  const ended = await until('the end', async () => {
    const playlist = await fetchPlaylist(variant);
    return playlist.ended ? playlist : undefined;
  });
  expect(Date.now() - lostAt).toBeGreaterThan(GRACE_MS - EDGE_MS);
  expect(Date.now() - lostAt).toBeLessThan(GRACE_MS + 5 * EDGE_MS);
  expect(ended.next.msn).toBeGreaterThanOrEqual(after.next.msn);
});

async function expectSwitch(variant: string, what: string, breakIt: () => void): Promise<void> {
  const watching = followParts(variant, WATCH_MS);
  await sleep(WATCH_BEFORE_MS);
  breakIt();
  const parts = await watching;
  expectOneAfterTheOther(parts);
  process.stdout.write(`${what}: the longest wait for a part was ${longestWait(parts)} ms\n`);
  expect(longestWait(parts)).toBeLessThan(SWITCH_LIMIT_MS + PART_MS);
}
