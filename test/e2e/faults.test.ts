import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest';
import { decodeStamps } from '../support/decode-stamps.ts';
import {
  fetchMedia,
  fetchPlaylist,
  fetchVariants,
  until,
  type ListedPlaylist,
} from '../support/live-client.ts';
import { listDescendants } from '../support/process-usage.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';

const LADDER = {
  video: [{ name: 'source', codec: 'copy' }],
  audio: { name: 'audio', codec: 'copy', bitrate: 128_000 },
};

let rill: RillInstance;
let publisher: StampedPublisher;
let variant: string;
let count = 0;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, windowSegments: 30, ladder: LADDER });
});

afterAll(async () => {
  await rill?.stop();
});

beforeEach(async () => {
  count += 1;
  publisher = startStampedPublisher({ url: await rill.rill('publish-url', `fault${count}`, '--rtmp') });
  const playUrl = await rill.rill('play-url', `fault${count}`);
  variant = await until('a variant', async () => (await fetchVariants(playUrl)).variants[0]);
  await until('three segments', async () =>
    (await fetchPlaylist(variant)).segments.length >= 3 ? true : undefined,
  );
});

afterEach(async () => {
  await publisher.stop();
});

test('a stream goes on after a discontinuity when its ffmpeg is killed with SIGKILL', async () => {
  const before = await fetchPlaylist(variant);
  killDescendant('ffmpeg ');
  const after = await until('segments after the discontinuity', async () => {
    const playlist = await fetchPlaylist(variant);
    const behind = playlist.text.split('#EXT-X-DISCONTINUITY\n')[1];
    return (behind?.match(/#EXTINF/g)?.length ?? 0) >= 2 ? playlist : undefined;
  });
  expect(after.discontinuities).toBe(1);
  expect(after.mediaSequence + after.segments.length).toBeGreaterThan(
    before.mediaSequence + before.segments.length,
  );
  expect(new Set(after.text.match(/^#EXT-X-MAP:.*$/gm)).size).toBe(2);
});

test('nothing that was published is lost when the edge restarts', async () => {
  const before = await fetchPlaylist(variant);
  killDescendant('edge-worker/host');
  const after = await until('the playlist to go on by four segments', async () => {
    const playlist = await fetchPlaylist(variant);
    return playlist.mediaSequence + playlist.segments.length >=
      before.mediaSequence + before.segments.length + 4
      ? playlist
      : undefined;
  });
  expect(after.discontinuities).toBe(0);
  const { stamps, errors } = await decodeAll(variant, after);
  expect(errors).toBe('');
  expect(stamps.every((stamp, index) => (stamp ?? 0) > (stamps[index - 1] ?? 0))).toBe(true);
  const seconds = after.segments.reduce((sum, segment) => sum + segment.duration, 0);
  expect(stamps.length).toBe(Math.round(seconds * 30));
});

test('an encoder that reconnects continues the stream after a discontinuity', async () => {
  const before = await fetchPlaylist(variant);
  publisher.process.kill('SIGKILL');
  await publisher.stop();
  publisher = startStampedPublisher({ url: await rill.rill('publish-url', `fault${count}`, '--rtmp') });
  const after = await until('two segments of the new connection', async () => {
    const playlist = await fetchPlaylist(variant);
    const behind = playlist.text.split('#EXT-X-DISCONTINUITY\n')[1];
    return (behind?.match(/#EXTINF/g)?.length ?? 0) >= 2 ? playlist : undefined;
  });
  expect(after.ended).toBe(false);
  expect(after.mediaSequence).toBeLessThanOrEqual(before.mediaSequence + 1);
});

test('a stream ends with EXT-X-ENDLIST when its encoder says goodbye', async () => {
  await publisher.stop();
  const ended = await until('the end', async () => {
    const playlist = await fetchPlaylist(variant);
    return playlist.ended ? playlist : undefined;
  });
  expect(ended.text).not.toContain('#EXT-X-PRELOAD-HINT');
});

test('a source whose size changes in mid-stream goes on after a discontinuity', async () => {
  await publisher.stop();
  const stream = `change${count}`;
  const url = await rill.rill('publish-url', stream, '--srt');
  publisher = startStampedPublisher({ url, width: 640, height: 360 });
  const playUrl = await rill.rill('play-url', stream);
  const first = await until('the first picture size', async () => (await fetchVariants(playUrl)).variants[0]);
  await until('a segment', async () =>
    (await fetchPlaylist(first)).segments.length >= 1 ? true : undefined,
  );
  publisher.process.kill('SIGKILL');
  await publisher.stop();
  publisher = startStampedPublisher({ url, width: 960, height: 540 });
  await until('the second picture size', async () => {
    const { text } = await fetchVariants(playUrl);
    return text.includes('RESOLUTION=960x540') ? true : undefined;
  });
  const playlist = await until('the discontinuity', async () => {
    const now = await fetchPlaylist(first);
    return now.discontinuities === 1 ? now : undefined;
  });
  expect(playlist.ended).toBe(false);
});

async function decodeAll(url: string, playlist: ListedPlaylist): ReturnType<typeof decodeStamps> {
  const init = await fetchMedia(url, playlist.init ?? '');
  const segments = await Promise.all(playlist.segments.map((segment) => fetchMedia(url, segment.uri)));
  return decodeStamps(Buffer.concat([init, ...segments]), Date.now());
}

/** Ends one process of the instance at once, as a crash would. */
function killDescendant(command: string): void {
  const found = listDescendants(rill.processId).find((one) => one.command.includes(command));
  if (found === undefined) {
    throw new Error(`the instance runs no ${command}`);
  }
  process.kill(found.processId, 'SIGKILL');
}
