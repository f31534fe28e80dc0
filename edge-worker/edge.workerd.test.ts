import { env, exports } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { encodePublishFrames, type PublishFrame } from '../shared/wire/publish.ts';
import { createGateway } from './gateway/app.ts';
import { NOW, PLAY_SECRET, SERVICE_TOKEN, signToken } from './testing/fixture.ts';

const bindings = {
  MEDIA: env.MEDIA,
  HUB: env.HUB,
  ASSETS: env.ASSETS,
  RILL_PLAY_SECRET: PLAY_SECRET,
  RILL_SERVICE_TOKEN: SERVICE_TOKEN,
};
const gateway = createGateway({
  deliver: (request) => exports.Delivery.fetch(request),
  now: () => NOW,
});

async function ask(path: string, init?: RequestInit): Promise<Response> {
  return gateway.fetch(new Request(`https://edge.example${path}`, init), bindings);
}

async function publish(frames: readonly PublishFrame[]): Promise<unknown> {
  const body = encodePublishFrames(frames);
  const headers = { authorization: `Bearer ${SERVICE_TOKEN}`, 'content-length': String(body.length) };
  return (await ask('/publish/whole-way/1800000000', { method: 'POST', body, headers })).json();
}

function part(seq: number, index: number, text: string): PublishFrame {
  const place = { rendition: '360p', msn: 0, part: index };
  const time = { duration: 0.5, independent: index === 0, programDateTime: 1_800_000_000_000 + index * 500 };
  return { update: { kind: 'part', seq, ...place, ...time }, payload: new TextEncoder().encode(text) };
}

const BEGIN: readonly PublishFrame[] = [
  {
    update: {
      kind: 'begin',
      seq: 0,
      firstMsn: 0,
      targetDuration: 2,
      partTarget: 0.5,
      windowSegments: 6,
      renditions: [
        {
          kind: 'video',
          name: '360p',
          codecs: 'avc1.42C01E',
          width: 640,
          height: 360,
          frameRate: 30,
          bandwidth: 900_000,
        },
      ],
    },
    payload: new Uint8Array(),
  },
  { update: { kind: 'init', seq: 1, rendition: '360p' }, payload: new Uint8Array([1]) },
  part(2, 0, 'first part'),
];

it('carries what an origin publishes to a viewer with a token, and releases a blocked reload', async () => {
  const live = `/t/${await signToken({ stream: 'whole-way', exp: NOW + 86_400 })}/live/whole-way`;
  expect((await ask(`${live}/index.m3u8`)).status).toBe(404);
  expect(await publish(BEGIN)).toEqual({ status: 'accepted', next: 3 });

  const multivariant = await ask(`${live}/index.m3u8`);
  expect(multivariant.headers.get('cache-control')).toBe('public, max-age=1, stale-if-error=0');
  expect(new TextDecoder().decode(await multivariant.arrayBuffer())).toContain('\n360p/index.m3u8');

  const reload = ask(`${live}/360p/index.m3u8?_HLS_part=1&_HLS_msn=0`);
  const hint = ask(`${live}/360p/1800000000-0.1.m4s`, { headers: { range: 'bytes=-4' } });
  expect(await publish([part(3, 1, 'second part')])).toEqual({ status: 'accepted', next: 4 });

  const playlist = await reload;
  expect(playlist.headers.get('cache-control')).toBe('public, max-age=12, stale-if-error=0');
  expect(new TextDecoder().decode(await playlist.arrayBuffer())).toContain('URI="1800000000-0.1.m4s"');
  const bytes = await hint;
  expect([bytes.status, bytes.headers.get('content-range')]).toEqual([206, 'bytes 7-10/11']);
  expect(new TextDecoder().decode(await bytes.arrayBuffer())).toBe('part');
});

it('answers directives that are wrong with 400 and why', async () => {
  const answer = await ask(
    `/t/${await signToken({ stream: 'whole-way', exp: NOW + 86_400 })}/live/whole-way/360p/index.m3u8?_HLS_part=1`,
  );
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([
    400,
    'public, max-age=1, stale-if-error=0',
  ]);
});
