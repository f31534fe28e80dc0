import { execFileSync } from 'node:child_process';
import { array, assert, integer, property, uint8Array } from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { milliseconds } from '#shared/media-time.ts';
import type { SourceProperties } from '../media-feed.ts';
import type { TransportEvent } from './chunk-output.ts';
import { parsePacket } from './packet.ts';
import { TransportStreamProbe } from './probe.ts';

const PACKET = 188;
const VIDEO_PID = 256;
const AUDIO_PID = 257;
const PMT_PID = 4096;
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=25'];
const LARGE_PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25'];
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '12', '-threads', '1'];
const HEVC = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'keyint=12:log-level=none'];
const OPUS = ['-c:a', 'libopus', '-ac', '2'];
const AAC = ['-c:a', 'aac', '-ac', '2'];

const both: SourceProperties = {
  video: { codec: 'h264', width: 320, height: 240, frameRate: 25 },
  audio: { codec: 'aac', sampleRate: 48_000, channels: 2 },
};

let picture: Uint8Array;
let largePicture: Uint8Array;
let pictureOnly: Uint8Array;
let toneOnly: Uint8Array;

beforeAll(() => {
  picture = generate([...PICTURE, ...TONE, ...H264, ...AAC]);
  largePicture = generate([...LARGE_PICTURE, ...TONE, ...H264, ...AAC]);
  pictureOnly = generate([...PICTURE, ...H264]);
  toneOnly = generate([...TONE, ...AAC]);
});

