/** Sessions through a running edge, with devices that ask as players do. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startEdgeAlone, type EdgeAlone } from '../support/edge-alone.ts';
import { fetchMedia, fetchPlaylist, fetchVariants, until } from '../support/live-client.ts';

const PART_MS = 500;
const PART_BYTES = 10_000;
const TOKEN_SECONDS = 5;
const WATCHED_MS = 20_000;
/** A heartbeat, the request after it, and a machine that has other things to do. */
const CUT_LIMIT_MS = 15_000;
const REVOKED_WITHIN_MS = 10_000;

let edge: EdgeAlone;
let publishing: ReturnType<typeof setInterval>;
let published = Promise.resolve<unknown>(undefined);

beforeAll(async () => {
  edge = await startEdgeAlone({ cacheMib: 64 });
  const publish = async (): Promise<unknown> => edge.origin.publishPart(new Uint8Array(PART_BYTES));
  for (let part = 0; part < 8; part += 1) {
    await publish();
  }
  publishing = setInterval(() => {
    published = published.then(publish);
  }, PART_MS);
});

afterAll(async () => {
  clearInterval(publishing);
  await published;
  await edge?.stop();
});

async function addressFor(claims: Record<string, unknown>): Promise<string> {
  return `${edge.url}/t/${await edge.sign(claims)}/live/show/index.m3u8`;
}

/** Plays until it is refused, or for so long; says with how many parts and which refusal. */
async function play(
  mediaPlaylist: string,
  durationMs: number,
): Promise<{ readonly parts: number; readonly refusal: string | undefined }> {
  const end = Date.now() + durationMs;
  let parts = 0;
  try {
    let playlist = await fetchPlaylist(mediaPlaylist);
    while (Date.now() < end) {
      playlist = await fetchPlaylist(mediaPlaylist, playlist.next);
      const newest = playlist.parts.at(-1);
      expect((await fetchMedia(mediaPlaylist, newest?.uri ?? '')).length).toBe(PART_BYTES);
      parts += 1;
    }
    return { parts, refusal: undefined };
  } catch (error) {
    return { parts, refusal: String(error) };
  }
}

/** Begins as a player does and gives its media playlist. */
async function begin(address: string): Promise<string> {
  const { variants } = await fetchVariants(address);
  return variants[0] ?? '';
}

/** Asks the administration as an operator. */
async function administer(path: string, body?: object): Promise<unknown> {
  const authorization = `Bearer ${await edge.sign({ scope: 'admin', sub: 'operator' })}`;
  const answer = await fetch(`${edge.url}/v1/admin/${path}`, {
    headers: { authorization, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  expect(answer.status).toBe(200);
  return answer.json();
}

describe.concurrent('a viewer', () => {
  test('plays on when the token has expired that the session began with', async () => {
    const address = await addressFor({ exp: Math.floor(Date.now() / 1000) + TOKEN_SECONDS });
    const { parts, refusal } = await play(await begin(address), WATCHED_MS);
    expect(refusal).toBeUndefined();
    expect(parts).toBeGreaterThan((WATCHED_MS / PART_MS) * 0.7);
    expect((await fetch(address)).status).toBe(401);
  });

  test('has no second device where one is allowed and the newest loses', async () => {
    const address = await addressFor({ sub: 'newest', sessions: { limit: 1, loser: 'newest' } });
    const first = await begin(address);
    expect((await fetch(address)).status).toBe(429);
    const other = await addressFor({ sub: 'newest', sessions: { limit: 1, loser: 'newest' } });
    expect((await fetch(other)).status).toBe(429);
    expect((await play(first, 3_000)).refusal).toBeUndefined();
    const somebodyElse = await addressFor({ sub: 'else', sessions: { limit: 1, loser: 'newest' } });
    expect((await fetch(somebodyElse)).status).toBe(200);
  });

  test('is cut on the first device when the second begins where the oldest loses', async () => {
    const address = await addressFor({ sub: 'oldest', sessions: 1 });
    const first = play(await begin(address), CUT_LIMIT_MS);
    await until('a second device', async () => (await fetch(await begin(address))).ok || undefined);
    const second = play(await begin(address), CUT_LIMIT_MS);
    expect((await first).refusal).toContain('429');
    expect((await second).refusal).toBeUndefined();
  });

  test('is cut within ten seconds of being revoked, with each session, and comes back with a newer token', async () => {
    const sub = 'revoked';
    const address = await addressFor({ sub, iat: Math.floor(Date.now() / 1000) - 60, sessions: 2 });
    const first = await begin(address);
    const playing = Promise.all([play(first, CUT_LIMIT_MS), play(await begin(address), CUT_LIMIT_MS)]);
    const listed = await administer(`sessions?viewer=${sub}`);
    expect(listed).toMatchObject({ viewer: sub, sessions: [{ stream: 'show' }, { stream: 'show' }] });
    const revokedAt = Date.now();
    await administer('revocations', { kind: 'viewer', id: sub });
    for (const { refusal } of await playing) {
      expect(refusal).toContain('401');
    }
    expect(Date.now() - revokedAt).toBeLessThan(REVOKED_WITHIN_MS);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const newer = await addressFor({ sub, iat: Math.floor(Date.now() / 1000), sessions: 2 });
    expect((await play(await begin(newer), 2_000)).refusal).toBeUndefined();
  });

  test('is cut by one session alone when that is revoked', async () => {
    const sub = 'one-session';
    const address = await addressFor({ sub, iat: Math.floor(Date.now() / 1000) - 60, sessions: 2 });
    const [first, second] = [await begin(address), await begin(address)];
    const listed = z
      .object({ sessions: z.array(z.object({ session: z.string(), started: z.number() })) })
      .parse(await administer(`sessions?viewer=${sub}`));
    const oldest = listed.sessions.toSorted((a, b) => a.started - b.started)[0];
    const playing = Promise.all([play(first, CUT_LIMIT_MS), play(second, CUT_LIMIT_MS)]);
    await administer('revocations', { kind: 'session', id: oldest?.session });
    const [cut, other] = await playing;
    expect(cut?.refusal).toContain('401');
    expect(other?.refusal).toBeUndefined();
  });
});
