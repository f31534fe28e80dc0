import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendTokenToUris, limitHeight } from './rewrite.ts';

const MULTIVARIANT = `#EXTM3U
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="a, URI=b",URI="audio/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=5000000,CODECS="avc1.640028,mp4a.40.2",RESOLUTION=1920x1080,AUDIO="audio"
1080p/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,AUDIO="audio"
360p/index.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=200000,RESOLUTION=1920x1080,URI="1080p/iframes.m3u8"
`;

const MEDIA = `#EXTM3U
#EXT-X-MAP:URI="7-init.mp4"
#EXTINF:2.00000,
7-1.m4s
#EXT-X-PART:DURATION=0.50000,URI="7-2.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="7-2.1.m4s"
#EXT-X-RENDITION-REPORT:URI="../audio/index.m3u8",LAST-MSN=2,LAST-PART=0
`;

describe('appendTokenToUris', () => {
  it('appends the token to URI lines and URI attributes of a media playlist', () => {
    expect(appendTokenToUris(MEDIA, 'a.b-c_d')).toBe(`#EXTM3U
#EXT-X-MAP:URI="7-init.mp4?token=a.b-c_d"
#EXTINF:2.00000,
7-1.m4s?token=a.b-c_d
#EXT-X-PART:DURATION=0.50000,URI="7-2.0.m4s?token=a.b-c_d",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="7-2.1.m4s?token=a.b-c_d"
#EXT-X-RENDITION-REPORT:URI="../audio/index.m3u8?token=a.b-c_d",LAST-MSN=2,LAST-PART=0
`);
  });

  it('leaves quoted text that looks like an attribute alone', () => {
    expect(appendTokenToUris(MULTIVARIANT, 't')).toContain(
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="a, URI=b",URI="audio/index.m3u8?token=t"\n',
    );
  });

  it('keeps CRLF, adds to a query, and gives the token to no other host', () => {
    expect(appendTokenToUris('a.m4s?x=1\r\nhttps://other.example/a.m4s\n//other.example/b\n', 't')).toBe(
      'a.m4s?x=1&token=t\r\nhttps://other.example/a.m4s\n//other.example/b\n',
    );
  });

  it('keeps every line of any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, tag) => {
        const playlist = `${text}\n#EXT-X-${tag}\n`;
        expect(appendTokenToUris(playlist, 't').split('\n')).toHaveLength(playlist.split('\n').length);
      }),
    );
  });
});

describe('limitHeight', () => {
  it('leaves out variants and I-frame playlists above the height', () => {
    expect(limitHeight(MULTIVARIANT, 480)).toBe(`#EXTM3U
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="a, URI=b",URI="audio/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,AUDIO="audio"
360p/index.m3u8
`);
  });

  it('keeps a variant of exactly the height', () => {
    expect(limitHeight(MULTIVARIANT, 1080)).toBe(MULTIVARIANT);
  });
});
