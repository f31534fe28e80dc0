import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FLV_VIDEO } from '../../origin/ingest/flv/flv-tag.ts';
import type { MediaTag } from '../../origin/ingest/flv/source-assembler.ts';
import { sendOverRtmp } from '../support/changing-source.ts';
import { decodeComplaints } from '../support/decode-stamps.ts';
import { fetchMedia, fetchPlaylist, fetchVariants, until } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';

const SEGMENTS = 2;
/** Tones of the two languages, hertz. */
const TONES = { en: 440, de: 1_320 };
const CODECS_LADDER = {
  video: ['h264', 'hevc', 'av1'].map((codec) => ({ name: codec, codec, height: 180, bitrate: 250_000 })),
  audio: { codec: 'aac', bitrate: 96_000, only: true },
};
const CAPTIONS_LADDER = {
  video: [
    { name: 'source', codec: 'copy' },
    { name: '90p', codec: 'h264', height: 90, bitrate: 150_000, preset: 'ultrafast' },
  ],
  audio: null,
  encoder: 'nvenc',
};
/** Characters "HI" in field one, and padding in field two: cc_data() of ATSC A/53 in its SEI message. */
const CAPTION_SEI = Buffer.from('06041 1b500314741393403 42ff fcc8c9 f98080 ff80'.replaceAll(' ', ''), 'hex');

const run = promisify(execFile);
/** Audio is dated to within one of its frames of the pictures: 1024 samples at 48 kHz. */
const AUDIO_FRAME_MS = 22;

let rill: RillInstance;
let publisher: ChildProcess | undefined;

beforeAll(async () => {
  rill = await startRill({
    streams: { languages: { ladder: CODECS_LADDER }, captions: { ladder: CAPTIONS_LADDER } },
  });
});

afterAll(async () => {
  publisher?.kill('SIGKILL');
  await rill?.stop();
});

test('an interlaced source in two languages becomes progressive H.264, HEVC and AV1 with an audio group', async () => {
  publisher = publishInterlaced(await rill.rill('publish-url', 'languages', '--srt'));
  const playUrl = await rill.rill('play-url', 'languages');
  const { text, variants, audio } = await until('the stream', () => fetchVariants(playUrl));
  const names = variants.map((url) => /languages\/([^/]+)\/index/.exec(url)?.[1]);
  expect(names).toEqual(['h264', 'hevc', 'av1', 'audio']);
  expect(text.match(/CODECS="[^"]+"/g)).toEqual([
    expect.stringMatching(/^CODECS="avc1\.6400[0-9A-F]{2},mp4a\.40\.2"$/),
    expect.stringMatching(/^CODECS="hvc1\.1\.6\.L\d+(?:\.[0-9A-F]{1,2})+,mp4a\.40\.2"$/),
    expect.stringMatching(/^CODECS="av01\.0\.\d\dM\.08[^"]*,mp4a\.40\.2"$/),
    'CODECS="mp4a.40.2"',
  ]);
  expect(text.match(/SCORE=\d/g)).toEqual(['SCORE=2', 'SCORE=3', 'SCORE=4', 'SCORE=1']);
  expect(text.match(/CLOSED-CAPTIONS=NONE/g)).toHaveLength(3);
  expect(text.match(/^#EXT-X-MEDIA:.*$/gm)).toEqual([
    expect.stringMatching(
      /NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="audio\//,
    ),
    expect.stringMatching(/NAME="German",LANGUAGE="de",AUTOSELECT=YES,CHANNELS="1",URI="audio-de\//),
  ]);

  const files = new Map<string, Buffer>();
  const starts: number[] = [];
  const sequences = new Set<number>();
  for (const url of [...variants.slice(0, 3), ...audio]) {
    const { file, start, sequence } = await firstSegments(url);
    files.set(/languages\/([^/]+)\/index/.exec(url)?.[1] ?? '', file);
    starts.push(start);
    sequences.add(sequence);
    expect(await decodeComplaints(file)).toBe('');
  }
  expect(sequences.size).toBe(1);
  expect(new Set(starts.slice(0, 3)).size).toBe(1);
  expect(Math.max(...starts) - Math.min(...starts)).toBeLessThan(AUDIO_FRAME_MS);
  expect(await pitchOf(files.get('audio'))).toBeCloseTo(TONES.en, -1.5);
  expect(await pitchOf(files.get('audio-de'))).toBeCloseTo(TONES.de, -1.5);
  for (const codec of ['h264', 'hevc', 'av1']) {
    const { interlaced, progressive } = await fieldsOf(files.get(codec));
    expect({ codec, isProgressive: progressive > interlaced * 10 && progressive > 50 }).toEqual({
      codec,
      isProgressive: true,
    });
  }
});

