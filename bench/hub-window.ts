/**
 * What a long playlist window costs the stream hub: milliseconds per published part and playlist, bytes per
 * playlist, for windows of a minute, four and twelve hours. `node bench/hub-window.ts`
 */

import { brotliCompressSync, gzipSync } from 'node:zlib';
import { LiveStream } from '../edge-worker/hub/live-stream.ts';
import { changesBetween } from '../edge-worker/hub/stored-window.ts';
import type { PublishFrame, PublishUpdate } from '../shared/wire/publish.ts';

const EPOCH = 1_790_000_000;
const PART_SECONDS = 0.5;
const PARTS = 4;
const SEGMENT_SECONDS = PART_SECONDS * PARTS;
const RENDITIONS = ['1080p', '720p', '480p', '360p', '240p', 'audio'];
const WINDOWS = [30, 7_200, 21_600];
const ROUNDS = 200;
const NONE = { msn: undefined, part: undefined, skip: undefined };

let seq = 0;

function frame(update: PublishUpdate, bytes = 0): PublishFrame {
  seq += 1;
  return { update, payload: new Uint8Array(bytes) };
}

function beginFrames(windowSegments: number): PublishFrame[] {
  seq = 0;
  const renditions = RENDITIONS.map((name) =>
    name === 'audio'
      ? ({ kind: 'audio', name, codecs: 'mp4a.40.2', sampleRate: 48_000, channels: 2, bandwidth: 128_000 } as const)
      : ({ kind: 'video', name, codecs: 'avc1.64001f', width: 16, height: 16, frameRate: 30, bandwidth: 1 } as const),
  );
  return [
    frame({ kind: 'begin', seq: 0, firstMsn: 0, targetDuration: 2, partTarget: PART_SECONDS, windowSegments, renditions }),
    ...RENDITIONS.map((rendition) => frame({ kind: 'init', seq, rendition }, 1_000)),
  ];
}

function partFrame(rendition: string, msn: number, part: number): PublishFrame {
  const seconds = msn * SEGMENT_SECONDS + part * PART_SECONDS;
  const programDateTime = EPOCH * 1_000 + seconds * 1_000;
  const independent = part === 0;
  return frame(
    { kind: 'part', seq, rendition, msn, part, duration: PART_SECONDS, independent, programDateTime },
    16,
  );
}

function segmentFrames(rendition: string, msn: number): PublishFrame[] {
  return [
    ...Array.from({ length: PARTS }, (_, part) => partFrame(rendition, msn, part)),
    frame({ kind: 'segment', seq, rendition, msn, parts: PARTS }),
  ];
}

function fill(live: LiveStream, segments: number): void {
  live.publish(EPOCH, beginFrames(segments));
  for (let msn = 0; msn < segments + 40; msn += 1) {
    live.publish(EPOCH, RENDITIONS.flatMap((rendition) => segmentFrames(rendition, msn)));
  }
  live.markWritten();
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function timed(work: () => void): number {
  const before = performance.now();
  work();
  return performance.now() - before;
}

async function text(live: LiveStream, skip: 'YES' | undefined): Promise<Uint8Array> {
  const outcome = await live.mediaPlaylist('720p', { ...NONE, skip });
  return outcome.kind === 'text' ? outcome.text : new Uint8Array();
}

async function timedText(live: LiveStream, skip: 'YES' | undefined): Promise<number> {
  const before = performance.now();
  await text(live, skip);
  return performance.now() - before;
}

async function measure(segments: number): Promise<Record<string, number | string>> {
  globalThis.gc?.();
  const heapBefore = process.memoryUsage();
  const live = new LiveStream(undefined);
  fill(live, segments);
  globalThis.gc?.();
  const heapAfter = process.memoryUsage();
  const first = await timedText(live, undefined);
  const publish: number[] = [];
  const write: number[] = [];
  const delta: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const msn = segments + 40 + Math.floor(round / PARTS);
    const frames = RENDITIONS.flatMap((rendition) => [
      partFrame(rendition, msn, round % PARTS),
      ...(round % PARTS === PARTS - 1
        ? [frame({ kind: 'segment', seq, rendition, msn, parts: PARTS })]
        : []),
    ]);
    const written = live.window;
    publish.push(timed(() => live.publish(EPOCH, frames)) / RENDITIONS.length);
    write.push(timed(() => live.window && changesBetween(written, live.window)));
    live.markWritten();
    delta.push(await timedText(live, 'YES'));
    whole.push(await timedText(live, undefined));
  }
  const wholeText = await text(live, undefined);
  const deltaText = await text(live, 'YES');
  const heap = heapAfter.heapUsed + heapAfter.arrayBuffers - heapBefore.heapUsed - heapBefore.arrayBuffers;
  return {
    segments,
    hours: ((segments * SEGMENT_SECONDS) / 3600).toFixed(2),
    'publish ms/part': median(publish).toFixed(4),
    'changes ms': median(write).toFixed(4),
    'first whole ms': first.toFixed(2),
    'whole ms': median(whole).toFixed(3),
    'delta ms': median(delta).toFixed(3),
    'whole bytes': wholeText.length,
    'whole gzip': gzipSync(wholeText).length,
    'whole br': brotliCompressSync(wholeText).length,
    'delta bytes': deltaText.length,
    'delta gzip': gzipSync(deltaText).length,
    'memory MB': (heap / 1e6).toFixed(1),
  };
}

for (const segments of WINDOWS) {
  console.table(await measure(segments));
}
