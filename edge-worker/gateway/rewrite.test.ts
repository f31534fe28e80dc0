import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MediaPlaylist } from '../../shared/playlist/media-playlist.ts';
import {
  parseMultivariantPlaylist,
  renderMultivariantPlaylist,
  type MultivariantPlaylist,
} from '../../shared/playlist/multivariant-playlist.ts';
import { parseMediaPlaylist } from '../../shared/playlist/parse-media-playlist.ts';
import { renderMediaPlaylist } from '../../shared/playlist/render-media-playlist.ts';
import { rewritePlaylist, type ViewerChange } from './rewrite.ts';

const BASE = new URL('https://edge.example/live/show/360p/index.m3u8?v=9');
const UNCHANGED: ViewerChange = { everywhere: [], onPlaylists: [] };

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

/** Rewrites with a token on every URI. */
function withToken(playlist: string, token = 't'): string | undefined {
  return rewritePlaylist(playlist, { ...UNCHANGED, everywhere: [['token', token]] }, BASE);
}

function limited(playlist: string, maxHeight: number): string | undefined {
  return rewritePlaylist(playlist, { ...UNCHANGED, maxHeight }, BASE);
}

describe('a query token', () => {
  it('is appended to URI lines and URI attributes of a media playlist', () => {
    expect(withToken(MEDIA, 'a.b-c_d')).toBe(`#EXTM3U
#EXT-X-MAP:URI="7-init.mp4?token=a.b-c_d"
#EXTINF:2.00000,
7-1.m4s?token=a.b-c_d
#EXT-X-PART:DURATION=0.50000,URI="7-2.0.m4s?token=a.b-c_d",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="7-2.1.m4s?token=a.b-c_d"
#EXT-X-RENDITION-REPORT:URI="../audio/index.m3u8?token=a.b-c_d",LAST-MSN=2,LAST-PART=0
`);
  });

  it.each([
    ['MAP', '#EXT-X-MAP:URI="x",BYTERANGE="5@0"'],
    ['PART', '#EXT-X-PART:DURATION=1,URI="x"'],
    ['PRELOAD-HINT', '#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="x"'],
    ['RENDITION-REPORT', '#EXT-X-RENDITION-REPORT:URI="x"'],
    ['KEY', '#EXT-X-KEY:METHOD=AES-128,URI="x",IV=0x1'],
    ['SESSION-KEY', '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="x"'],
    ['MEDIA', '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a,URI=",NAME="n",URI="x"'],
    ['I-FRAME-STREAM-INF', '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="x"'],
  ])('is appended to the URI of EXT-X-%s', (_, line) => {
    expect(withToken(`#EXTM3U\n${line}\n`)).toBe(`#EXTM3U\n${line.replace('"x"', '"x?token=t"')}\n`);
  });

  it('leaves quoted text that looks like an attribute alone', () => {
    expect(withToken(MULTIVARIANT)).toContain(
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="a, URI=b",URI="audio/index.m3u8?token=t"\n',
    );
  });

  it.each([
    ['a.m4s?x=1', 'a.m4s?x=1&token=t'],
    ['a.m4s?token=other&x=1', 'a.m4s?x=1&token=t'],
    ['a.m4s?', 'a.m4s?token=t'],
    ['a.m4s#f', 'a.m4s?token=t#f'],
    ['../a.m4s?x#f?', '../a.m4s?x&token=t#f?'],
    ['/live/show/a.m4s', '/live/show/a.m4s?token=t'],
    ['https://edge.example/a.m4s', 'https://edge.example/a.m4s?token=t'],
    ['//edge.example/a.m4s', '//edge.example/a.m4s?token=t'],
  ])('makes of %s %s', (uri, rewritten) => {
    expect(withToken(`${uri}\r\n`)).toBe(`${rewritten}\r\n`);
  });

  it.each([
    'https://other.example/a.m4s',
    'http://edge.example/a.m4s',
    'https://edge.example@other.example/a',
    'https://edge.example.other.example/a',
    '//other.example/b',
    '/\\other.example/b',
    '\\\\other.example/b',
    ' https://other.example/b',
    'ht\ttps://other.example/b',
    'data:text/plain,x',
    '{$unknown}/a.m4s',
    'https:{$unknown}/a.m4s',
  ])('never goes to another host: %s', (uri) => {
    expect(withToken(`${uri}\n`)).toBe(`${uri}\n`);
  });
});

describe('EXT-X-DEFINE', () => {
  const defined = (uri: string): string | undefined =>
    withToken(`#EXTM3U
#EXT-X-DEFINE:NAME="here",VALUE="/live/show"
#EXT-X-DEFINE:NAME="there",VALUE="https://other.example"
#EXT-X-DEFINE:NAME="query",VALUE="?a=1"
#EXT-X-DEFINE:QUERYPARAM="v"
#EXT-X-DEFINE:IMPORT="imported"
${uri}
`)?.split('\n')[6];

  it.each([
    ['{$here}/a.m4s', '{$here}/a.m4s?token=t'],
    ['a.m4s{$query}', 'a.m4s{$query}&token=t'],
    ['a-{$v}.m4s', 'a-{$v}.m4s?token=t'],
    ['{$v}.m4s', '{$v}.m4s?token=t'],
    ['dir/a-{$imported}.m4s', 'dir/a-{$imported}.m4s?token=t'],
    ['{$there}/a.m4s', '{$there}/a.m4s'],
    ['{$imported}/a.m4s', '{$imported}/a.m4s'],
  ])('is understood and its references left intact: %s', (uri, rewritten) => {
    expect(defined(uri)).toBe(rewritten);
  });
});

