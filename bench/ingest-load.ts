/**
 * What a stream notices of trouble beside it on the ingest ports: ten encoders that connect at the same moment, a
 * thousand connections that say nothing, a publisher at 200 Mbit/s. Its parts are followed before and during each.
 * `npm run bench:ingest-load [-- SECONDS]`, the seconds of each of the six phases.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { COPY_LADDER } from '../test/support/ladders.ts';
import {
  fetchPlaylist,
  fetchVariants,
  followParts,
  until,
  type DownloadedPart,
} from '../test/support/live-client.ts';
import { makeClip, publishClip } from '../test/support/publishing-clip.ts';
import { startRill, type RillInstance } from '../test/support/rill-instance.ts';
import { print, printMachine, summarize } from './report.ts';

const PHASE_SECONDS = Number(process.argv[2] ?? 5);
const PART_TARGET = 0.5;
const ENCODERS = 10;
const SILENT = 1_000;
/** What the origin needs after a case to be as it was. */
const REST_MS = 4_000;

/** Begins some trouble; what it returns ends it, and says what came of it. */
type Trouble = () => Promise<() => Promise<string>>;

printMachine(
  `A copy stream of 1 Mbit/s over RTMP, parts of ${PART_TARGET} s, beside trouble on the ingest ports`,
);
const folder = await mkdtemp(join(tmpdir(), 'rill-bench-'));
const [clip, flood] = [join(folder, 'clip.flv'), join(folder, 'flood.flv')];
makeClip(clip, '1M');
makeClip(flood, '200M');
const rill = await startRill({ partTarget: PART_TARGET, ladder: COPY_LADDER });
try {
  await measureAll(rill);
} finally {
  await rill.stop();
  await rm(folder, { recursive: true });
}

async function measureAll(instance: RillInstance): Promise<void> {
  const publisher = publishClip(clip, await instance.rill('publish-url', 'bystander', '--rtmp'));
  try {
    const playUrl = await instance.rill('play-url', 'bystander');
    const playlist = await until('the bystander', async () => {
      const [variant] = (await fetchVariants(playUrl)).variants;
      return variant !== undefined && (await fetchPlaylist(variant)).parts.length > 2 ? variant : undefined;
    });
    await measure(`${ENCODERS} encoders at once`, playlist, await tenEncoders(instance));
    await measure(`${SILENT} silent connections`, playlist, () => silence(instance.ports.rtmp));
    await measure('200 Mbit/s', playlist, await floodOf(instance));
  } finally {
    await publisher.stop();
  }
}

async function measure(name: string, playlist: string, begin: Trouble): Promise<void> {
  report(`${name}, before`, await followParts(playlist, PHASE_SECONDS * 1_000));
  const end = await begin();
  report(`${name}, during`, await followParts(playlist, PHASE_SECONDS * 1_000));
  print(`${name}: ${await end()}`);
  await sleep(REST_MS);
}

/** How much later than the earliest one parts came, each against the media before it, and how many were missing. */
function report(phase: string, parts: readonly DownloadedPart[]): void {
  let media = 0;
  const lateness = parts.map(({ downloadedAt, duration }) => {
    media += duration;
    return downloadedAt - media * 1_000;
  });
  const earliest = Math.min(...lateness);
  const jitter = lateness.map((late) => late - earliest);
  const lost = parts.filter((part, index) => {
    const last = parts[index - 1];
    const follows = last === undefined || (part.msn === last.msn && part.part === last.part + 1);
    return !follows && !(part.msn === last.msn + 1 && part.part === 0);
  });
  print(`${phase}: parts late by ${summarize(jitter, 'ms')}, ${lost.length} missing`);
}

async function tenEncoders(instance: RillInstance): Promise<Trouble> {
  const names = Array.from({ length: ENCODERS }, (_, index) => `at-once-${index}`);
  const urls = await Promise.all(names.map((name) => instance.rill('publish-url', name, '--rtmp')));
  return async () => {
    const publishers = urls.map((url) => publishClip(clip, url));
    return async () => {
      const live = names.filter((name) => isLive(instance, name));
      await Promise.all(publishers.map((publisher) => publisher.stop()));
      return `${live.length} of ${ENCODERS} were taken`;
    };
  };
}

async function silence(port: number): Promise<() => Promise<string>> {
  const sockets: Socket[] = [];
  const open = new Set<Socket>();
  let most = 0;
  for (let index = 0; index < SILENT; index += 1) {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => (most = Math.max(most, open.add(socket).size)));
    socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket));
    sockets.push(socket);
  }
  return async () => {
    const left = open.size;
    sockets.forEach((socket) => socket.destroy());
    return `at most ${most} had connected at once by TCP, ${left} were open at the end`;
  };
}

async function floodOf(instance: RillInstance): Promise<Trouble> {
  const url = await instance.rill('publish-url', 'flood', '--rtmp');
  return async () => {
    const publisher = publishClip(flood, url);
    return async () => {
      const limited = instance.output().includes('RTMP publisher is read at');
      const taken = isLive(instance, 'flood');
      await publisher.stop();
      return `${taken ? 'it was taken' : `it was not taken: ${publisher.errors()}`}, ${limited ? 'held to the limit' : 'below the limit'}`;
    };
  };
}

/** Whether the origin has said that it takes a stream's media. */
function isLive(instance: RillInstance, stream: string): boolean {
  return instance
    .output()
    .split('\n')
    .some((line) => line.includes(`"${stream}"`) && line.includes('RTMP publishing started'));
}
