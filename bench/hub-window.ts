/**
 * What a long playlist window costs the stream hub: milliseconds per published part and playlist, bytes per
 * playlist, for windows of a minute, four and twelve hours. `node --expose-gc bench/hub-window.ts`
 */

import { setImmediate } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { LiveStream } from '../edge-worker/hub/live-stream.ts';
import { changesBetween } from '../edge-worker/hub/stored-window.ts';
import type { PublishFrame, PublishUpdate } from '../shared/wire/publish.ts';
import { print, printMachine, quantile } from './report.ts';

const EPOCH = 1_790_000_000;
const PART_SECONDS = 0.5;
const PARTS = 4;
const SEGMENT_SECONDS = PART_SECONDS * PARTS;
const RENDITIONS = ['1080p', '720p', '480p', '360p', '240p', 'audio'];
const WINDOWS = [30, 7_200, 21_600];
const ROUNDS = 200;
/** Segments published beyond the window, so that it has slid. */
const FILL_BEYOND = 40;
/** As large as a part of a few hundred kilobits: the hot media's budget is full long before the window is. */
const PART_BYTES = 16_384;
const NONE = { msn: undefined, part: undefined, skip: undefined };

interface Round {
  readonly publish: number;
  readonly changes: number;
  readonly delta: number;
  readonly whole: number;
}

let seq = 0;

function frame(update: PublishUpdate, bytes = 0): PublishFrame {
  seq += 1;
  return { update, payload: new Uint8Array(bytes) };
}

function beginFrames(windowSegments: number): PublishFrame[] {
  seq = 0;
  const renditions = RENDITIONS.map((name) =>
    name === 'audio'
      ? ({
          kind: 'audio',
          name,
          codecs: 'mp4a.40.2',
          sampleRate: 48_000,
          channels: 2,
          bandwidth: 128_000,
        } as const)
      : ({
          kind: 'video',
          name,
          codecs: 'avc1.64001f',
          width: 16,
          height: 16,
          frameRate: 30,
          bandwidth: 1,
        } as const),
  );
  return [
    frame({
      kind: 'begin',
      seq: 0,
      firstMsn: 0,
      targetDuration: 2,
      partTarget: PART_SECONDS,
      windowSegments,
      renditions,
    }),
    ...RENDITIONS.map((rendition) => frame({ kind: 'init', seq, rendition }, 1_000)),
  ];
}

function partFrame(rendition: string, msn: number, part: number): PublishFrame {
  const seconds = msn * SEGMENT_SECONDS + part * PART_SECONDS;
  const programDateTime = EPOCH * 1_000 + seconds * 1_000;
  const independent = part === 0;
  return frame(
    { kind: 'part', seq, rendition, msn, part, duration: PART_SECONDS, independent, programDateTime },
    PART_BYTES,
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
  for (let msn = 0; msn < segments + FILL_BEYOND; msn += 1) {
    live.publish(
      EPOCH,
      RENDITIONS.flatMap((rendition) => segmentFrames(rendition, msn)),
    );
  }
  live.markWritten();
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
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

/** One round publishes a part of every rendition and asks for both forms of a playlist. */
async function playRound(live: LiveStream, segments: number, round: number): Promise<Round> {
  const msn = segments + FILL_BEYOND + Math.floor(round / PARTS);
  const last = round % PARTS === PARTS - 1;
  const frames = RENDITIONS.flatMap((rendition) => [
    partFrame(rendition, msn, round % PARTS),
    ...(last ? [frame({ kind: 'segment', seq, rendition, msn, parts: PARTS })] : []),
  ]);
  const written = live.window;
  const publish = timed(() => live.publish(EPOCH, frames)) / RENDITIONS.length;
  const changes = timed(() => live.window && changesBetween(written, live.window));
  live.markWritten();
  return {
    publish,
    changes,
    delta: await timedText(live, 'YES'),
    whole: await timedText(live, undefined),
  };
}

/** A turn of the event loop lets go of what the measurement before held. */
async function heapBytes(): Promise<number> {
  await setImmediate();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function measure(segments: number, idleBytes: number): Promise<void> {
  const live = new LiveStream(undefined);
  fill(live, segments);
  const first = await timedText(live, undefined);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push(await playRound(live, segments, round));
  }
  const medianOf = (name: keyof Round): string => `${median(rounds.map((each) => each[name])).toFixed(3)} ms`;
  for (const rendition of RENDITIONS) {
    await live.mediaPlaylist(rendition, NONE);
  }
  const whole = await text(live, undefined);
  const delta = await text(live, 'YES');
  const memory = (((await heapBytes()) - idleBytes) / 1e6).toFixed(0);
  print(
    `${segments} segments, ${((segments * SEGMENT_SECONDS) / 3600).toFixed(1)} h, ${RENDITIONS.length} renditions`,
  );
  print(
    `  publish ${medianOf('publish')} a part, changes to write ${medianOf('changes')} for all renditions`,
  );
  print(
    `  first whole playlist ${first.toFixed(1)} ms, then ${medianOf('whole')} an update, delta ${medianOf('delta')}`,
  );
  print(
    `  whole ${whole.length} bytes, gzip ${gzipSync(whole).length}, br ${brotliCompressSync(whole).length}`,
  );
  print(
    `  delta ${delta.length} bytes, gzip ${gzipSync(delta).length}; memory ${memory} MB with the hot media`,
  );
}

printMachine('Stream hub by length of its playlist window');
const idle = await heapBytes();
for (const segments of WINDOWS) {
  await measure(segments, idle);
}
