/**
 * 5,000 viewers, each with a token and a connection of its own, blocked on one media playlist of a running edge:
 * how long after a part arrived the last of them has its answer, and how many requests reached the stream hub.
 * `npm run bench:blocked [-- viewers rounds]`
 */

import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEdgeAlone, type EdgeAlone } from '../test/support/edge-alone.ts';
import { until } from '../test/support/live-client.ts';
import { listDescendants } from '../test/support/process-usage.ts';
import {
  partAfter,
  PARTS_PER_SEGMENT,
  RENDITION,
  type PartPosition,
} from '../test/support/scripted-origin.ts';
import { monotonicMs, type ViewersCommand, type ViewersReport } from './blocked-viewers.ts';
import { print, printMachine, quantile } from './report.ts';

const VIEWERS = Number(process.argv[2] ?? 5_000);
const ROUNDS = Number(process.argv[3] ?? 5);
const LAST_ANSWER_LIMIT_MS = 1_000;
const PART_BYTES = 200_000;
const SEGMENTS_BEFORE = 6;
/** Holds end after three of them: time enough for all viewers to ask on two cores. */
const TARGET_DURATION = 10;
/** File descriptors that a process needs beside its viewers'. */
const OTHER_DESCRIPTORS = 200;
const QUIET_MS = 400;
/** CPU seconds within {@link QUIET_MS} of an edge at which nobody is being served. */
const QUIET_CPU_SECONDS = 0.011;
const CHILD = fileURLToPath(new URL('./blocked-viewers.ts', import.meta.url));

interface Round {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly hubRequests: number;
  readonly edgeCpuMs: number;
  readonly viewersCpuMs: number;
  /** Answers that were no 200, or no answer to a blocked request. */
  readonly wrong: Readonly<Record<string, number>>;
}

type Answered = Extract<ViewersReport, { readonly kind: 'answered' }>;

printMachine(`${VIEWERS} viewers blocked on one media playlist, ${ROUNDS} rounds`);
let failed = false;
for (const { name, cacheMib } of [
  { name: "with the edge's cache", cacheMib: 64 },
  { name: 'without a cache', cacheMib: 0 },
]) {
  for (const acceptEncoding of ['gzip', 'identity']) {
    const isInTime = await measure({ name: `${name}, ${acceptEncoding}`, cacheMib, acceptEncoding });
    // Without a cache every viewer is held by the hub itself: for comparison, and not how an edge is run.
    failed = failed || (cacheMib > 0 && !isInTime);
  }
}
process.exitCode = failed ? 1 : 0;

/** Runs all rounds against an edge of its own; tells whether all viewers were answered in time. */
async function measure(way: {
  readonly name: string;
  readonly cacheMib: number;
  readonly acceptEncoding: string;
}): Promise<boolean> {
  const edge = await startEdgeAlone({ cacheMib: way.cacheMib, targetDuration: TARGET_DURATION });
  const viewers = fork(CHILD, { stdio: 'inherit' });
  try {
    checkDescriptors();
    let next = { msn: 0, part: 0 };
    for (let at = 0; at < SEGMENTS_BEFORE * PARTS_PER_SEGMENT; at += 1) {
      next = partAfter(await edge.origin.publishPart(partBytes(at)));
    }
    const folders = await Promise.all(
      Array.from({ length: VIEWERS }, (_, index) => edge.viewerPath(`viewer-${index}`)),
    );
    const port = Number(new URL(edge.streamUrl).port);
    await say(viewers, { kind: 'connect', port, folders }, 'connected');
    const rounds: Round[] = [];
    for (let at = 0; at <= ROUNDS; at += 1) {
      const round = await playRound({ edge, viewers, ...way, next });
      next = partAfter(next);
      // The first round warms up.
      if (at > 0) {
        rounds.push(round);
      }
    }
    return reportRounds(way.name, rounds);
  } finally {
    viewers.disconnect();
    await edge.stop();
  }
}

