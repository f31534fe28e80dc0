/** What a player gets to see of a rendition for some seconds: every playlist, part and held hint, with its time. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fetchMedia, fetchPlaylist, type ListedPart, type ListedPlaylist } from '../support/live-client.ts';

/** Comes with ffmpeg. */
const FFPROBE = 'ffprobe';

/** A part as it was downloaded the moment it was listed. */
interface RecordedPart extends ListedPart {
  readonly bytes: Uint8Array;
  /** Milliseconds from the request to the last byte. */
  readonly downloadMs: number;
  /** `performance.now()` when the playlist that lists it first had arrived. */
  readonly listedAt: number;
}

/** The answer to a request for a hinted part. */
interface HintAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** A recorded rendition. */
export interface Recording {
  readonly url: string;
  readonly playlists: readonly ListedPlaylist[];
  readonly parts: readonly RecordedPart[];
  /** What each hinted part was answered with, asked for as soon as it was hinted. */
  readonly hinted: ReadonlyMap<string, HintAnswer>;
}

/** Follows the live edge by blocking reloads for so many milliseconds. */
export async function recordRendition(url: string, milliseconds: number): Promise<Recording> {
  const playlists: ListedPlaylist[] = [];
  const parts: Promise<RecordedPart>[] = [];
  const hints = new Map<string, Promise<HintAnswer>>();
  const until = performance.now() + milliseconds;
  let playlist = await fetchPlaylist(url);
  while (performance.now() < until) {
    const hint = /^#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"$/m.exec(playlist.text)?.[1] ?? '';
    const held = hints.get(hint) ?? askForHint(new URL(hint, url));
    held.catch(() => undefined);
    hints.set(hint, held);
    const { next } = playlist;
    playlist = await fetchPlaylist(url, next);
    const listedAt = performance.now();
    playlists.push(playlist);
    for (const part of playlist.parts) {
      if (part.msn > next.msn || (part.msn === next.msn && part.part >= next.part)) {
        parts.push(download(url, part, listedAt));
      }
    }
  }
  const hinted = new Map<string, HintAnswer>();
  for (const [uri, held] of hints) {
    hinted.set(uri, await held);
  }
  return { url, playlists, parts: await Promise.all(parts), hinted };
}

async function askForHint(url: URL): Promise<HintAnswer> {
  const response = await fetch(url);
  return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function download(url: string, part: ListedPart, listedAt: number): Promise<RecordedPart> {
  const asked = performance.now();
  const bytes = await fetchMedia(url, part.uri);
  return { ...part, bytes, downloadMs: performance.now() - asked, listedAt };
}

/** A sample as ffprobe finds it; times in seconds. */
interface Packet {
  readonly decodeTime: number;
  readonly presentationTime: number;
  readonly sync: boolean;
}

/** Reads the samples of an init segment and the media after it. */
async function readPackets(media: Uint8Array): Promise<readonly Packet[]> {
  const entries = 'packet=pts_time,dts_time,flags';
  const options = ['-v', 'error', '-f', 'mp4', '-show_entries', entries, '-of', 'compact=p=0', 'pipe:0'];
  const child = spawn(FFPROBE, options, { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(media);
  await once(child, 'close');
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = new Map(
        line.split('|').map((field) => [field.split('=')[0], field.split('=')[1] ?? '']),
      );
      return {
        decodeTime: Number(fields.get('dts_time')),
        presentationTime: Number(fields.get('pts_time')),
        sync: fields.get('flags')?.startsWith('K') === true,
      };
    });
}

/** A segment with what was recorded of it and the samples that are in it. */
export interface RecordedSegment {
  readonly rendition: string;
  readonly uri: string;
  readonly msn: number;
  readonly duration: number;
  readonly bytes: Uint8Array;
  readonly parts: Recording['parts'];
  readonly packets: readonly Packet[];
}

/** The segments whose every part was recorded, downloaded now, when the first of them have left the playlist. */
export async function readSegments(
  rendition: string,
  recording: Recording,
  init: Uint8Array,
): Promise<readonly RecordedSegment[]> {
  const listed = new Map(
    recording.playlists.flatMap((playlist) => playlist.segments.map((one) => [one.msn, one] as const)),
  );
  const firstWhole = (recording.parts[0]?.msn ?? 0) + 1;
  const whole = [...listed.values()].filter((one) => one.msn >= firstWhole);
  return Promise.all(
    whole.map(async (one) => {
      const bytes = await fetchMedia(recording.url, one.uri);
      const packets = await readPackets(Buffer.concat([init, bytes]));
      const parts = recording.parts.filter((part) => part.msn === one.msn);
      return { ...one, rendition, bytes, parts, packets };
    }),
  );
}
