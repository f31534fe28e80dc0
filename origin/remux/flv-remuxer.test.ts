import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mediaSequenceNumber, milliseconds, seconds } from '#shared/media-time.ts';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FragmentEvent } from '../package/fragment-reader.ts';
import { writeInitSegment } from '../package/init-segment.ts';
import { Packager } from '../package/packager.ts';
import type { Sample, Track } from '../package/sample.ts';
import { FlvRemuxer } from './flv-remuxer.ts';

/** 6 s of H.264 with B-frames, pixels that are not square and described colours; AAC beside it. */
const ARGUMENTS = [
  '-v error -f lavfi -i testsrc2=size=176x144:rate=30000/1001 -f lavfi -i sine=sample_rate=44100 -t 6',
  '-vf setsar=16/11 -c:v libx264 -preset ultrafast -bf 2 -g 60 -sc_threshold 0 -pix_fmt yuv420p',
  '-color_primaries bt709 -color_trc bt709 -colorspace bt709 -c:a aac -ac 2 -f flv',
].flatMap((line) => line.split(' '));
const TRACKS = [
  { id: 1, kind: 'video' },
  { id: 2, kind: 'audio' },
] as const;
/** Where the first frame's time is put, seconds. */
const OFFSET = 5;

let folder: string;
let flv: Uint8Array;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rill-remux-'));
  const file = join(folder, 'source.flv');
  execFileSync('ffmpeg', [...ARGUMENTS, file]);
  flv = readFileSync(file);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function remux(
  chunks: readonly Uint8Array[],
  tracks: ConstructorParameters<typeof FlvRemuxer>[0] = TRACKS,
): readonly FragmentEvent[] {
  const remuxer = new FlvRemuxer(tracks);
  return [...chunks.flatMap((chunk) => [...remuxer.push(chunk)]), ...remuxer.end()];
}

function tracksOf(events: readonly FragmentEvent[]): readonly Track[] {
  return events.flatMap((event) => (event.kind === 'tracks' ? event.tracks : []));
}

function samplesOf(events: readonly FragmentEvent[], id: number): readonly Sample[] {
  return events.flatMap((event) => (event.kind === 'sample' && event.trackId === id ? [event.sample] : []));
}

function probe(file: string, ...options: readonly string[]): string {
  return execFileSync('ffprobe', ['-v', 'error', ...options, '-of', 'csv=p=0', file], { encoding: 'utf8' });
}

/** All that the events say, in short: comparing megabytes of bytes one by one takes a test minutes. */
function digest(events: readonly FragmentEvent[]): string {
  const hash = createHash('sha256');
  for (const event of events) {
    const { data, ...rest } = event.kind === 'sample' ? event.sample : { data: new Uint8Array() };
    hash.update(JSON.stringify({ ...event, sample: rest })).update(data);
  }
  return hash.digest('hex');
}

/** One track as a file of its own, as viewers get it. */
function writeRendition(events: readonly FragmentEvent[], id: number): string {
  const tracks = tracksOf(events);
  const packager = new Packager({
    tracks,
    partTarget: seconds(0.5),
    segmentDuration: seconds(2),
    firstMsn: mediaSequenceNumber(0),
  });
  const cut = events.flatMap((event) =>
    event.kind === 'sample' ? [...packager.push(event.trackId, event.sample, milliseconds(0))] : [],
  );
  const parts = [...cut, ...packager.flush()].flatMap((event) =>
    event.kind === 'part' && event.trackId === id ? [event.bytes] : [],
  );
  const track = tracks.find((one) => one.id === id);
  const file = join(folder, `rendition-${id}.mp4`);
  writeFileSync(
    file,
    Buffer.concat([track === undefined ? new Uint8Array() : writeInitSegment(track), ...parts]),
  );
  return file;
}

describe('an FLV feed that is passed on', () => {
  it('has the tracks that ffprobe sees in it', () => {
    expect(tracksOf(remux([flv]))).toMatchObject([
      { id: 1, kind: 'video', codecs: 'avc1.4D400B', width: 176, height: 144, videoRange: 'SDR' },
      { id: 2, kind: 'audio', codecs: 'mp4a.40.2', channels: 2, sampleRate: 44_100, timescale: 44_100 },
    ]);
  });

  it.each([
    ['v:0', 1, 0.0021],
    // Half a frame of AAC.
    ['a:0', 2, 0.0117],
  ])('has the frames of %s, in order and at their times', (stream, id, tolerance) => {
    const lines = probe(
      join(folder, 'source.flv'),
      '-select_streams',
      stream,
      '-show_entries',
      'packet=pts_time,size,flags',
    )
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    const track = tracksOf(remux([flv])).find((one) => one.id === id);
    const samples = samplesOf(remux([flv]), id);
    expect(samples.map(({ data, sync }) => [data.length, sync])).toEqual(
      lines.map(([, size, flags]) => [Number(size), flags?.startsWith('K') === true]),
    );
    const scale = track?.timescale ?? 1;
    samples.forEach(({ decodeTime, compositionOffset }, index) => {
      const time = (decodeTime + compositionOffset) / scale - OFFSET;
      expect(Math.abs(time - Number(lines[index]?.[0]))).toBeLessThan(tolerance);
    });
  });

  it('follows itself without a hole', () => {
    for (const { id } of TRACKS) {
      const samples = samplesOf(remux([flv]), id);
      const holes = samples.filter((sample, index) => {
        const before = samples[index - 1];
        return before !== undefined && before.decodeTime + before.duration !== sample.decodeTime;
      });
      expect(holes).toEqual([]);
    }
  });

  it('decodes, and keeps the shape of its pixels and its colours', () => {
    const events = remux([flv]);
    const video = writeRendition(events, 1);
    const shown = 'stream=sample_aspect_ratio,color_space,color_transfer,color_primaries,nb_read_frames';
    expect(probe(video, '-count_frames', '-show_entries', shown).trim()).toBe('16:11,bt709,bt709,bt709,180');
    const audio = writeRendition(events, 2);
    expect(
      execFileSync('ffmpeg', ['-v', 'error', '-i', audio, '-f', 'null', '-'], { encoding: 'utf8' }),
    ).toBe('');
    expect(probe(audio, '-show_entries', 'stream=sample_rate,channels').trim()).toBe('44100,2');
  });

  it('comes out alike in whatever pieces it arrives', () => {
    const whole = digest(remux([flv]));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), (size) => {
        const pieces = Array.from({ length: Math.ceil(flv.length / size) }, (_, index) =>
          flv.subarray(index * size, (index + 1) * size),
        );
        expect(digest(remux(pieces))).toBe(whole);
      }),
      { numRuns: 5 },
    );
  });

  it('leaves tracks out that nobody asked for', () => {
    const events = remux([flv], [{ id: 1, kind: 'audio' }]);
    expect(tracksOf(events)).toMatchObject([{ id: 1, kind: 'audio' }]);
    expect(samplesOf(events, 1).length).toBeGreaterThan(200);
  });

  it('refuses what does not begin as FLV does', () => {
    expect(() => new FlvRemuxer(TRACKS).push(new Uint8Array(64))).toThrow(
      'does not begin with an FLV header',
    );
  });

  it('ends with its own error or none on damaged bytes', () => {
    fc.assert(
      fc.property(fc.nat(flv.length - 1), fc.uint8Array({ minLength: 1, maxLength: 16 }), (at, noise) => {
        const damaged = flv.slice();
        damaged.set(noise.subarray(0, damaged.length - at), at);
        try {
          remux([damaged]);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^malformed-/) as unknown });
        }
      }),
      { numRuns: 20 },
    );
  });
});
