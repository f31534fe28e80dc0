/** Time-shift limits through a running edge: two viewers of one stream, one of whom may not go back. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEdgeAlone, type EdgeAlone } from '../support/edge-alone.ts';
import { fetchPlaylist, fetchVariants, type ListedPlaylist } from '../support/live-client.ts';
import { PARTS_PER_SEGMENT } from '../support/scripted-origin.ts';

const PART_BYTES = 1_000;
/** Ten segments of two seconds are listed, then the stream goes on. */
const SEGMENTS_BEFORE = 10;
const UPDATES = 9;
/** Three target durations: what a live player starts with. */
const HOLD_BACK_SEGMENTS = 3;

let edge: EdgeAlone;

beforeAll(async () => {
  edge = await startEdgeAlone({ cacheMib: 64 });
  for (let part = 0; part < SEGMENTS_BEFORE * PARTS_PER_SEGMENT; part += 1) {
    await publishPart();
  }
});

afterAll(async () => {
  await edge?.stop();
});

async function publishPart(): Promise<void> {
  await edge.origin.publishPart(new Uint8Array(PART_BYTES));
}

/** Begins as a player does, a session of its own included, and gives its media playlist. */
async function begin(claims: Record<string, unknown>): Promise<string> {
  const { variants } = await fetchVariants(`${edge.url}/t/${await edge.sign(claims)}/live/show/index.m3u8`);
  return variants[0] ?? '';
}

async function statusOf(playlistUrl: string, uri: string): Promise<number> {
  const answer = await fetch(new URL(uri, playlistUrl));
  await answer.arrayBuffer();
  return answer.status;
}

/** What a player makes of a playlist: which file has which number. */
function numbered({ segments }: ListedPlaylist): ReadonlyMap<number, string> {
  return new Map(segments.map(({ msn, uri }) => [msn, uri]));
}

test('a viewer for live alone follows the stream and gets nothing from further back, whoever watches beside', async () => {
  const shortly = Math.floor(Date.now() / 1000) + 60;
  const limited = await begin({ timeShift: 0, exp: shortly });
  const free = await begin({});
  const whole = await fetchPlaylist(free);
  const [oldest] = whole.segments;

  let live = await fetchPlaylist(limited);
  expect(live.segments.length).toBeLessThanOrEqual(HOLD_BACK_SEGMENTS + 1);
  expect(live.segments.length).toBeGreaterThanOrEqual(HOLD_BACK_SEGMENTS);
  expect(live.init).toBe(whole.init);
  expect(await statusOf(limited, oldest?.uri ?? '')).toBe(403);
  expect(await statusOf(free, oldest?.uri ?? '')).toBe(200);
  expect(await statusOf(limited, live.init ?? '')).toBe(200);

  for (let update = 0; update < UPDATES; update += 1) {
    const held = [fetchPlaylist(limited, live.next), fetchPlaylist(free, live.next)] as const;
    await publishPart();
    const [next, all] = await Promise.all(held);
    expect(next.mediaSequence).toBeGreaterThanOrEqual(live.mediaSequence);
    expect(numbered(all)).toEqual(new Map([...numbered(all), ...numbered(next)]));
    expect(await statusOf(limited, next.parts.at(-1)?.uri ?? '')).toBe(200);
    live = next;
  }
  const [first] = live.segments;
  expect(await statusOf(limited, first?.uri ?? '')).toBe(200);
  const skipping = await fetch(`${limited}?_HLS_skip=YES`);
  expect((await skipping.text()).includes(`#EXT-X-MEDIA-SEQUENCE:${live.mediaSequence}\n`)).toBe(true);
});
