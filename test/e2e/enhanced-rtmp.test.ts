import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FLV_AUDIO, FLV_VIDEO } from '../../origin/ingest/flv/flv-tag.ts';
import { FragmentReader } from '../../origin/package/fragment-reader.ts';
import type { Sample, Track } from '../../origin/package/sample.ts';
import { decodeComplaints } from '../support/decode-stamps.ts';
import {
  asVideoTrack,
  encodeClip,
  openPublisher,
  sendTags,
  type ClipOptions,
  type EnhancedClip,
} from '../support/enhanced-publisher.ts';
import { fetchMedia, fetchPlaylist, fetchVariants, until } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';

const run = promisify(execFile);
const SECONDS = 5;
/** RTMP's time stamps are rounded to a millisecond, and ours once more to a tick. */
const TIME_STAMP_MARGIN_MS = 1.1;
const COPY = 'source';
const ENCODED = '90p';
const LADDER = {
  video: [
    { name: COPY, codec: 'copy' },
    { name: ENCODED, codec: 'h264', height: 90, bitrate: 150_000, preset: 'ultrafast' },
  ],
  audio: { name: 'audio', codec: 'copy', bitrate: 96_000 },
};

interface Case extends Pick<ClipOptions, 'video' | 'audio' | 'colours'> {
  readonly stream: string;
  readonly videoCodecs: RegExp;
  readonly audioCodecs: string;
  /** Where it is not SDR. */
  readonly videoRange?: string;
}

const CASES: readonly Case[] = [
  {
    stream: 'hevc',
    video: 'hvc1',
    audio: 'mp4a',
    videoCodecs: /^hvc1\.1\.6\.L\d+\.90$/,
    audioCodecs: 'mp4a.40.2',
  },
  {
    stream: 'hevc-main10',
    video: 'hvc1 with B-frames',
    audio: 'Opus',
    colours: '-pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc',
    videoRange: 'PQ',
    videoCodecs: /^hvc1\.2\.4\.L\d+\.90$/,
    audioCodecs: 'opus',
  },
  { stream: 'av1', video: 'av01', audio: 'Opus', videoCodecs: /^av01\.0\.\d\dM\.08$/, audioCodecs: 'opus' },
  {
    stream: 'vp9',
    video: 'vp09',
    audio: 'mp4a',
    videoCodecs: /^vp09\.00\.\d\d\.08$/,
    audioCodecs: 'mp4a.40.2',
  },
  {
    stream: 'avc-opus',
    video: 'avc1',
    audio: 'Opus',
    videoCodecs: /^avc1\.[0-9A-F]{6}$/,
    audioCodecs: 'opus',
  },
];

/** The variant of a rung, wherever the multivariant playlist has it. */
function named(variants: readonly string[], rung: string): string {
  return variants.find((url) => url.includes(`/${rung}/`)) ?? '';
}

let rill: RillInstance;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, dvr: '120s', ladder: LADDER });
});

afterAll(async () => {
  await rill?.stop();
});

describe.concurrent('a copy has every frame with its time stamps, and an encoded rung decodes', () => {
  for (const { stream, videoCodecs, audioCodecs, videoRange, ...codecs } of CASES) {
    test(`${codecs.video} with ${codecs.audio}`, async ({ expect }) => {
      const clip = await encodeClip({ ...codecs, seconds: SECONDS });
      const playUrl = await publishToEnd(stream, clip);
      const { text, variants, audio } = await fetchVariants(playUrl);
      const source = await readRendition(named(variants, COPY));
      expect(source.track.codecs).toMatch(videoCodecs);
      expect(text).toContain(`CODECS="${source.track.codecs},${audioCodecs}"`);
      expect(/VIDEO-RANGE=(\w+)/.exec(text)?.[1]).toBe(videoRange);
      expect(source.samples).toHaveLength(clip.pictures);
      expect(drift(source, clip, FLV_VIDEO)).toBeLessThan(TIME_STAMP_MARGIN_MS);
      const sound = await readRendition(audio[0] ?? '');
      expect(sound.track.codecs).toBe(audioCodecs);
      expect(drift(sound, clip, FLV_AUDIO)).toBeLessThan(TIME_STAMP_MARGIN_MS);
      const small = await readRendition(named(variants, ENCODED));
      expect(small.track).toMatchObject({ width: 160, height: 90 });
      expect(small.samples).toHaveLength(clip.pictures);
      for (const { bytes } of [source, sound, small]) {
        expect(await decodeComplaints(bytes)).toBe('');
      }
    });
  }
});

test('HEVC with B-frames and Opus over SRT: a copy of the picture, and sound as AAC', async () => {
  const url = await rill.rill('publish-url', 'srt-hevc', '--srt');
  const source = '-v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=sample_rate=48000';
  const video =
    '-pix_fmt yuv420p -c:v libx265 -preset ultrafast -x265-params keyint=30:bframes=3:log-level=none';
  const output = `-t ${SECONDS} -c:a libopus -ac 2 -f mpegts`;
  await run('ffmpeg', [...`${source} ${video} ${output}`.split(' '), `${url}&linger=2`]);
  const playUrl = await waitForEnd('srt-hevc');
  const { text, variants, audio } = await fetchVariants(playUrl);
  const picture = await readRendition(named(variants, COPY));
  expect(text).toContain(`CODECS="${picture.track.codecs},mp4a.40.2"`);
  expect(picture.track.codecs).toMatch(/^hvc1\.1\.6\.L\d+\.90$/);
  expect(picture.samples).toHaveLength(SECONDS * 30);
  for (const { bytes } of [picture, await readRendition(audio[0] ?? '')]) {
    expect(await decodeComplaints(bytes)).toBe('');
  }
});

