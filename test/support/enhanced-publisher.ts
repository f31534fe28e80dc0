/** An encoder that speaks Enhanced RTMP, which ffmpeg 5.1 does not: real coded frames in its tags, over a real socket. */

import { execFile } from 'node:child_process';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { FLV_AUDIO, FLV_VIDEO } from '../../origin/ingest/flv/flv-tag.ts';
import type { MediaTag } from '../../origin/ingest/flv/source-assembler.ts';
import { TestPublisher } from '../../origin/ingest/rtmp/test-publisher.ts';
import { childBoxes } from '../../origin/package/boxes/box-tree.ts';
import { FragmentReader, type FragmentEvent } from '../../origin/package/fragment-reader.ts';
import type { Sample, Track } from '../../origin/package/sample.ts';

const run = promisify(execFile);
const MAX_CLIP_BYTES = 64 * 1024 * 1024;

/** Video codecs, with what makes ffmpeg encode them quickly and with a key frame each second at 30 frames a second. */
const VIDEO_ENCODERS = {
  hvc1: '-c:v libx265 -tag:v hvc1 -preset ultrafast -x265-params keyint=30:min-keyint=30:bframes=0:log-level=none',
  'hvc1 with B-frames':
    '-c:v libx265 -tag:v hvc1 -preset ultrafast -x265-params keyint=30:min-keyint=30:bframes=3:log-level=none',
  av01: '-c:v libsvtav1 -preset 12 -g 30 -svtav1-params pred-struct=1',
  vp09: '-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 30 -lag-in-frames 0',
  avc1: '-c:v libx264 -preset ultrafast -g 30',
};
const AUDIO_ENCODERS = { mp4a: '-c:a aac -ac 2', Opus: '-c:a libopus -ac 2 -b:a 64k' };
/** Fragments with the encoder's own time stamps: those of the first frames, too. */
const MP4_FLAGS = '+empty_moov+default_base_moof+frag_keyframe+frag_discont';
/** What of the second by which the clip is late, so that none of its time stamps is negative, is taken off again. */
const EARLIER_MS = 900;
/** Bytes of a visual and an audio sample entry before its boxes. */
const ENTRY_BYTES = { video: 78, audio: 28 };
const CONFIGURATION_BOXES: readonly string[] = ['avcC', 'hvcC', 'av1C', 'vpcC', 'dOps', 'esds'];

const EX_VIDEO = 0x80;
const EX_AUDIO = 0x90;
const KEY_FRAME = 0x10;
const INTER_FRAME = 0x20;
const SEQUENCE_START = 0;
const CODED_FRAMES = 1;
const CODED_FRAMES_X = 3;
const ONE_TRACK = 0;
const VIDEO_MULTITRACK = 6;

/** What an encoder shall make. */
export interface ClipOptions {
  readonly video: keyof typeof VIDEO_ENCODERS;
  readonly audio: keyof typeof AUDIO_ENCODERS;
  readonly seconds: number;
  readonly size?: string;
  /** More of ffmpeg's options for the video, such as colours. */
  readonly colours?: string;
}

/** Coded media as tags in the order of their time stamps; the sequence headers come first. */
export interface EnhancedClip {
  readonly tags: readonly MediaTag[];
  readonly pictures: number;
}

/** Encodes a test picture and a tone with the installed ffmpeg and puts them into enhanced tags. */
export async function encodeClip(options: ClipOptions): Promise<EnhancedClip> {
  const { video, audio, seconds, size = '640x360', colours = '-pix_fmt yuv420p' } = options;
  const sources = `-f lavfi -i testsrc2=size=${size}:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000`;
  const container = `-output_ts_offset 1 -f mp4 -use_editlist 0 -avoid_negative_ts disabled -movflags ${MP4_FLAGS} pipe:1`;
  const line = `-v error ${sources} -t ${seconds} ${colours} ${VIDEO_ENCODERS[video]} ${AUDIO_ENCODERS[audio]} ${container}`;
  const { stdout } = await run('ffmpeg', line.split(' '), { encoding: 'buffer', maxBuffer: MAX_CLIP_BYTES });
  const events = new FragmentReader().push(stdout);
  const tracks = events.flatMap((event) => (event.kind === 'tracks' ? event.tracks : []));
  const tags = tracks.flatMap((track) => trackTags(track, events));
  const [headers, frames] = [tags.filter(isHeader), tags.filter((tag) => !isHeader(tag))];
  return {
    tags: [...headers, ...frames.toSorted((a, b) => a.timestamp - b.timestamp)],
    pictures: frames.filter(({ type }) => type === FLV_VIDEO).length,
  };
}

