import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { decodeComplaints } from '../support/decode-stamps.ts';
import { fetchMedia, fetchPlaylist, fetchVariants, until } from '../support/live-client.ts';
import { startRill, type RillInstance } from '../support/rill-instance.ts';
import { COPY_LADDER, MIXED_LADDER } from '../support/ladders.ts';

const PART_TARGET = 0.5;
const LEAST_SHARE = 0.85;
const SEGMENTS = 3;

interface Source {
  readonly name: string;
  readonly rate?: string;
  readonly filter?: string;
  readonly encoder?: readonly string[];
  readonly video?: false;
  readonly audio?: readonly string[] | false;
  /** Parts of uneven pictures may fall below 85 %. */
  readonly uneven?: true;
}

const SOURCES: readonly Source[] = [
  ...['24000/1001', '24', '25', '30000/1001', '30', '50', '60000/1001', '60'].map((rate) => ({
    name: `fps-${rate.replace('/', '-')}`,
    rate,
  })),
  { name: 'variable-rate', filter: "select='not(eq(mod(n\\,7)\\,3))'", uneven: true },
  { name: 'b-frames', encoder: ['-bf', '2', '-b_strategy', '0', '-preset', 'veryfast'] },
  { name: 'no-audio', audio: false },
  { name: 'no-video', video: false },
  { name: 'mono', audio: ['-ac', '1'] },
  { name: 'rate-44100', audio: ['-ar', '44100'] },
];

/** Over each protocol through ffmpeg, and over RTMP past it. */
const WAYS = [
  { way: 'rtmp', protocol: 'rtmp', renditions: 2 },
  { way: 'srt', protocol: 'srt', renditions: 2 },
  { way: 'rtmp-copied', protocol: 'rtmp', renditions: 1 },
] as const;

let rill: RillInstance;

beforeAll(async () => {
  const copied = SOURCES.map(({ name }) => [`${name}-rtmp-copied`, { ladder: COPY_LADDER }] as const);
  rill = await startRill({
    partTarget: PART_TARGET,
    ladder: MIXED_LADDER,
    streams: Object.fromEntries(copied),
  });
});

afterAll(async () => {
  await rill?.stop();
});

describe.concurrent('a source of every kind is cut by the rules and decodes', () => {
  for (const source of SOURCES) {
    for (const { way, protocol, renditions } of WAYS) {
      test(`${source.name} over ${way}`, async ({ expect }) => {
        const stream = `${source.name}-${way}`;
        const publisher = publish(source, await rill.rill('publish-url', stream, `--${protocol}`));
        try {
          const playUrl = await rill.rill('play-url', stream);
          const found = await until('all renditions', async () => {
            const variants = await fetchVariants(playUrl);
            const tracks = variants.variants.length + variants.audio.length;
            return tracks >= expectedTracks(source, renditions) ? variants : undefined;
          });
          for (const url of [...found.variants, ...found.audio]) {
            const playlist = await until(`${SEGMENTS} segments`, async () => {
              const now = await fetchPlaylist(url);
              return now.segments.length >= SEGMENTS ? now : undefined;
            });
            const target = Number(/PART-TARGET=([\d.]+)/.exec(playlist.text)?.[1]);
            expect(target).toBeLessThanOrEqual(PART_TARGET);
            const isAudio = source.video === false || found.audio.includes(url);
            for (const part of playlist.parts) {
              expect(part.duration).toBeLessThanOrEqual(target + 1e-6);
              const isLast = !playlist.parts.some(
                (other) => other.msn === part.msn && other.part > part.part,
              );
              if (!isLast && source.uneven === undefined) {
                expect(part.duration).toBeGreaterThanOrEqual(target * LEAST_SHARE - 1e-6);
              }
              expect(part.independent).toBe(isAudio || part.part === 0);
            }
            const init = await fetchMedia(url, playlist.init ?? '');
            const media = await Promise.all(playlist.segments.map((segment) => fetchMedia(url, segment.uri)));
            expect(await decodeComplaints(Buffer.concat([init, ...media]))).toBe('');
          }
        } finally {
          publisher.kill('SIGINT');
          await once(publisher, 'exit');
        }
      });
    }
  }
});

function expectedTracks(source: Source, renditions: number): number {
  const video = source.video === false ? 0 : renditions;
  return video === 0 || source.audio === false ? Math.max(video, 1) : video + 1;
}

function publish(source: Source, url: string): ReturnType<typeof spawn> {
  const { rate = '30', filter, encoder = ['-preset', 'ultrafast', '-tune', 'zerolatency'] } = source;
  const picture = `testsrc2=size=320x180:rate=${rate}${filter === undefined ? '' : `,${filter}`}`;
  const frames = String(Math.round(2 * evaluateRate(rate)));
  return spawn(
    'ffmpeg',
    [
      ...['-v', 'error'],
      ...(source.video === false ? [] : ['-re', '-f', 'lavfi', '-i', picture]),
      ...(source.audio === false ? [] : ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000']),
      ...(source.video === false
        ? []
        : ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-fps_mode', 'passthrough']),
      ...(source.video === false
        ? []
        : ['-g', frames, '-force_key_frames', 'expr:gte(t,n_forced*2)', ...encoder]),
      ...(source.audio === false ? [] : ['-c:a', 'aac', ...(source.audio ?? ['-ac', '2'])]),
      ...['-f', url.startsWith('srt:') ? 'mpegts' : 'flv', url],
    ],
    { stdio: 'ignore' },
  );
}

function evaluateRate(rate: string): number {
  const [numerator = '30', denominator = '1'] = rate.split('/');
  return Number(numerator) / Number(denominator);
}
