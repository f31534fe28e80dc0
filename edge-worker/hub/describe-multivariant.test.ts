import { describe, expect, it } from 'vitest';
import { renderMultivariantPlaylist } from '#shared/playlist/multivariant-playlist.ts';
import { describeMultivariantPlaylist } from './describe-multivariant.ts';
import { takeUpdate } from './take-update.ts';
import { begin, framesOf, init, part, segment, take } from './window-fixture.ts';

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
});