/** The same frames as another track of Enhanced RTMP's multitrack. */
export function asVideoTrack(clip: EnhancedClip, track: number): readonly MediaTag[] {
  return clip.tags
    .filter(({ type }) => type === FLV_VIDEO)
    .map((tag) => {
      const first = tag.body[0] ?? 0;
      const header = [(first & 0xf0) | VIDEO_MULTITRACK, (ONE_TRACK << 4) | (first & 0x0f)];
      const body = Buffer.concat([
        Buffer.from(header),
        tag.body.subarray(1, 5),
        Buffer.of(track),
        tag.body.subarray(5),
      ]);
      return { ...tag, body };
    });
}

/** Connects and publishes; `to` is a port or a socket that is connected. */
export function openPublisher(publishUrl: string, socket?: Socket): TestPublisher {
  const { port, pathname, search } = new URL(publishUrl);
  const publisher = new TestPublisher(socket ?? Number(port));
  publisher.publish(pathname.slice('/live/'.length) + search);
  return publisher;
}

/** Sends tags at the speed they are played. */
export async function sendTags(publisher: TestPublisher, tags: readonly MediaTag[]): Promise<void> {
  const startedAt = performance.now();
  for (const tag of tags) {
    const wait = startedAt + tag.timestamp - performance.now();
    if (wait > 0) {
      await sleep(wait);
    }
    publisher.tags(tag);
  }
}

function isHeader({ type, body }: MediaTag): boolean {
  return (
    ((body[0] ?? 0) & 0x0f) === SEQUENCE_START && (type === FLV_AUDIO || ((body[0] ?? 0) & EX_VIDEO) !== 0)
  );
}

function trackTags(track: Track, events: readonly FragmentEvent[]): readonly MediaTag[] {
  const fourCc = Buffer.from(track.sampleEntry.subarray(4, 8));
  const record = configurationRecord(track);
  const type: MediaTag['type'] = track.kind === 'video' ? FLV_VIDEO : FLV_AUDIO;
  const first = type === FLV_VIDEO ? EX_VIDEO | KEY_FRAME : EX_AUDIO;
  const start = {
    type,
    timestamp: 0,
    body: Buffer.concat([Buffer.of(first | SEQUENCE_START), fourCc, record]),
  };
  const samples = events.flatMap((event) =>
    event.kind === 'sample' && event.trackId === track.id ? [event.sample] : [],
  );
  return [
    start,
    ...samples.map((sample) => ({
      type,
      timestamp: Math.round((sample.decodeTime * 1000) / track.timescale) - EARLIER_MS,
      body: frameBody(track, fourCc, sample),
    })),
  ];
}

function frameBody(track: Track, fourCc: Buffer, sample: Sample): Buffer {
  if (track.kind === 'audio') {
    return Buffer.concat([Buffer.of(EX_AUDIO | CODED_FRAMES), fourCc, sample.data]);
  }
  const offset = Math.round((sample.compositionOffset * 1000) / track.timescale);
  const name = fourCc.toString('latin1');
  const composition = Buffer.alloc(name === 'hvc1' || name === 'avc1' ? 3 : 0);
  const first = EX_VIDEO | (sample.sync ? KEY_FRAME : INTER_FRAME);
  if (composition.length > 0 && offset === 0) {
    return Buffer.concat([Buffer.of(first | CODED_FRAMES_X), fourCc, sample.data]);
  }
  if (composition.length > 0) {
    composition.writeIntBE(offset, 0, 3);
  }
  return Buffer.concat([Buffer.of(first | CODED_FRAMES), fourCc, composition, sample.data]);
}

function configurationRecord(track: Track): Buffer {
  const boxes = childBoxes('entry', track.sampleEntry.subarray(8 + ENTRY_BYTES[track.kind]));
  const box = boxes.find(({ type }) => CONFIGURATION_BOXES.includes(type));
  const content = Buffer.from(box?.content ?? []);
  switch (box?.type) {
    case 'dOps':
      return opusHead(content);
    case 'esds':
      // The AudioSpecificConfig: AAC-LC, 48 kHz, stereo.
      return Buffer.of(0x11, 0x90);
    default:
      return content;
  }
}

/** `dOps` is an identification header without its magic, and in big-endian. */
function opusHead(dOps: Buffer): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head.writeUInt8(1, 8);
  head.writeUInt8(dOps.readUInt8(1), 9);
  head.writeUInt16LE(dOps.readUInt16BE(2), 10);
  head.writeUInt32LE(dOps.readUInt32BE(4), 12);
  return head;
}
