import { describe, expect, it } from 'vitest';
import { NOW, signToken, testEnv } from '../testing/fixture.ts';
import { createGateway } from './app.ts';

const FIRST_MSN = 100;
const LISTED = 40;
const PLAYLIST = '/live/show/360p/index.m3u8';

/** Forty segments of two seconds each. */
function mediaPlaylist(): string {
  const segments = Array.from({ length: LISTED }, (_, index) => `#EXTINF:2,\n7-${FIRST_MSN + index}.m4s\n`);
  const header = [
    ...['#EXTM3U', '#EXT-X-VERSION:9', '#EXT-X-TARGETDURATION:2'],
    '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,HOLD-BACK=6',
    ...[
      `#EXT-X-MEDIA-SEQUENCE:${FIRST_MSN}`,
      '#EXT-X-DISCONTINUITY-SEQUENCE:0',
      '#EXT-X-MAP:URI="7-init.mp4"',
    ],
  ];
  return `${header.join('\n')}\n${segments.join('')}`;
}

/** A gateway over a delivery that has one playlist and all media, and says what it was asked. */
function gateway(playlistStatus = 200): {
  readonly asked: string[];
  readonly get: (path: string, claims?: Record<string, unknown>) => Promise<Response>;
  readonly pass: (seconds: number) => void;
} {
  const asked: string[] = [];
  let now = NOW;
  const deliver = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    asked.push(pathname + search);
    return pathname.endsWith('.m3u8')
      ? new Response(mediaPlaylist(), {
          status: playlistStatus,
          headers: { 'content-type': 'application/vnd.apple.mpegurl', etag: '"p"' },
        })
      : new Response('0123456789', { headers: { 'content-type': 'video/mp4' } });
  };
  const app = createGateway({ deliver, now: () => now });
  const get = async (path: string, claims = {}): Promise<Response> => {
    const token = await signToken({ exp: NOW + 86_400, ...claims });
    return app.fetch(new Request(`https://edge.example/t/${token}${path}`), testEnv({}));
  };
  return { asked, get, pass: (seconds) => (now += seconds) };
}

async function textOf(answer: Response): Promise<string> {
  return new TextDecoder().decode(await answer.arrayBuffer());
}

describe('a media playlist', () => {
  it('goes back as far as the grant says, and never less than HOLD-BACK', async () => {
    const { get } = gateway();
    const firstListed = async (claims: object): Promise<string | undefined> =>
      /^7-(\d+)\.m4s$/m.exec(await textOf(await get(PLAYLIST, { ...claims })))?.[1];
    expect(await firstListed({})).toBe('100');
    expect(await firstListed({ timeShift: 3_600 })).toBe('100');
    expect(await firstListed({ timeShift: 30 })).toBe('124');
    expect(await firstListed({ timeShift: 0 })).toBe('136');
  });

  it('says which segment is its first, under a tag of its own', async () => {
    const { get } = gateway();
    const answer = await get(PLAYLIST, { timeShift: 30 });
    const text = await textOf(answer);
    expect(text).toContain('#EXT-X-MEDIA-SEQUENCE:124\n');
    expect(text).toContain('#EXT-X-MAP:URI="7-init.mp4"\n#EXTINF:2,\n7-124.m4s\n');
    expect(answer.headers.get('content-length')).toBe(String(text.length));
    expect(answer.headers.get('etag')).toBe('"p;30s"');
  });

  it('is asked for as a whole and answered as a delta update of what the viewer has', async () => {
    const { asked, get } = gateway();
    const query = '?_HLS_msn=139&_HLS_skip=YES';
    const text = await textOf(await get(PLAYLIST + query, { timeShift: 30 }));
    expect(text).toContain('#EXT-X-MEDIA-SEQUENCE:124\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n');
    expect(text).toContain('#EXT-X-SKIP:SKIPPED-SEGMENTS=9\n#EXTINF:2,\n7-133.m4s\n');
    await get(PLAYLIST + query);
    await get(`${PLAYLIST}?_HLS_skip=YES&_HLS_skip=YES`, { timeShift: 30 });
    expect(asked).toEqual([
      `${PLAYLIST}?_HLS_msn=139`,
      PLAYLIST + query,
      `${PLAYLIST}?_HLS_skip=YES&_HLS_skip=YES`,
    ]);
  });
});

describe('media by a guessed URL', () => {
  it.each([
    ['7-init.mp4', 200],
    ['7-100.m4s', 403],
    ['7-120.m4s', 403],
    ['7-120.3.m4s', 403],
    ['6-120.m4s', 403],
    ['7-121.m4s', 200],
    ['7-121.0.m4s', 200],
    ['7-140.0.m4s', 200],
  ])('%s is answered %i under a limit of 30 s, a HOLD-BACK forgiven', async (file, status) => {
    const answer = await gateway().get(`/live/show/360p/${file}`, { timeShift: 30 });
    expect(answer.status).toBe(status);
  });

  it('is judged by a playlist that is read once in a target duration, and for none but viewers with a limit', async () => {
    const { asked, get, pass } = gateway();
    const playlists = (): number => asked.filter((path) => path === PLAYLIST).length;
    const media = '/live/show/360p/7-139.m4s';
    await get(media);
    expect(playlists()).toBe(0);
    await get(media, { timeShift: 30 });
    await get(media, { timeShift: 30, sub: 'another' });
    pass(1);
    await get(media, { timeShift: 30 });
    expect(playlists()).toBe(1);
    pass(1);
    await get(media, { timeShift: 30 });
    expect(playlists()).toBe(2);
  });

  it.each([404, 503])('is answered as the playlist is where that is a %i', async (status) => {
    const answer = await gateway(status).get('/live/show/360p/7-139.m4s', { timeShift: 30 });
    expect(answer.status).toBe(status);
  });
});
