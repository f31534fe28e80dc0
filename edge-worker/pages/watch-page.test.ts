import { describe, expect, it } from 'vitest';
import { availabilityOf, firstMediaPlaylist, mediaAvailability } from './availability.ts';
import { bufferedAhead, chooseLatency, formatRendition, formatSeconds } from './measurement.ts';
import { beaconAddress, parseWatchAddress } from './watch-address.ts';

describe('the watch page', () => {
  it('takes its token along in the path of the media', () => {
    expect(parseWatchAddress('http://edge.example/watch/show?token=a.b.c')).toEqual({
      stream: 'show',
      playlist: '/t/a.b.c/live/show/index.m3u8',
    });
    expect(parseWatchAddress('http://edge.example/watch/show')).toEqual({
      stream: 'show',
      playlist: '/live/show/index.m3u8',
    });
  });

  it.each([
    ['/t/a.b.c/live/show/index.m3u8', '/t/a.b.c/beacon'],
    ['/live/show/index.m3u8', '/beacon'],
  ])('tells of the playback of %s at %s', (playlist, beacon) => {
    expect(beaconAddress(playlist)).toBe(beacon);
  });

  it.each([
    [200, 'ready'],
    [401, 'refused'],
    [403, 'refused'],
    [404, 'waiting'],
    [451, 'refused'],
    [503, 'waiting'],
  ])('reads %i as %s', (status, kind) => {
    expect(availabilityOf(status).kind).toBe(kind);
  });

  it.each([
    ['#EXTM3U\n#EXT-X-PART:DURATION=0.5,URI="a"\n', false, { kind: 'waiting', soon: true }],
    ['#EXTM3U\n#EXTINF:2,\na\n', false, { kind: 'ready' }],
    ['#EXTM3U\n#EXTINF:2,\na\n', true, { kind: 'ready' }],
    ['#EXTM3U\n#EXTINF:2,\na\n#EXT-X-ENDLIST\n', false, { kind: 'ready' }],
    ['#EXTM3U\n#EXTINF:2,\na\n#EXT-X-ENDLIST\n', true, { kind: 'waiting' }],
  ])(
    'starts a player once there is a segment and, after an end, no EXT-X-ENDLIST: %j',
    (text, onlyLive, said) => {
      expect(mediaAvailability(200, text, onlyLive)).toMatchObject(said);
      expect(mediaAvailability(404, text, onlyLive).kind).toBe('waiting');
    },
  );

  it('finds a media playlist to see whether a stream has ended', () => {
    expect(firstMediaPlaylist('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n360p/index.m3u8\n')).toBe(
      '360p/index.m3u8',
    );
    expect(firstMediaPlaylist('#EXTM3U\n')).toBeUndefined();
  });

  it('takes the latency by the clock unless the clock is wrong', () => {
    expect(chooseLatency(1.5, 2)).toBe(1.5);
    expect(chooseLatency(-3, 2)).toBe(2);
    expect(chooseLatency(1e6, 2)).toBe(2);
    expect(chooseLatency(undefined, 0)).toBeUndefined();
  });

  it('writes its figures', () => {
    expect(formatSeconds(1.234)).toBe('1.23 s');
    expect(formatSeconds(undefined)).toBe('–');
    expect(formatRendition({ height: 720, bitrate: 2_500_000 })).toBe('720p · 2.5 Mb/s');
    expect(formatRendition({ height: 720, bitrate: undefined })).toBe('720p');
  });

  it('measures the buffer from the picture on', () => {
    const ranges = [
      { start: 0, end: 4 },
      { start: 5, end: 9 },
    ];
    expect(bufferedAhead(ranges, 6)).toBe(3);
    expect(bufferedAhead(ranges, 4.5)).toBe(0);
    expect(bufferedAhead([], 0)).toBe(0);
  });
});
