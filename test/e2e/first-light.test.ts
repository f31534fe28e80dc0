import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeStamps } from '../support/decode-stamps.ts';
import {
  fetchMedia,
  fetchPlaylist,
  fetchVariants,
  followParts,
  until,
  type DownloadedPart,
} from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';

const run = promisify(execFile);
const FOLLOW_MS = 7_000;
const FRAME_RATE = 30;
/** SRT's latency, a frame, and what a busy machine takes for the way to the packager. */
const CLOCK_MARGIN_MS = 1_500;
const LADDER = {
  video: [
    { name: 'source', codec: 'copy' },
    { name: '180p', codec: 'h264', height: 180, bitrate: 300_000, preset: 'ultrafast' },
  ],
  audio: { name: 'audio', codec: 'aac', bitrate: 128_000 },
};

let rill: RillInstance;
const publishers: StampedPublisher[] = [];
const playUrls = new Map<string, string>();

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, ladder: LADDER });
  for (const [stream, protocol] of [
    ['over-rtmp', '--rtmp'],
    ['over-srt', '--srt'],
  ] as const) {
    publishers.push(startStampedPublisher({ url: await rill.rill('publish-url', stream, protocol) }));
    playUrls.set(stream, await rill.rill('play-url', stream));
  }
});

afterAll(async () => {
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  await rill?.stop();
});

describe.each(['over-rtmp', 'over-srt'])('a stream published %s while another one is live', (stream) => {
  const variants = async (): Promise<Awaited<ReturnType<typeof fetchVariants>>> =>
    until('both variants', async () => {
      const found = await fetchVariants(playUrls.get(stream) ?? '');
      return found.variants.length === 2 && found.audio.length === 1 ? found : undefined;
    });

  test('lists its variants with the codecs of the real parameter sets', async () => {
    const { text } = await variants();
    expect(text).toMatch(/CODECS="avc1\.[0-9A-F]{6},mp4a\.40\.2"/);
    expect(text).toMatch(/RESOLUTION=640x360/);
    expect(text).toMatch(/RESOLUTION=320x180/);
  });

  test('every picture of every rendition arrives once, in order, and decodes without a complaint', async () => {
    const found = await variants();
    await Promise.all(
      found.variants.map(async (url) => {
        const parts = await followParts(url, FOLLOW_MS);
        const { stamps, errors } = await decode(url, parts);
        expect(errors).toBe('');
        expect(stamps.length).toBeGreaterThan(100);
        expect(stamps.every((stamp, index) => (stamp ?? 0) > (stamps[index - 1] ?? 0))).toBe(true);
        const first = parts.findIndex((part) => part.independent);
        const seconds = parts.slice(first).reduce((sum, part) => sum + part.duration, 0);
        expect(stamps.length).toBe(Math.round(seconds * FRAME_RATE));
      }),
    );
  });

  test('a segment holds exactly the bytes of its parts', async () => {
    const found = await variants();
    for (const url of [...found.variants, ...found.audio]) {
      const playlist = await fetchPlaylist(url);
      const segment = playlist.segments.at(-1);
      const parts = playlist.parts.filter((part) => part.msn === segment?.msn);
      const whole = await fetchMedia(url, segment?.uri ?? '');
      const pieces = await Promise.all(parts.map((part) => fetchMedia(url, part.uri)));
      expect(pieces.length).toBeGreaterThan(3);
      expect(Buffer.concat(pieces).equals(whole)).toBe(true);
    }
  });

  test('a media sequence number names the same instant in every rendition', async () => {
    const found = await variants();
    const playlists = await Promise.all([...found.variants, ...found.audio].map((url) => fetchPlaylist(url)));
    const times = playlists.map((playlist) => segmentTimes(playlist.text, playlist.mediaSequence));
    const common = [...(times[0]?.keys() ?? [])].filter((msn) => times.every((one) => one.has(msn)));
    expect(common.length).toBeGreaterThan(0);
    for (const msn of common) {
      const instants = times.map((one) => one.get(msn) ?? 0);
      expect(Math.max(...instants) - Math.min(...instants)).toBeLessThan(25);
    }
  });

  test('EXT-X-PROGRAM-DATE-TIME is the wall clock of the picture', async () => {
    const [url = ''] = (await variants()).variants;
    const playlist = await fetchPlaylist(url);
    const segment = playlist.segments.at(-1);
    const init = await fetchMedia(url, playlist.init ?? '');
    const media = await fetchMedia(url, segment?.uri ?? '');
    const { stamps } = await decodeStamps(Buffer.concat([init, media]), Date.now());
    const told = segmentTimes(playlist.text, playlist.mediaSequence).get(segment?.msn ?? -1);
    expect(Math.abs((told ?? 0) - (stamps[0] ?? 0))).toBeLessThan(CLOCK_MARGIN_MS);
  });

  test.each(['path', 'query'])('ffmpeg plays it through the edge, token in the %s', async (place) => {
    const inPath = playUrls.get(stream) ?? '';
    const inQuery = inPath.replace(/\/t\/([^/]+)(\/.*)$/, '$2?token=$1');
    expect(inQuery).toMatch(/:\d+\/live\/[^/]+\/index\.m3u8\?token=/);
    const url = place === 'path' ? inPath : inQuery;
    const { stdout } = await run('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'stream=codec_name',
      '-of',
      'csv=p=0',
      url,
    ]);
    expect(stdout).toContain('h264');
    expect(stdout).toContain('aac');
    const { stderr } = await run('ffmpeg', ['-v', 'error', '-i', url, '-t', '4', '-f', 'null', '-']);
    expect(stderr).toBe('');
  });
});

async function decode(url: string, parts: readonly DownloadedPart[]): ReturnType<typeof decodeStamps> {
  const playlist = await fetchPlaylist(url);
  const init = await fetchMedia(url, playlist.init ?? '');
  const first = parts.findIndex((part) => part.independent);
  const media = Buffer.concat([init, ...parts.slice(first).map((part) => part.bytes)]);
  return decodeStamps(media, Date.now());
}

function segmentTimes(text: string, mediaSequence: number): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  let msn = mediaSequence;
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) {
      times.set(msn, Date.parse(line.slice(25)));
    } else if (line !== '' && !line.startsWith('#')) {
      msn += 1;
    }
  }
  return times;
}
