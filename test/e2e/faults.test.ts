import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
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
import { COPIED_PICTURE_LADDER } from '../support/ladders.ts';

const run = promisify(execFile);

let rill: RillInstance;
let publisher: StampedPublisher;
let variant: string;
let count = 0;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, segmentDuration: 1, dvr: '60s', ladder: COPIED_PICTURE_LADDER });
});

afterAll(async () => {
  await rill?.stop();
});

beforeEach(async () => {
  count += 1;
  publisher = await publish();
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
  const after = await until('the playlist to go on by eight segments', async () => {
    const playlist = await fetchPlaylist(variant);
    return playlist.mediaSequence + playlist.segments.length >=
      before.mediaSequence + before.segments.length + 8
      ? playlist
      : undefined;
  });
  expect(after.discontinuities).toBe(0);
  const { stamps, errors } = await decodeAll(variant, after);
  expect(errors).toBe('');
  const misplaced = stamps.flatMap((stamp, index) =>
    (stamp ?? 0) > (stamps[index - 1] ?? 0)
      ? []
      : [{ index, around: stamps.slice(Math.max(0, index - 2), index + 3) }],
  );
  expect(misplaced).toEqual([]);
  const seconds = after.segments.reduce((sum, segment) => sum + segment.duration, 0);
  expect(stamps.length).toBe(Math.round(seconds * 30));
});

test('an encoder that reconnects continues the stream after a discontinuity', async () => {
  const before = await fetchPlaylist(variant);
  publisher.process.kill('SIGKILL');
  await publisher.stop();
  publisher = await publish();
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

test('a source whose picture size changes in mid-stream goes on after a discontinuity', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rill-change-'));
  const list = join(folder, 'list.txt');
  for (const [name, size] of [
    ['first', '640x360'],
    ['second', '480x270'],
  ]) {
    const picture = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-t', '6'];
    const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-f', 'mpegts'];
    await run('ffmpeg', ['-v', 'error', ...picture, ...encoder, join(folder, `${name}.ts`)]);
  }
  await writeFile(list, "file 'first.ts'\nfile 'second.ts'\n");
  const stream = `change${count}`;
  const url = await rill.rill('publish-url', stream, '--srt');
  const playUrl = await rill.rill('play-url', stream);
  const publishing = run('ffmpeg', [
    ...['-v', 'error', '-re', '-f', 'concat', '-i', list, '-c', 'copy', '-f', 'mpegts', url],
  ]);
  try {
    const url640 = await until('the first size', async () => {
      const { text, variants } = await fetchVariants(playUrl);
      return text.includes('RESOLUTION=640x360') ? variants[0] : undefined;
    });
    await until('the second size', async () =>
      (await fetchVariants(playUrl)).text.includes('RESOLUTION=480x270') ? true : undefined,
    );
    const playlist = await until('a segment behind the discontinuity', async () => {
      const now = await fetchPlaylist(url640);
      return now.discontinuities === 1 && /DISCONTINUITY\n[^]*#EXTINF/.test(now.text) ? now : undefined;
    });
    expect(new Set(playlist.text.match(/^#EXT-X-MAP:.*$/gm)).size).toBe(2);
  } finally {
    await publishing;
    await rm(folder, { recursive: true });
  }
});

async function publish(): Promise<StampedPublisher> {
  const url = await rill.rill('publish-url', `fault${count}`, '--rtmp');
  return startStampedPublisher({ url, gopSeconds: 1 });
}

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
