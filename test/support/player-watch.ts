/** What tests of players look at while one plays: its latency, what its video goes through, and that it plays on. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { WatchedPage } from './browser.ts';
import { until } from './live-client.ts';

/** At most so old are pictures at the live edge, milliseconds. */
const LIVE_EDGE_MS = 6_000;
/** Time for a player to play on, milliseconds. */
export const RECOVERY_LIMIT_MS = 30_000;
/** What was made before an event reaches the screen within this time after it, milliseconds. */
const STILL_ON_THE_WAY_MS = 4_000;
/** Pictures that a latency is taken from, as their median. */
const LOOKS = 5;

/** The median of a few pictures' ages, milliseconds. */
export async function latencyOf(watched: WatchedPage): Promise<number> {
  const ages: number[] = [];
  while (ages.length < LOOKS) {
    const { latencyMs } = await watched.look();
    if (latencyMs !== undefined) {
      ages.push(latencyMs);
    }
    await sleep(50);
  }
  return ages.toSorted((left, right) => left - right)[Math.floor(LOOKS / 2)] ?? 0;
}

/** Waits until the page plays at the live edge. */
export async function atLiveEdge(watched: WatchedPage): Promise<void> {
  await watched.playing();
  await until('the live edge', async () => ((await latencyOf(watched)) < LIVE_EDGE_MS ? true : undefined));
}

/** Waits until pictures made after now move on screen at the live edge; returns how long that took, milliseconds. */
export async function playsOn(watched: WatchedPage): Promise<number> {
  const since = Date.now();
  await until(
    'a picture made from now on at the live edge',
    async () => {
      const { latencyMs = Infinity, stalled } = await watched.look();
      const madeLater = Date.now() - latencyMs > since + STILL_ON_THE_WAY_MS;
      return !stalled && madeLater && latencyMs < LIVE_EDGE_MS ? true : undefined;
    },
    RECOVERY_LIMIT_MS,
  );
  return Date.now() - since;
}

/** Writes down what the page's video goes through, in the page's own memory. */
export async function collectEvents(page: Page): Promise<void> {
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

/** What {@link collectEvents} has written down. */
export async function eventsOf(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const seen: unknown = Reflect.get(globalThis, 'seenEvents');
    return Array.isArray(seen) ? seen.map(String) : [];
  });
}

/** Those events that a player does not go on from. */
export async function fatalErrorsOf(page: Page): Promise<readonly string[]> {
  return (await eventsOf(page)).filter((event) => event.startsWith('fatalerror'));
}