test('of a multitrack source the first video track is carried, and the log names the other once', async () => {
  const [main, other] = await Promise.all([
    encodeClip({ video: 'hvc1', audio: 'mp4a', seconds: 3 }),
    encodeClip({ video: 'av01', audio: 'mp4a', seconds: 3, size: '320x180' }),
  ]);
  const tags = [...main.tags, ...asVideoTrack(other, 1)].toSorted((a, b) => a.timestamp - b.timestamp);
  const playUrl = await publishToEnd('multitrack', { ...main, tags });
  const { variants } = await fetchVariants(playUrl);
  const source = await readRendition(named(variants, COPY));
  expect(source.track).toMatchObject({ width: 640, codecs: expect.stringMatching(/^hvc1/) });
  expect(source.samples).toHaveLength(main.pictures);
  expect(rill.output().split('video track 1 is not carried')).toHaveLength(2);
});

describe('bad input ends its stream with a reason that names the remedy', () => {
  test.each([
    ['an unknown FourCC', '\x90zzzz\x01', 'video with an unknown FourCC is not supported: send H.264'],
    ['a header that is cut short', '\x90hv', 'an Enhanced RTMP video tag is cut short: update the encoder'],
    ['a record of garbage', '\x90hvc1\x07\x08\x09', 'the HEVC sequence header is malformed'],
    ['MPEG-2 TS sequence start', '\x95av01\x00', 'in the form of MPEG-2 TS (av01) is not supported'],
  ])('%s', async (what, body, reason) => {
    const stream = what.toLowerCase().replaceAll(/[^a-z]+/g, '-');
    const publisher = openPublisher(await rill.rill('publish-url', stream, '--rtmp'));
    publisher.tags({ type: FLV_VIDEO, timestamp: 0, body: Buffer.from(body, 'latin1') });
    await publisher.closed;
    expect(publisher.codes().at(-1)).toBe('NetStream.Publish.Rejected');
    await until('the reason in the log', () => (rill.output().includes(reason) ? true : undefined));
  });
});

interface ReadRendition {
  readonly track: Track;
  readonly samples: readonly Sample[];
  readonly bytes: Uint8Array;
}

/** Publishes a clip as fast as it is played, says goodbye, and waits until the whole of it is listed. */
async function publishToEnd(stream: string, clip: EnhancedClip): Promise<string> {
  const publisher = openPublisher(await rill.rill('publish-url', stream, '--rtmp'));
  await sendTags(publisher, clip.tags);
  publisher.command('deleteStream', 7, null, 1);
  publisher.socket.end();
  return waitForEnd(stream);
}

/** Waits until every rendition of a stream is listed to its end; returns the multivariant playlist's URL. */
async function waitForEnd(stream: string): Promise<string> {
  const playUrl = await rill.rill('play-url', stream);
  await until(`the end of ${stream}`, async () => {
    const { variants, audio } = await fetchVariants(playUrl);
    const playlists = await Promise.all([...variants, ...audio].map((url) => fetchPlaylist(url)));
    return playlists.every((playlist) => playlist.ended) ? true : undefined;
  });
  return playUrl;
}

async function readRendition(url: string): Promise<ReadRendition> {
  const { init = '', segments } = await fetchPlaylist(url);
  const uris = [init, ...segments.map(({ uri }) => uri)];
  const bytes = Buffer.concat(await Promise.all(uris.map((uri) => fetchMedia(url, uri))));
  const events = new FragmentReader().push(bytes);
  const tracks = events.flatMap((event) => (event.kind === 'tracks' ? event.tracks : []));
  const samples = events.flatMap((event) => (event.kind === 'sample' ? [event.sample] : []));
  const [track] = tracks;
  if (track === undefined) {
    throw new Error(`${url} has no track`);
  }
  return { track, samples, bytes };
}

/** Largest difference of a presentation time to that which was sent, both counted from the last, milliseconds. */
function drift({ track, samples }: ReadRendition, clip: EnhancedClip, type: number): number {
  const got = samples.map(
    (sample) => ((sample.decodeTime + sample.compositionOffset) * 1000) / track.timescale,
  );
  const sent = clip.tags
    .filter((tag) => tag.type === type && ((tag.body[0] ?? 0) & 0x0f) !== 0)
    .map((tag) => tag.timestamp + (type === FLV_VIDEO ? compositionTime(tag.body) : 0));
  // Sound from before the first picture is left out.
  const counterpart = sent.slice(-got.length);
  const offsets = got.map((time, index) => time - (counterpart[index] ?? 0));
  return Math.max(...offsets) - Math.min(...offsets);
}

function compositionTime(body: Uint8Array): number {
  const coded = ((body[0] ?? 0) & 0x0f) === 1;
  const reordered = ['hvc1', 'avc1'].includes(Buffer.from(body.subarray(1, 5)).toString('latin1'));
  return coded && reordered ? Buffer.from(body).readIntBE(5, 3) : 0;
}
