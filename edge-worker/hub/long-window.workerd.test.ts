import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { HubStorage } from './hub-storage.ts';
import { LiveStream } from './live-stream.ts';
import type { LiveWindow } from './live-window.ts';
import { renderDeltaUpdate, renderWholePlaylist } from './playlist-text.ts';
import { countSegments } from './segment-list.ts';
import { begin, framesOf, init, part, segments, take, type Unnumbered } from './window-fixture.ts';

const FOUR_HOURS = 7_200;
/** Segments that one request of a test brings. */
const BATCH = 100;
/** Of a stored segment: seven numbers, and what SQLite needs around them. */
const STORED_BYTES_PER_SEGMENT = 100;
const RENDITIONS = ['1080p', '720p', '480p', '360p', '240p', 'a'];

/** A segment of four parts of half a second. */
function shortParts(rendition: string, msn: number): Unnumbered[] {
  const parts = Array.from({ length: 4 }, (_, index) => ({ ...part(rendition, msn, index), duration: 0.5 }));
  return [...parts, { kind: 'segment', rendition, msn, parts: parts.length }];
}

function rendered(window: LiveWindow | undefined): string {
  const rendition = window?.renditions.get('v');
  return window === undefined || rendition === undefined ? '' : renderWholePlaylist(window, rendition);
}

it('of four hours is listed whole, stored in little and restored as it was', async () => {
  const stub = env.HUB.get(env.HUB.idFromName('four-hours'));
  await runInDurableObject(stub, (_, { storage: { sql } }) => {
    const storage = new HubStorage(sql);
    const live = new LiveStream(undefined);
    const publish = (updates: readonly Unnumbered[]): void => {
      live.publish(1_790_000_000, framesOf(updates, live.window?.nextSeq ?? 0));
      const unwritten = live.unwritten();
      if (unwritten !== undefined) {
        storage.write(unwritten.changes, unwritten.inits, unwritten.oldestInits);
        live.markWritten();
      }
    };
    publish([{ ...begin(), windowSegments: FOUR_HOURS }, init('v'), init('a')]);
    for (let msn = 0; msn < FOUR_HOURS + BATCH; msn += BATCH) {
      publish(segments(msn, msn + BATCH));
    }
    const rendition = live.window?.renditions.get('v');
    expect(rendition && countSegments(rendition.segments)).toBe(FOUR_HOURS);
    expect(rendered(live.window).match(/^#EXTINF:2,$/gm)).toHaveLength(FOUR_HOURS);
    expect(rendered(live.window)).toContain(`#EXT-X-MEDIA-SEQUENCE:${BATCH}\n`);
    expect(sql.databaseSize).toBeLessThan(2 * FOUR_HOURS * STORED_BYTES_PER_SEGMENT);
    const restored = new LiveStream(new HubStorage(sql).load());
    expect(rendered(restored.window)).toBe(rendered(live.window));
    expect(restored.window?.nextSeq).toBe(live.window?.nextSeq);
  });
});

it('has a delta update below 2 KB with six renditions and parts of half a second', () => {
  const first = 21_600;
  const start = { ...begin(first, RENDITIONS), partTarget: 0.5, windowSegments: FOUR_HOURS };
  let window = take(undefined, 1_790_000_000, [start, ...RENDITIONS.map((name) => init(name))]);
  let largest = 0;
  for (let msn = first; msn < first + 60; msn += 1) {
    const published = RENDITIONS.flatMap((name) => shortParts(name, msn));
    for (const update of published) {
      window = take(window, 1_790_000_000, [update]);
      const rendition = window.renditions.get('1080p');
      largest = Math.max(largest, rendition ? (renderDeltaUpdate(window, rendition) ?? '').length : 0);
    }
  }
  expect(largest).toBeGreaterThan(1_000);
  expect(largest).toBeLessThan(2_048);
});