async function playRound(round: {
  readonly edge: EdgeAlone;
  readonly viewers: ChildProcess;
  readonly cacheMib: number;
  readonly acceptEncoding: string;
  readonly next: PartPosition;
}): Promise<Round> {
  const { edge, viewers, next, acceptEncoding } = round;
  const before = await edge.hubLoad();
  const file = `${RENDITION}/index.m3u8?_HLS_msn=${next.msn}&_HLS_part=${next.part}`;
  const answered = hear(viewers, 'answered');
  await say(viewers, { kind: 'ask', file, acceptEncoding }, 'asked');
  const held = round.cacheMib > 0 ? 1 : VIEWERS;
  await until(`${held} requests held by the hub`, async () =>
    (await edge.hubLoad()).held >= held ? true : undefined,
  );
  await edgeIsQuiet();
  const cpuBefore = edgeCpuMs();
  const publishedAt = monotonicMs();
  await edge.origin.publishPart(partBytes(next.part));
  const { firstAt, lastAt, counts, cpuMs } = await answered;
  const edgeCpu = edgeCpuMs() - cpuBefore;
  const { playlists } = await edge.hubLoad();
  return {
    firstMs: firstAt - publishedAt,
    lastMs: lastAt - publishedAt,
    hubRequests: playlists - before.playlists,
    edgeCpuMs: edgeCpu,
    viewersCpuMs: cpuMs,
    wrong: wrongAnswers(counts, round.cacheMib > 0),
  };
}

/** A hit was not held; with a cache all but the first wait for the first one's answer. */
function wrongAnswers(counts: Answered['counts'], hasCache: boolean): Readonly<Record<string, number>> {
  const right = hasCache
    ? { '200 rill; fwd=uri-miss; stored': 1, '200 rill; fwd=uri-miss; collapsed': VIEWERS - 1 }
    : { '200 no cache': VIEWERS };
  const outcomes = new Set([...Object.keys(right), ...Object.keys(counts)]);
  const expected: Readonly<Record<string, number>> = right;
  return Object.fromEntries(
    [...outcomes]
      .map((outcome) => [outcome, (counts[outcome] ?? 0) - (expected[outcome] ?? 0)] as const)
      .filter(([, difference]) => difference !== 0),
  );
}

function reportRounds(name: string, rounds: readonly Round[]): boolean {
  const figures = (pick: (round: Round) => number): string => {
    const values = rounds.map(pick);
    return `median ${Math.round(quantile(values, 0.5))} (${values.map(Math.round).join(', ')})`;
  };
  print(`${name}:`);
  print(`  last answer whole after the publish began, ms: ${figures((round) => round.lastMs)}`);
  print(`  first answer, ms: ${figures((round) => round.firstMs)}`);
  print(`  playlist requests at the hub: ${figures((round) => round.hubRequests)}`);
  print(`  CPU of workerd, ms: ${figures((round) => round.edgeCpuMs)}`);
  print(`  CPU of the viewers' process, ms: ${figures((round) => round.viewersCpuMs)}`);
  const wrong = rounds.filter((round) => Object.keys(round.wrong).length > 0);
  for (const round of wrong) {
    print(`  wrong answers (more or fewer than expected): ${JSON.stringify(round.wrong)}`);
  }
  const median = quantile(
    rounds.map((round) => round.lastMs),
    0.5,
  );
  return wrong.length === 0 && median <= LAST_ANSWER_LIMIT_MS;
}

/** Both ends of every connection are a file descriptor, of the viewers' process and of workerd. */
function checkDescriptors(): void {
  const needed = VIEWERS + OTHER_DESCRIPTORS;
  for (const processId of [process.pid, ...listDescendants(process.pid).map((one) => one.processId)]) {
    const limits = readFileSync(`/proc/${processId}/limits`, 'utf8');
    const allowed = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
    if (allowed < needed) {
      throw new Error(
        `${VIEWERS} viewers need ${needed} file descriptors in one process, process ${processId} may have ${allowed}: ` +
          `allow more with "ulimit -n ${needed}" or ask for fewer viewers`,
      );
    }
  }
}

function edgeCpuMs(): number {
  const edges = listDescendants(process.pid).filter((one) => one.command.includes('workerd'));
  return edges.reduce((sum, one) => sum + one.cpuSeconds, 0) * 1000;
}

/** All requests have been taken in: the edge has nothing to do. */
async function edgeIsQuiet(): Promise<void> {
  await until('an edge that has taken in all requests', async () => {
    const before = edgeCpuMs();
    await sleep(QUIET_MS);
    return edgeCpuMs() - before <= QUIET_CPU_SECONDS * 1000 ? true : undefined;
  });
}

function partBytes(fill: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(PART_BYTES).fill(fill);
}

async function say(
  child: ChildProcess,
  command: ViewersCommand,
  until: ViewersReport['kind'],
): Promise<void> {
  const heard = hear(child, until);
  child.send(command);
  await heard;
}

async function hear<K extends ViewersReport['kind']>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<ViewersReport, { readonly kind: K }>> {
  for (;;) {
    const [message] = await once(child, 'message');
    if (message.kind === kind) {
      return message;
    }
  }
}
