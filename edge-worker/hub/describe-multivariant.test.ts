import { describe, expect, it } from 'vitest';
import { renderMultivariantPlaylist } from '#shared/playlist/multivariant-playlist.ts';
import { describeMultivariantPlaylist } from './describe-multivariant.ts';
import { takeUpdate } from './take-update.ts';
import type { LiveWindow } from './live-window.ts';
import { begin, framesOf, init, part, segment, take, type Unnumbered } from './window-fixture.ts';

describe('multivariant playlist of a live window', () => {
  it('is absent until a rendition has a part, then names all with their audio', () => {
    const begun = take(undefined, 100, [begin(0, ['low', 'high', 'a']), init('low')]);
    expect(describeMultivariantPlaylist(begun)).toBeUndefined();
    const described = describeMultivariantPlaylist(take(begun, 100, [part('low', 0, 0)]));
    expect(described?.variants.map((variant) => [variant.uri, variant.bandwidth, variant.codecs])).toEqual([
      ['low/index.m3u8', 1_128_000, 'avc1.64001f,mp4a.40.2'],
      ['high/index.m3u8', 1_128_000, 'avc1.64001f,mp4a.40.2'],
    ]);
  });

  it('raises BANDWIDTH to the peak seen and starts with the highest variant below the start bandwidth', () => {
    let window = take(undefined, 100, [begin(0, ['low', 'high']), init('low'), init('high')]);
    for (const update of framesOf(segment('high', 0), window.nextSeq)) {
      const bytes = update.update.kind === 'part' ? 500_000 : 0;
      const step = takeUpdate(window, 100, update.update, bytes);
      window = step.kind === 'taken' ? step.window : window;
    }
    const described = describeMultivariantPlaylist(window);
    expect(described && renderMultivariantPlaylist(described)).toBe(`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=1000000,AVERAGE-BANDWIDTH=1000000,CODECS="avc1.64001f",RESOLUTION=1280x720,FRAME-RATE=30.000
low/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=4000000,AVERAGE-BANDWIDTH=4000000,CODECS="avc1.64001f",RESOLUTION=1280x720,FRAME-RATE=30.000
high/index.m3u8
`);
  });

  it('of an audio-only stream has the audio as its variant', () => {
    const window = take(undefined, 100, [begin(0, ['a']), init('a'), part('a', 0, 0)]);
    expect(describeMultivariantPlaylist(window)).toMatchObject({
      renditions: [],
      variants: [{ uri: 'a/index.m3u8', bandwidth: 128_000, codecs: 'mp4a.40.2', resolution: undefined }],
    });
  });

  it('has variants of H.264 first, the others scored by height and worth, and audio alone last', () => {
    const video = { kind: 'video' as const, width: 1280, frameRate: 30, bandwidth: 1_000_000 };
    const described = describeMultivariantPlaylist(
      announce({
        renditions: [
          { ...video, name: 'hevc', codecs: 'hvc1.1.6.L93.90', height: 720 },
          { ...video, name: 'av1', codecs: 'av01.0.05M.08', height: 720 },
          { ...video, name: 'low', codecs: 'avc1.64001f', height: 360 },
          { ...video, name: 'high', codecs: 'avc1.64001f', height: 720 },
          {
            kind: 'audio',
            name: 'a',
            codecs: 'mp4a.40.2',
            sampleRate: 48_000,
            channels: 2,
            bandwidth: 96_000,
          },
        ],
        audioOnlyVariant: true,
      }),
    );
    expect(described?.variants.map(({ uri, score, audio }) => [uri, score, audio])).toEqual([
      ['low/index.m3u8', 2, 'audio'],
      ['high/index.m3u8', 3, 'audio'],
      ['hevc/index.m3u8', 4, 'audio'],
      ['av1/index.m3u8', 5, 'audio'],
      ['a/index.m3u8', 1, 'audio'],
    ]);
  });

  it('says VIDEO-RANGE of all variants where one is HDR, and of none otherwise', () => {
    const video = { kind: 'video' as const, width: 2, height: 2, frameRate: 30, bandwidth: 1 };
    const sdr = { ...video, name: 'low', codecs: 'avc1.64001f', videoRange: 'SDR' as const };
    const hdr = { ...video, name: 'hdr', codecs: 'hvc1.2.4.L93.90', videoRange: 'PQ' as const };
    const rangesOf = (renditions: (typeof sdr | typeof hdr)[]) =>
      describeMultivariantPlaylist(announce({ renditions }))?.variants.map(({ videoRange }) => videoRange);
    expect(rangesOf([sdr, hdr])).toEqual(['SDR', 'PQ']);
    expect(rangesOf([sdr])).toEqual([undefined]);
  });

  it('names languages and the captions of those renditions that carry them; NONE stands on all or on none', () => {
    const audio = {
      kind: 'audio' as const,
      codecs: 'mp4a.40.2',
      sampleRate: 48_000,
      channels: 2,
      bandwidth: 1,
    };
    const video = { kind: 'video' as const, width: 2, height: 2, frameRate: 30, bandwidth: 1 };
    const renditions = [
      { ...video, name: 'low', codecs: 'avc1.64001f', closedCaptions: true },
      { ...video, name: 'hevc', codecs: 'hvc1.1.6.L93.90', closedCaptions: false },
      { ...audio, name: 'a', language: 'en', label: 'English' },
      { ...audio, name: 'a-de', language: 'de', label: 'German' },
    ];
    const captions = { channel: 'CC1', language: 'en', label: 'English' };
    const described = describeMultivariantPlaylist(announce({ renditions, closedCaptions: [captions] }));
    const text = described === undefined ? '' : renderMultivariantPlaylist(described);
    expect(text.match(/^#EXT-X-MEDIA:.*$/gm)).toEqual([
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a/index.m3u8"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="German",LANGUAGE="de",AUTOSELECT=YES,CHANNELS="2",URI="a-de/index.m3u8"',
      '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="captions",NAME="English",LANGUAGE="en",AUTOSELECT=YES,INSTREAM-ID="CC1"',
    ]);
    expect(described?.variants.map(({ closedCaptions }) => closedCaptions)).toEqual([
      { groupId: 'captions' },
      undefined,
    ]);
    const without = describeMultivariantPlaylist(announce({ renditions, closedCaptions: [] }));
    expect(without?.variants.map(({ closedCaptions }) => closedCaptions)).toEqual(['NONE', 'NONE']);
  });
});

/** A window whose begin says more, with a part of its first rendition. */
function announce(more: Partial<Extract<Unnumbered, { kind: 'begin' }>>): LiveWindow {
  const begun = { ...begin(), ...more };
  const first = 'renditions' in begun ? (begun.renditions[0]?.name ?? '') : '';
  return take(undefined, 100, [begun, init(first), part(first, 0, 0)]);
}
