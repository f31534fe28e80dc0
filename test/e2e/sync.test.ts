import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeReport } from '../support/decode-stamps.ts';
import { fetchMedia, fetchPlaylist, fetchVariants, until } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { MIXED_LADDER } from '../support/ladders.ts';

const SYNC_LIMIT_SECONDS = 0.04;

let rill: RillInstance;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, ladder: MIXED_LADDER });
});

afterAll(async () => {
  await rill?.stop();
});

test.each(['rtmp', 'srt'])('flash and beep stay within 40 ms of each other over %s', async (protocol) => {
  const stream = `sync-${protocol}`;
  const publisher = publishFlashAndBeep(await rill.rill('publish-url', stream, `--${protocol}`));
  try {
    const playUrl = await rill.rill('play-url', stream);
    const found = await until('all renditions', async () => {
      const variants = await fetchVariants(playUrl);
      return variants.variants.length === 2 && variants.audio.length === 1 ? variants : undefined;
    });
    const beeps = risingEdges(await audioLevels(await download(found.audio[0] ?? '')), -30);
    for (const variant of found.variants) {
      const flashes = risingEdges(await pictureLevels(await download(variant)), 128);
      expect(flashes.length).toBeGreaterThanOrEqual(4);
      const offsets = flashes
        .map((flash) => Math.min(...beeps.map((beep) => Math.abs(beep - flash))))
        .filter((offset) => offset < 0.5);
      expect(offsets.length).toBeGreaterThanOrEqual(4);
      expect(Math.max(...offsets)).toBeLessThan(SYNC_LIMIT_SECONDS);
    }
  } finally {
    publisher.kill('SIGINT');
    await once(publisher, 'exit');
  }
});

/** A white picture and a tone for the first tenth of every second. */
function publishFlashAndBeep(url: string): ReturnType<typeof spawn> {
  const picture = "color=black:size=320x180:rate=30,drawbox=color=white:t=fill:enable='lt(mod(t,1),0.1)'";
  const sound = "aevalsrc='if(lt(mod(t,1),0.1),0.5*sin(2*PI*1000*t),0)':s=48000:c=stereo";
  return spawn(
    'ffmpeg',
    [
      ...['-v', 'error', '-re', '-f', 'lavfi', '-i', picture, '-re', '-f', 'lavfi', '-i', sound],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-tune',
        'zerolatency',
        '-pix_fmt',
        'yuv420p',
        '-g',
        '60',
      ],
      ...['-c:a', 'aac', '-b:a', '128k', '-f', url.startsWith('srt:') ? 'mpegts' : 'flv', url],
    ],
    { stdio: 'ignore' },
  );
}

async function download(url: string): Promise<Uint8Array> {
  const playlist = await until('four segments', async () => {
    const now = await fetchPlaylist(url);
    return now.segments.length >= 4 ? now : undefined;
  });
  const init = await fetchMedia(url, playlist.init ?? '');
  const segments = await Promise.all(playlist.segments.slice(-4).map((one) => fetchMedia(url, one.uri)));
  return Buffer.concat([init, ...segments]);
}

interface Level {
  readonly time: number;
  readonly level: number;
}

async function pictureLevels(media: Uint8Array): Promise<readonly Level[]> {
  const filter = 'signalstats,metadata=mode=print:key=lavfi.signalstats.YAVG:file=-';
  return readLevels(await decodeReport(media, ['-map', '0:v', '-vf', filter]));
}

async function audioLevels(media: Uint8Array): Promise<readonly Level[]> {
  const statistics = 'asetnsamples=n=96,astats=metadata=1:reset=1';
  const filter = `${statistics},ametadata=mode=print:key=lavfi.astats.Overall.RMS_level:file=-`;
  return readLevels(await decodeReport(media, ['-map', '0:a', '-af', filter]));
}

function readLevels(report: string): readonly Level[] {
  return [...report.matchAll(/pts_time:(\S+)\s+lavfi\.[^=]+=(\S+)/g)].map((match) => ({
    time: Number(match[1]),
    level: match[2] === '-inf' ? -200 : Number(match[2]),
  }));
}

/** Times at which the level rises above a threshold, the first value left out. */
function risingEdges(levels: readonly Level[], threshold: number): readonly number[] {
  return levels
    .filter((one, index) => {
      const before = levels[index - 1];
      return before !== undefined && before.level <= threshold && one.level > threshold;
    })
    .map((one) => one.time);
}
