/**
 * Streams over SRT through a relay that loses packets, for a long time: whether picture and sound stay together,
 * whether parts come in time, and whether the memory of each process stays flat.
 * `npm run bench:soak-srt [-- minutes streams]`; ends with 1 where one of the limits is not kept.
 */

import { once } from 'node:events';
import { loadavg } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { offsetsOfFlashes, publishFlashAndBeep } from '../test/support/flash-and-beep.ts';
import { fetchVariants, until } from '../test/support/live-client.ts';
import { startLossyRelay } from '../test/support/lossy-relay.ts';
import { startRill } from '../test/support/rill-instance.ts';
import { watch } from '../test/support/watching-client.ts';
import { COPY_LADDER } from '../test/support/ladders.ts';
import { reportMemory, sampleMemory } from './memory.ts';
import { print, printMachine, quantile } from './report.ts';

const MINUTES = Number(process.argv[2] ?? 60);
const STREAMS = Number(process.argv[3] ?? 3);
const LOSS = 0.02;
const PART_TARGET = 0.5;
/** Time between two looks at picture and sound, milliseconds. */
const LOOK_EVERY_MS = 60_000;
/** Most by which the offset of picture and sound may change over the run, seconds. */
const DRIFT_LIMIT = 0.02;
const HOST = '127.0.0.1';

interface Outcome {
  readonly stream: string;
  /** Parts later than most, by how much, milliseconds: the latest of them. */
  readonly latestMs: number;
  readonly parts: number;
  readonly faults: readonly string[];
  /** Median offset of picture and sound at each look, seconds. */
  readonly offsets: readonly number[];
}

printMachine(`${STREAMS} streams over SRT through ${LOSS * 100} % loss for ${MINUTES} minutes`);
const durationMs = MINUTES * 60_000;
const heldUp = monitorEventLoopDelay();
heldUp.enable();
const rill = await startRill({ partTarget: PART_TARGET, ladder: COPY_LADDER });
const relay = await startLossyRelay({ host: HOST, targetPort: rill.ports.srt, lossRate: LOSS, seed: 1 });
const names = Array.from({ length: STREAMS }, (_, index) => `soak-${index + 1}`);
const publishers = await Promise.all(
  names.map(async (stream) => {
    const url = await rill.rill('publish-url', stream, '--srt');
    return publishFlashAndBeep(url.replace(`:${rill.ports.srt}`, `:${relay.port}`));
  }),
);
try {
  const memory = sampleMemory(rill.processId, durationMs);
  const outcomes = await Promise.all(names.map((stream, index) => follow(stream, index)));
  const isKept = outcomes.map(reportStream).every(Boolean);
  const lost = relay.dropped();
  print(`${lost} of ${lost + relay.forwarded()} packets lost on the way`);
  reportMemory(await memory);
  process.exitCode = isKept ? 0 : 1;
} finally {
  for (const publisher of publishers) {
    publisher.kill('SIGINT');
    await once(publisher, 'exit');
  }
  await relay.close();
  await rill.stop();
}

async function follow(stream: string, index: number): Promise<Outcome> {
  const playUrl = await rill.rill('play-url', stream);
  const { video, audio } = await until('picture and sound', async () => {
    const found = await fetchVariants(playUrl);
    const [first] = found.variants;
    const [sound] = found.audio;
    return first === undefined || sound === undefined ? undefined : { video: first, audio: sound };
  });
  const stop = new AbortController();
  // One after the other: decoding all of them at once is more than two cores do beside the streams.
  await sleep((index * LOOK_EVERY_MS) / STREAMS);
  const looks = look(video, audio, stop.signal);
  // Time of arrival less media time: parts that are late stand out from most.
  const lags: number[] = [];
  let mediaMs = 0;
  let earliest = Infinity;
  const watched = await watch({
    playlistUrl: video,
    durationMs,
    inspect: (part) => {
      mediaMs += part.duration * 1000;
      const lag = performance.now() - mediaMs;
      lags.push(lag);
      earliest = Math.min(earliest, lag);
      if (lag - earliest > PART_TARGET * 1000) {
        printLate(stream, lag - earliest);
      }
      return undefined;
    },
  });
  stop.abort();
  // What was listed already when the client joined came at once.
  const steady = lags.slice(Math.ceil(lags.length / 20));
  return {
    stream,
    latestMs: quantile(steady, 1) - quantile(steady, 0.5),
    parts: watched.parts,
    faults: watched.faults,
    offsets: await looks,
  };
}

/** Says at once what came late, and whether this process itself was held up, so that its cause can be looked for. */
function printLate(stream: string, lateMs: number): void {
  const heldUpMs = Math.round(heldUp.max / 1e6);
  print(
    `${new Date().toISOString()} ${stream}: a part ${Math.round(lateMs)} ms after the earliest; ` +
      `this process was held up for ${heldUpMs} ms at most, load ${loadavg()[0]?.toFixed(1)}`,
  );
  heldUp.reset();
}

async function look(video: string, audio: string, signal: AbortSignal): Promise<readonly number[]> {
  const offsets: number[] = [];
  while (!signal.aborted) {
    offsets.push(quantile(await offsetsOfFlashes(video, audio), 0.5));
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return offsets;
}

function reportStream({ stream, latestMs, parts, faults, offsets }: Outcome): boolean {
  const drift = quantile(offsets, 1) - quantile(offsets, 0);
  print(
    `${stream}: ${parts} parts, the latest ${Math.round(latestMs)} ms later than most; picture less sound ` +
      `${inMs(offsets[0])} at first, ${inMs(offsets.at(-1))} at last, drift ${inMs(drift)} in ${offsets.length} looks`,
  );
  faults.forEach((fault) => print(`${stream}: ${fault}`));
  return faults.length === 0 && latestMs <= PART_TARGET * 1000 && drift < DRIFT_LIMIT;
}

function inMs(seconds: number | undefined): string {
  return `${((seconds ?? Number.NaN) * 1000).toFixed(1)} ms`;
}