describe('a source', () => {
  test('is announced once, with PAT and PMT, before its media', () => {
    const events = probe([picture]);
    expect(sources(events)).toEqual([both]);
    const first = events[0];
    expect(first?.kind).toBe('source');
    const preamble = first?.kind === 'source' ? first.preamble : new Uint8Array();
    expect(packetsOf(preamble).map((packet) => packet.pid)).toEqual([0, PMT_PID]);
  });

  test('loses none of its packets from the first key frame on', () => {
    const passed = joined(probe(slices(picture, 7 * PACKET)));
    expect(passed.length).toBeGreaterThan(picture.length * 0.9);
    expect(Buffer.from(passed).equals(picture.subarray(picture.length - passed.length))).toBe(true);
  });

  test('has chunks that begin with each key frame', () => {
    const starts = probe(slices(picture, 7 * PACKET)).filter(
      (event) => event.kind === 'media' && event.randomAccess,
    );
    expect(starts).toHaveLength(keyFrames(picture));
    for (const event of starts) {
      const packet = event.kind === 'media' ? parsePacket(event.bytes, 0) : undefined;
      expect(packet).toMatchObject({ pid: VIDEO_PID, unitStart: true, randomAccess: true });
    }
  });

  test('is found without random access indicators too', () => {
    const bare = picture.slice();
    forEachPacket(bare, (at) => {
      if (((bare[at + 3] ?? 0) & 0x20) !== 0 && (bare[at + 4] ?? 0) > 0) {
        bare[at + 5] = (bare[at + 5] ?? 0) & ~0x40;
      }
    });
    const starts = probe([bare]).filter((event) => event.kind === 'media' && event.randomAccess);
    expect(starts).toHaveLength(keyFrames(picture));
  });

  test('may be HEVC with Opus, with chunks that begin with each key frame', () => {
    const hevc = generate([...PICTURE, ...TONE, ...HEVC, ...OPUS]);
    const events = probe(slices(hevc, 7 * PACKET));
    expect(sources(events)).toEqual([
      {
        video: { codec: 'hevc', width: 320, height: 240, frameRate: undefined },
        audio: { codec: 'opus', sampleRate: 48_000, channels: 2 },
      },
    ]);
    expect(events.filter((event) => event.kind === 'media' && event.randomAccess)).toHaveLength(
      keyFrames(hevc),
    );
  });

  test('may have a picture only, or sound only, which is random access throughout', () => {
    expect(sources(probe([pictureOnly]))).toEqual([{ ...both, audio: undefined }]);
    const audio = probe(slices(toneOnly, 7 * PACKET));
    expect(sources(audio)).toEqual([{ video: undefined, audio: { ...both.audio, channels: 2 } }]);
    expect(audio.every((event) => event.kind !== 'media' || event.randomAccess)).toBe(true);
  });

  test('tells the language and PID of each audio track, fields, and how it is turned', () => {
    const turned = ['-bsf:v', 'h264_metadata=display_orientation=insert:rotate=90'];
    const fields = ['-flags', '+ildct+ilme', '-x264-params', 'tff=1'];
    const tracks = ['-map', '0:v', '-map', '1:a', '-map', '2:a', '-metadata:s:a:1', 'language=ger'];
    const source = generate([...PICTURE, ...TONE, ...TONE, ...tracks, ...H264, ...fields, ...turned, ...AAC]);
    const audio = { ...both.audio, streamId: AUDIO_PID };
    expect(sources(probe(slices(source, 7 * PACKET)))).toEqual([
      {
        video: { ...both.video, interlaced: true, rotation: 270 },
        audio,
        moreAudio: [{ ...audio, streamId: AUDIO_PID + 1, language: 'ger' }],
      },
    ]);
  });

  test('comes out alike however the bytes are cut', () => {
    const whole = joined(probe([picture]));
    assert(
      property(array(integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        const events = probe(cutBySizes(picture, sizes));
        expect(sources(events)).toEqual([both]);
        expect(Buffer.from(joined(events)).equals(whole)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

describe('a source that changes', () => {
  test('is announced again, before the key frame, when the picture has another size', () => {
    const events = probe(slices(concat(picture, largePicture), 7 * PACKET));
    const large = { ...both, video: { codec: 'h264', width: 640, height: 360, frameRate: 25 } };
    expect(sources(events)).toEqual([both, large]);
    const second = events.findLastIndex((event) => event.kind === 'source');
    expect(events[second + 1]).toMatchObject({ kind: 'media', randomAccess: true });
  });

  test('is announced again when the program map table lists other streams', () => {
    const events = probe(slices(concat(picture, pictureOnly), 7 * PACKET));
    expect(sources(events)).toEqual([both, { ...both, audio: undefined }]);
  });

  test('goes on without sound that is 3 s late, and announces it at a key frame when it comes', () => {
    const machine = new TransportStreamProbe();
    const silent = withoutPid(picture, AUDIO_PID);
    const half = Math.floor(silent.length / 2 / PACKET) * PACKET;
    const early = machine.push(silent.subarray(0, half), milliseconds(0));
    expect(early).toEqual([]);
    const late = machine.push(silent.subarray(half), milliseconds(3_000));
    expect(sources(late)).toEqual([{ ...both, audio: undefined }]);
    expect(joined(late).length).toBeGreaterThan(half);
    expect(sources(machine.push(concat(picture, picture), milliseconds(3_100)))).toEqual([both]);
  });
});

describe('damage', () => {
  test('before and between packets is skipped', () => {
    const middle = 100 * PACKET;
    const damaged = concat(
      new Uint8Array(500).fill(0x47),
      picture.subarray(0, middle),
      Uint8Array.of(1, 2, 3),
      picture.subarray(middle),
    );
    const passed = joined(probe(slices(damaged, 1000)));
    expect(Buffer.from(passed).equals(joined(probe([picture])))).toBe(true);
  });

  test('never makes the probe throw', () => {
    assert(
      property(
        array(integer({ min: 0, max: 0xffffff })),
        array(uint8Array({ maxLength: 400 })),
        (hits, tail) => {
          const broken = picture.slice(0, 300 * PACKET);
          for (const hit of hits) {
            broken[hit % broken.length] = hit >> 16;
          }
          probe([broken, ...tail]);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('what is rejected', () => {
  test('bytes that are no MPEG-TS', () => {
    expect(rejection(probe([new Uint8Array(70_000).fill(0x42)]))).toContain('send MPEG-TS');
  });

  test('packets without PAT and PMT', () => {
    const machine = new TransportStreamProbe();
    machine.push(withoutPid(picture, 0), milliseconds(0));
    const events = machine.push(withoutPid(picture, 0), milliseconds(3_001));
    expect(rejection(events)).toContain('PAT and PMT');
    expect(machine.push(picture, milliseconds(3_002))).toEqual([]);
  });

  test('sound in LATM, and a picture in MPEG-2, naming the stream type and the remedy', () => {
    const latm = generate([...PICTURE, ...TONE, ...H264, ...AAC, '-mpegts_flags', 'latm']);
    expect(rejection(probe([latm]))).toMatch(/AAC in LATM \(stream type 0x11\).*AAC with ADTS/);
    const mpeg2 = generate([...PICTURE, '-c:v', 'mpeg2video']);
    expect(rejection(probe([mpeg2]))).toMatch(/MPEG-2 video \(stream type 0x02\).*H\.264/);
  });

  test('a picture that never shows a key frame', () => {
    const machine = new TransportStreamProbe();
    const tables = withoutPid(withoutPid(picture, VIDEO_PID), AUDIO_PID);
    machine.push(tables, milliseconds(0));
    expect(machine.push(tables, milliseconds(10_000))).toEqual([]);
    expect(rejection(machine.push(tables, milliseconds(20_000)))).toContain('key frame');
  });
});

function generate(codecs: readonly string[]): Uint8Array {
  const quiet = ['-hide_banner', '-loglevel', 'error'];
  const output = execFileSync('ffmpeg', [...quiet, ...codecs, '-t', '1', '-f', 'mpegts', 'pipe:1'], {
    maxBuffer: 32 * 1024 * 1024,
  });
  return new Uint8Array(output);
}

function probe(pieces: readonly Uint8Array[]): readonly TransportEvent[] {
  const machine = new TransportStreamProbe();
  return pieces.flatMap((piece) => machine.push(piece, milliseconds(0)));
}

function sources(events: readonly TransportEvent[]): readonly SourceProperties[] {
  return events.flatMap((event) => (event.kind === 'source' ? [event.source] : []));
}

function rejection(events: readonly TransportEvent[]): string | undefined {
  return events.find((event) => event.kind === 'rejected')?.detail;
}

function joined(events: readonly TransportEvent[]): Buffer {
  return Buffer.concat(events.flatMap((event) => (event.kind === 'media' ? [event.bytes] : [])));
}

function slices(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  return cutBySizes(bytes, [size]);
}

function cutBySizes(bytes: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = sizes[pieces.length % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function forEachPacket(bytes: Uint8Array, visit: (at: number) => void): void {
  for (let at = 0; at < bytes.length; at += PACKET) {
    visit(at);
  }
}

function packetsOf(bytes: Uint8Array): readonly { pid: number; randomAccess: boolean }[] {
  const packets: { pid: number; randomAccess: boolean }[] = [];
  forEachPacket(bytes, (at) => packets.push(parsePacket(bytes, at)));
  return packets;
}

function keyFrames(bytes: Uint8Array): number {
  return packetsOf(bytes).filter((packet) => packet.pid === VIDEO_PID && packet.randomAccess).length;
}

function withoutPid(bytes: Uint8Array, pid: number): Uint8Array {
  const kept: Uint8Array[] = [];
  forEachPacket(bytes, (at) => {
    if (parsePacket(bytes, at).pid !== pid) {
      kept.push(bytes.subarray(at, at + PACKET));
    }
  });
  return concat(...kept);
}
