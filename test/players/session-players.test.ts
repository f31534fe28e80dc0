/** Players play on after the token has expired that they began with: in the session that it started. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBrowser, type Browser, type WatchedPage } from '../support/browser.ts';
import { COPY_LADDER } from '../support/ladders.ts';
import { fetchPlaylist, fetchVariants, until } from '../support/live-client.ts';
import { collectEvents, fatalErrorsOf } from '../support/player-watch.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';

const STREAM = 'sessions';
/** With the clock difference that is forgiven, a token is dead after twice that. */
const TOKEN_SECONDS = 5;
/** More than a player could still have had that got nothing more: it is less than that behind live. */
const PLAYED_ON_SECONDS = 8;
/** ffmpeg begins three segments back, which it reads at once; the rest comes as it is made. */
const FFMPEG_SECONDS = 18;

const run = promisify(execFile);
let rill: RillInstance;
let browser: Browser;
let publisher: StampedPublisher;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, ladder: COPY_LADDER });
  browser = await startBrowser();
  publisher = startStampedPublisher({
    url: await rill.rill('publish-url', STREAM, '--rtmp'),
    ...{ width: 320, height: 180, bitrate: 500_000 },
  });
  const playUrl = await rill.rill('play-url', STREAM);
  await until('four segments', async () => {
    const url = (await fetchVariants(playUrl)).variants[0] ?? '';
    return (await fetchPlaylist(url)).segments.length >= 4 ? true : undefined;
  });
});

afterAll(async () => {
  await browser?.close();
  await publisher?.stop();
  await rill?.stop();
});

async function shortLivedAddress(): Promise<string> {
  return rill.rill('play-url', STREAM, '--ttl', `${TOKEN_SECONDS}s`);
}

async function isRefused(address: string): Promise<true | undefined> {
  const answer = await fetch(address);
  await answer.arrayBuffer();
  return answer.status === 401 || undefined;
}

/** Plays in a page until the token has expired, and then on. */
async function playInPage(
  address: string,
  open: (address: string) => Promise<WatchedPage>,
): Promise<{ readonly faults: readonly string[]; readonly requested: readonly string[] }> {
  const watched = await open(address);
  await collectEvents(watched.page);
  await watched.playing();
  await until('the end of the token', async () => isRefused(address));
  const requested: string[] = [];
  watched.page.on('request', (request) => requested.push(new URL(request.url()).pathname));
  const { currentTime } = await watched.look();
  await until('playback beyond what was buffered', async () => {
    const seen = await watched.look();
    return seen.currentTime > currentTime + PLAYED_ON_SECONDS || undefined;
  });
  const faults = await fatalErrorsOf(watched.page);
  await watched.page.close();
  return { faults, requested };
}

describe.concurrent('after the end of its token', () => {
  test('Shaka Player plays on', async () => {
    const { faults } = await playInPage(await shortLivedAddress(), (url) => browser.playWithShaka(url));
    expect(faults).toEqual([]);
  });

  test('ffmpeg plays on', async () => {
    const address = await shortLivedAddress();
    const output = ['-t', String(FFMPEG_SECONDS), '-c', 'copy', '-f', 'null', '-progress', '-', '-'];
    const { stdout, stderr } = await run('ffmpeg', ['-v', 'error', '-i', address, ...output]);
    expect(stderr).not.toContain('HTTP error');
    expect(Number(/.*out_time_us=(\d+)/s.exec(stdout)?.[1])).toBeGreaterThan((FFMPEG_SECONDS - 1) * 1e6);
    expect(await isRefused(address)).toBe(true);
  });

  test('hls.js plays on in a browser that keeps the session in a cookie, with no token in an address', async () => {
    const address = `${await shortLivedAddress()}?cookie=1`;
    const { faults, requested } = await playInPage(address, (url) => browser.playWithDefaults(url));
    expect(faults).toEqual([]);
    expect(requested.filter((path) => path.startsWith(`/live/${STREAM}/`))).toEqual(requested);
    expect(requested.length).toBeGreaterThan(0);
  });
});