describe('a session', () => {
  it('goes on the URIs of playlists, never of media', () => {
    const change: ViewerChange = { everywhere: [['token', 't']], onPlaylists: [['session', 's1']] };
    const media = rewritePlaylist(MEDIA, change, BASE) ?? '';
    expect(media.match(/session=s1/g)).toHaveLength(1);
    expect(media).toContain('URI="../audio/index.m3u8?token=t&session=s1"');
    const multivariant = rewritePlaylist(MULTIVARIANT, change, BASE) ?? '';
    expect(multivariant).toContain('\n360p/index.m3u8?token=t&session=s1\n');
    expect(multivariant.match(/session=s1/g)).toHaveLength(4);
  });
});

describe('EXT-X-START', () => {
  it('stands after the version and in place of one that is there', () => {
    const text = '#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-START:TIME-OFFSET=1\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n';
    expect(rewritePlaylist(text, { ...UNCHANGED, startOffset: -30 }, BASE)).toBe(
      '#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-START:TIME-OFFSET=-30.000\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n',
    );
  });
});

describe('a limit of height', () => {
  it('leaves out variants and I-frame playlists above it', () => {
    expect(limited(MULTIVARIANT, 480)).toBe(`#EXTM3U
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="a, URI=b",URI="audio/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,AUDIO="audio"
360p/index.m3u8
`);
  });

  it('keeps a variant of exactly the height, and leaves nothing where all are above', () => {
    expect(limited(MULTIVARIANT, 1080)).toBe(MULTIVARIANT);
    expect(limited(MULTIVARIANT, 240)).toBeUndefined();
  });
});

const NAME = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}$/);
const URI = fc
  .tuple(fc.constantFrom('', '../', './', '/live/'), NAME, fc.constantFrom('', '?x=1', '?x=1&y'))
  .map((pieces) => pieces.join(''));

describe('rewriting then parsing equals parsing then filtering', () => {
  const added = (uri: string): string => `${uri}${uri.includes('?') ? '&' : '?'}token=a.b`;
  const change = { ...UNCHANGED, everywhere: [['token', 'a.b']] } as const;

  it('for multivariant playlists', () => {
    const variant = fc.record({ uri: URI, height: fc.integer({ min: 1, max: 2_000 }), audio: NAME });
    const models = fc.array(variant, { minLength: 1, maxLength: 6 }).map(multivariantOf);
    fc.assert(
      fc.property(models, fc.integer({ min: 1, max: 2_000 }), (model, maxHeight) => {
        const rewritten = rewritePlaylist(renderMultivariantPlaylist(model), { ...change, maxHeight }, BASE);
        const kept = model.variants.filter(({ resolution }) => (resolution?.height ?? 0) <= maxHeight);
        if (kept.length === 0) {
          expect(rewritten).toBeUndefined();
          return;
        }
        const groups = new Set(kept.map(({ audio }) => audio));
        expect(parseMultivariantPlaylist(rewritten ?? '')).toEqual({
          ok: true,
          value: {
            ...model,
            renditions: model.renditions
              .filter(({ groupId }) => groups.has(groupId))
              .map((rendition) => ({ ...rendition, uri: added(rendition.uri ?? '') })),
            variants: kept.map((each) => ({ ...each, uri: added(each.uri) })),
          },
        });
      }),
    );
  });

  it('for media playlists', () => {
    fc.assert(
      fc.property(fc.array(URI, { minLength: 1, maxLength: 8 }), URI, URI, (uris, init, report) => {
        const model = mediaOf(uris, init, report);
        const rewritten = rewritePlaylist(renderMediaPlaylist(model), change, BASE);
        expect(parseMediaPlaylist(rewritten ?? '')).toEqual({
          ok: true,
          value: mediaOf(uris.map(added), added(init), added(report)),
        });
      }),
    );
  });

  it('and any text keeps its lines', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, tag) => {
        const playlist = `${text}\n#EXT-X-${tag}\n`;
        expect(withToken(playlist)?.split('\n')).toHaveLength(playlist.split('\n').length);
      }),
    );
  });
});

function multivariantOf(
  variants: readonly { readonly uri: string; readonly height: number; readonly audio: string }[],
): MultivariantPlaylist {
  return {
    version: 9,
    independentSegments: true,
    renditions: [...new Set(variants.map(({ audio }) => audio))].map((groupId) => ({
      type: 'AUDIO',
      groupId,
      name: 'a, URI="b"'.replaceAll('"', ''),
      isDefault: true,
      autoselect: true,
      language: undefined,
      channels: '2',
      uri: `${groupId}/index.m3u8`,
    })),
    variants: variants.map(({ uri, height, audio }) => ({
      uri,
      bandwidth: height,
      averageBandwidth: undefined,
      codecs: 'avc1.640028,mp4a.40.2',
      resolution: { width: 2 * height, height },
      frameRate: undefined,
      audio,
    })),
  };
}

function mediaOf(uris: readonly string[], init: string, report: string): MediaPlaylist {
  const parts = uris.map((uri) => ({
    kind: 'part' as const,
    uri,
    duration: 0.5,
    independent: true,
    gap: false,
  }));
  const opening = { discontinuity: false, map: init, programDateTime: undefined };
  return {
    version: 9,
    independentSegments: true,
    targetDuration: 2,
    partTarget: 0.5,
    serverControl: undefined,
    mediaSequence: 4,
    discontinuitySequence: 0,
    skippedSegments: 0,
    segments: uris.map((uri) => ({ ...opening, uri, duration: 2, title: '', gap: false, parts })),
    open: { ...opening, parts },
    preloadHints: [{ kind: 'preload-hint', type: 'PART', uri: uris[0] ?? '' }],
    renditionReports: [{ kind: 'rendition-report', uri: report, lastMsn: 5, lastPart: 0 }],
    ended: false,
  };
}