test('captions come through a copy and an encoder, and an absent GPU is said once and made up for', async () => {
  const piece = { seconds: 8, size: '320x180', encoder: 'libx264', profile: 'high' } as const;
  const sent = sendOverRtmp(await rill.rill('publish-url', 'captions', '--rtmp'), [piece], withCaptions);
  const playUrl = await rill.rill('play-url', 'captions');
  const { text, variants } = await until('the stream', () => fetchVariants(playUrl));
  expect(text).toContain(
    '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="captions",NAME="CC1",AUTOSELECT=YES,INSTREAM-ID="CC1"\n',
  );
  expect(text.match(/CLOSED-CAPTIONS="captions"/g)).toHaveLength(2);
  for (const url of variants) {
    const { file } = await firstSegments(url);
    const frames = file.toString('latin1').split('GA94\u0003\u0042').length - 1;
    expect(frames).toBeGreaterThan(50);
    expect(file.includes(Buffer.from('fcc8c9', 'hex'))).toBe(true);
  }
  await sent;
  expect(rill.output().match(/h264 is encoded by libx264: h264_nvenc does not work here/g)).toHaveLength(1);
});

/** The first whole segments with their init segment, and when they start. */
async function firstSegments(
  url: string,
): Promise<{ readonly file: Buffer; readonly start: number; readonly sequence: number }> {
  const playlist = await until(`${SEGMENTS} segments`, async () => {
    const now = await fetchPlaylist(url);
    return now.segments.length >= SEGMENTS ? now : undefined;
  });
  const segments = playlist.segments.slice(0, SEGMENTS);
  const pieces = [playlist.init ?? '', ...segments.map(({ uri }) => uri)];
  const bytes = await Promise.all(pieces.map((uri) => fetchMedia(url, uri)));
  const start = /PROGRAM-DATE-TIME:(.*)/.exec(playlist.text)?.[1] ?? '';
  return { file: Buffer.concat(bytes), start: Date.parse(start), sequence: playlist.mediaSequence };
}

function publishInterlaced(url: string): ChildProcess {
  const picture =
    'testsrc2=size=320x180:rate=50,scroll=horizontal=0.02,tinterlace=interleave_top,fieldorder=tff';
  const sources = [
    picture,
    ...Object.values(TONES).map((hertz) => `sine=frequency=${hertz}:sample_rate=48000`),
  ];
  return spawn(
    'ffmpeg',
    [
      ...['-v', 'error', ...sources.flatMap((source) => ['-re', '-f', 'lavfi', '-i', source])],
      ...['-map', '0:v', '-map', '1:a', '-map', '2:a', '-metadata:s:a:0', 'language=eng'],
      ...[
        '-metadata:s:a:1',
        'language=ger',
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-tune',
        'zerolatency',
      ],
      ...['-pix_fmt', 'yuv420p', '-flags', '+ildct+ilme', '-x264-params', 'tff=1', '-g', '50', '-b:v', '2M'],
      ...['-c:a', 'aac', '-b:a', '96k', '-f', 'mpegts', url],
    ],
    { stdio: 'ignore' },
  );
}

/** Puts the message before the picture of an AVC tag. */
function withCaptions(tag: MediaTag): MediaTag {
  const isPicture = tag.type === FLV_VIDEO && tag.body[1] === 1;
  if (!isPicture) {
    return tag;
  }
  const length = Buffer.alloc(4);
  length.writeUInt32BE(CAPTION_SEI.length);
  return {
    ...tag,
    body: Buffer.concat([tag.body.subarray(0, 5), length, CAPTION_SEI, tag.body.subarray(5)]),
  };
}

/** Pictures by how they look, whatever they say of themselves. */
async function fieldsOf(
  file: Buffer | undefined,
): Promise<{ readonly interlaced: number; readonly progressive: number }> {
  const stderr = await ffmpeg(file, ['-vf', 'idet', '-f', 'null', '-'], 'stderr');
  const counts = /Multi frame detection: TFF: *(\d+) BFF: *(\d+) Progressive: *(\d+)/.exec(stderr.toString());
  return { interlaced: Number(counts?.[1]) + Number(counts?.[2]), progressive: Number(counts?.[3]) };
}

/** Frequency of a tone, hertz, by its changes of sign. */
async function pitchOf(file: Buffer | undefined): Promise<number> {
  const pcm = await ffmpeg(file, ['-f', 's16le', '-ac', '1', '-ar', '48000', '-'], 'stdout');
  let changes = 0;
  for (let at = 2; at + 2 <= pcm.length; at += 2) {
    changes += pcm.readInt16LE(at) >= 0 !== pcm.readInt16LE(at - 2) >= 0 ? 1 : 0;
  }
  return (changes * 48_000) / pcm.length;
}

async function ffmpeg(
  file: Buffer | undefined,
  output: readonly string[],
  from: 'stdout' | 'stderr',
): Promise<Buffer> {
  const options = { encoding: 'buffer' as const, maxBuffer: 16 * 1024 * 1024 };
  const running = run('ffmpeg', ['-hide_banner', '-i', 'pipe:0', ...output], options);
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(file);
  return (await running)[from];
}
