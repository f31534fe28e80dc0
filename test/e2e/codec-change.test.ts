import { afterAll, beforeAll, expect, test } from 'vitest';
import { FLV_VIDEO } from '../../origin/ingest/flv/flv-tag.ts';
import { sendOverRtmp, sendOverSrt, type SourcePiece } from '../support/changing-source.ts';
import { COPY_LADDER } from '../support/ladders.ts';
import { fetchPlaylist, fetchVariants, until, type ListedPlaylist } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from '../support/stamped-publisher.ts';

const HIGH: SourcePiece = { seconds: 5, size: '640x360', encoder: 'libx264', profile: 'high' };
const BASELINE: SourcePiece = { seconds: 5, size: '480x270', encoder: 'libx264', profile: 'baseline' };
const MPEG2: SourcePiece = { seconds: 4, size: '640x360', encoder: 'mpeg2video', profile: 'main' };

let rill: RillInstance;
let bystander: StampedPublisher;
let bystanderVariant: string;

beforeAll(async () => {
  rill = await startRill({ partTarget: 0.5, dvr: '120s', ladder: COPY_LADDER });
  bystander = startStampedPublisher({ url: await rill.rill('publish-url', 'bystander', '--rtmp') });
  bystanderVariant = await variantOf('bystander');
});

afterAll(async () => {
  await bystander?.stop();
  await rill?.stop();
});

test('SRT: H.264 that becomes MPEG-2 in one MPEG-TS ends its stream with the reason, and no other', async () => {
  await sendOverSrt(await rill.rill('publish-url', 'srt-change', '--srt'), [HIGH, MPEG2]);
  const ended = await endOf(await variantOf('srt-change'));
  expect(secondsOf(ended)).toBeGreaterThan(HIGH.seconds - 1);
  expect(rill.output()).toContain(
    'video is MPEG-2 video (stream type 0x02), which is not supported; send video as H.264 or HEVC',
  );
  await expectBystanderUndisturbed();
});

test('RTMP: a new AVC sequence header goes on after a discontinuity, VVC by FourCC ends the stream', async () => {
  // Asked beforehand: an encoder that pauses for 10 s is given up.
  const playUrl = await rill.rill('play-url', 'rtmp-change');
  const encoder = await sendOverRtmp(await rill.rill('publish-url', 'rtmp-change', '--rtmp'), [
    HIGH,
    BASELINE,
  ]);
  const url = await firstVariant(playUrl);
  const changed = await until('the second source', async () => {
    const playlist = await fetchPlaylist(url);
    return playlist.discontinuities === 1 && /DISCONTINUITY\n[^]*#EXT-X-PART/.test(playlist.text)
      ? playlist
      : undefined;
  });
  expect(changed.ended).toBe(false);
  expect(new Set(changed.text.match(/^#EXT-X-MAP:.*$/gm)).size).toBe(2);
  const { text } = await fetchVariants(playUrl);
  expect(text).toMatch(/CODECS="avc1\.42.*RESOLUTION=480x270|RESOLUTION=480x270.*CODECS="avc1\.42/);

  encoder.tags({ type: FLV_VIDEO, timestamp: 10_000, body: Buffer.from('\x90vvc1\x01', 'latin1') });
  await encoder.closed;
  expect(encoder.codes().at(-1)).toMatch(/^NetStream\.Publish\./);
  const ended = await endOf(url);
  expect(secondsOf(ended)).toBeGreaterThan(HIGH.seconds + BASELINE.seconds - 1);
  expect(rill.output()).toContain(
    'VVC (vvc1) is not supported: send H.264, HEVC, AV1 or VP9 video and AAC or Opus audio',
  );
  await expectBystanderUndisturbed();
});

async function variantOf(stream: string): Promise<string> {
  return firstVariant(await rill.rill('play-url', stream));
}

function firstVariant(playUrl: string): Promise<string> {
  return until(`${playUrl} to be live`, async () => (await fetchVariants(playUrl)).variants[0]);
}

async function endOf(variant: string): Promise<ListedPlaylist> {
  return until('EXT-X-ENDLIST', async () => {
    const playlist = await fetchPlaylist(variant);
    return playlist.ended ? playlist : undefined;
  });
}

function secondsOf(playlist: ListedPlaylist): number {
  return playlist.segments.reduce((sum, segment) => sum + segment.duration, 0);
}

/** The stream that nobody may disturb: no discontinuity, and its next two parts arrive. */
async function expectBystanderUndisturbed(): Promise<void> {
  const now = await fetchPlaylist(bystanderVariant);
  const next = await fetchPlaylist(bystanderVariant, now.next);
  const afterNext = await fetchPlaylist(bystanderVariant, next.next);
  expect(afterNext.discontinuities).toBe(0);
}
