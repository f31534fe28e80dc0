import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { mediaSequenceNumber, milliseconds, seconds } from '#shared/media-time.ts';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinInits } from '../transcode/init-join.ts';
import { FragmentReader, MAX_MEDIA_BOX_BYTES, type FragmentEvent } from './fragment-reader.ts';
import { writeInitSegment } from './init-segment.ts';
import { Mp4FormatError } from './mp4-format-error.ts';
import type { PackagerEvent } from './packager-event.ts';
import { Packager } from './packager.ts';
import type { Track } from './sample.ts';

/** As the transcoder has it: a muxer for each track, all on one pipe, times from 5 s on. */
const MUXER = 'f=mp4:movflags=+empty_moov+default_base_moof+frag_discont:frag_duration=1:use_editlist=0';
const MUXER_IDS = 'use_stream_ids_as_track_ids=1:avoid_negative_ts=disabled:flush_packets=1';
const TEE = [0, 1, 2].map((id) => `[select=${id}:${MUXER}:${MUXER_IDS}]pipe:1`).join('|');
/** A rung without B-frames, a rung with them, and AAC: 5 s at 30 frames a second. */
const ARGUMENTS = [
  '-v error -f lavfi -i testsrc2=size=320x180:rate=30 -f lavfi -i sine=sample_rate=44100 -t 5 -filter_complex',
  '[0:v]split=2[a][b];[b]scale=160:90[c] -map [a] -map [c] -map 1:a -output_ts_offset 5 -flags +global_header',
  '-c:v libx264 -preset ultrafast -g 60 -keyint_min 60 -sc_threshold 0 -bf:v:0 0 -bf:v:1 2 -c:a aac -ac 1',
  '-streamid 0:1 -streamid 1:2 -streamid 2:3 -f tee',
  TEE,
].flatMap((line) => line.split(' '));
/** More than ffmpeg writes in this test, bytes. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Audio that ends before the first picture of this movie. */
const LEADING_AUDIO_FRAMES = 1;

let folder: string;
let movie: Uint8Array;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rill-package-'));
  const output = execFileSync('ffmpeg', ARGUMENTS, { maxBuffer: MAX_OUTPUT_BYTES });
  const chunks: Uint8Array[] = [];
  for await (const chunk of joinInits(Readable.from([output], { objectMode: true }), 3)) {
    chunks.push(chunk);
  }
  movie = Buffer.concat(chunks);
  writeFileSync(join(folder, 'movie.mp4'), movie);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function read(chunks: readonly Uint8Array[]): readonly FragmentEvent[] {
  const reader = new FragmentReader();
  return chunks.flatMap((chunk) => [...reader.push(chunk)]);
}

function chunksOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

function tracksOf(events: readonly FragmentEvent[]): readonly Track[] {
  return events.flatMap((event) => (event.kind === 'tracks' ? event.tracks : []));
}

function cut(events: readonly FragmentEvent[]): readonly PackagerEvent[] {
  const packager = new Packager({
    tracks: tracksOf(events),
    partTarget: seconds(0.5),
    segmentDuration: seconds(2),
    firstMsn: mediaSequenceNumber(0),
  });
  const cutEvents = events.flatMap((event) =>
    event.kind === 'sample' ? [...packager.push(event.trackId, event.sample, milliseconds(0))] : [],
  );
  return [...cutEvents, ...packager.flush()];
}

/** Presentation time, decode time, size and flags of all packets as ffprobe reads them. */
function packets(file: string, stream: string): readonly string[] {
  const entries = 'packet=pts,dts,size,flags';
  const options = ['-v', 'error', '-select_streams', stream, '-show_entries', entries, '-of', 'csv=p=0'];
  return execFileSync('ffprobe', [...options, file], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

describe("ffmpeg's fragmented MP4", () => {
  it('gives each track with codecs from its real parameter sets', () => {
    const tracks = tracksOf(read([movie]));
    expect(tracks.map(({ kind, codecs, width, height }) => [kind, codecs, width, height])).toEqual([
      ['video', expect.stringMatching(/^avc1\.42C0[0-9A-F]{2}$/), 320, 180],
      ['video', expect.stringMatching(/^avc1\.4D40[0-9A-F]{2}$/), 160, 90],
      ['audio', 'mp4a.40.2', 0, 0],
    ]);
    expect(tracks[2]).toMatchObject({ channels: 1, sampleRate: 44_100, timescale: 44_100 });
  });

  it('gives the same samples however the bytes are split', () => {
    const whole = read([movie]);
    expect(whole.filter((event) => event.kind === 'sample' && event.trackId === 1)).toHaveLength(150);
    for (const size of [1, 1000, 65_536]) {
      const split = read(chunksOf(movie, size));
      expect(split.length).toBe(whole.length);
      expect(
        split.every((event, index) => {
          const other = whole[index];
          return (
            event.kind !== 'sample' ||
            (other?.kind === 'sample' && Buffer.compare(event.sample.data, other.sample.data) === 0)
          );
        }),
      ).toBe(true);
    }
  });

  it('goes through parts into files that ffmpeg decodes without an error, packet for packet the same', () => {
    const events = read(chunksOf(movie, 32_768));
    const cutEvents = cut(events);
    const warnings = cutEvents.flatMap((event) => (event.kind === 'warning' ? [event.code] : []));
    // The encoder's delay puts the first pictures a little behind the first audio.
    expect(warnings).toEqual(['leading-audio-dropped']);
    for (const [index, track] of tracksOf(events).entries()) {
      const parts = cutEvents.flatMap((event) =>
        event.kind === 'part' && event.trackId === track.id ? [event.bytes] : [],
      );
      const file = join(folder, `${track.id}.mp4`);
      writeFileSync(file, Buffer.concat([writeInitSegment(track), ...parts]));
      const original = packets(join(folder, 'movie.mp4'), String(index));
      const dropped = track.kind === 'audio' ? LEADING_AUDIO_FRAMES : 0;
      expect(packets(file, '0')).toEqual(original.slice(dropped));
      const options = ['-v', 'warning', '-xerror', '-i', file, '-fps_mode', 'passthrough', '-f', 'null', '-'];
      const decoded = spawnSync('ffmpeg', options, { encoding: 'utf8' });
      expect([decoded.status, decoded.stderr]).toEqual([0, '']);
    }
  });
});

describe('bad bytes', () => {
  it.each([
    ['random text', 'GET / HTTP/1.1\r\n\r\n', 'is no box of a fragmented MP4'],
    ['media before its header', '\0\0\0\u0008mdat', 'MP4 mdat: without a moov'],
    ['a box of 4 bytes', '\0\0\0\u0004moof', 'MP4 moof: size 4'],
    ['an mdat of 4 GB', '\u00ff\u00ff\u00ff\u00ffmdat', `to ${MAX_MEDIA_BOX_BYTES} bytes`],
    ['a movie without tracks', '\0\0\0\u0010moov\0\0\0\u0008mvex', '0 audio and video tracks'],
  ])('%s is named', (_, text, message) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(() => read([bytes])).toThrow(Mp4FormatError);
    expect(() => read([bytes])).toThrow(message);
  });

  it('in the middle of a movie end in an Mp4FormatError or nothing', () => {
    const head = movie.slice(0, 8000);
    fc.assert(
      fc.property(
        fc.nat({ max: head.length - 1 }),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        (at, noise) => {
          const broken = head.slice();
          broken.set(noise.subarray(0, head.length - at), at);
          try {
            read([broken]);
          } catch (error) {
            expect(error).toBeInstanceOf(Mp4FormatError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
