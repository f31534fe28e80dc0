/** A source that flashes and beeps at the same instants, and how far apart they are where it comes out. */

import { spawn, type ChildProcess } from 'node:child_process';
import { decodeReport } from './decode-stamps.ts';
import { fetchMedia, fetchPlaylist, until } from './live-client.ts';

/** Flashes and beeps further apart than this are not the same, seconds: there is one of each a second. */
const SAME_SECONDS = 0.5;
/** Loudness, dB, and luma that a beep and a flash rise above. */
const BEEP_LEVEL = -30;
const FLASH_LEVEL = 128;

/** A white picture and a tone for the first tenth of every second. */
export function publishFlashAndBeep(url: string): ChildProcess {
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

/** The newest four segments, as one file. */
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

/** How long after the beep each flash of the newest four segments comes, seconds; one that is early is negative. */
export async function offsetsOfFlashes(video: string, audio: string): Promise<readonly number[]> {
  // Both at the same time, so that they are of the same seconds.
  const [sound, picture] = await Promise.all([download(audio), download(video)]);
  const beeps = risingEdges(await audioLevels(sound), BEEP_LEVEL);
  const flashes = risingEdges(await pictureLevels(picture), FLASH_LEVEL);
  return flashes.flatMap((flash) => {
    const [nearest] = beeps
      .map((beep) => flash - beep)
      .toSorted((left, right) => Math.abs(left) - Math.abs(right));
    return nearest !== undefined && Math.abs(nearest) < SAME_SECONDS ? [nearest] : [];
  });
}
