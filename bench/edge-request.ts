/**
 * Requests per second and CPU per request of an authorised playlist, part and segment from the cache of the
 * self-hosted edge, beside nginx (`secure_link`, geo map, `proxy_cache`) for the same objects; where our time goes;
 * and the age that each of them adds to the newest media. Server on one core, load on the other.
 * `npm run bench:edge [-- rounds [seconds]]`
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PARTS_PER_SEGMENT } from '../test/support/scripted-origin.ts';
import { measureAddedAge, type AgedEdge } from './edge-request/added-age.ts';
import { startBareWorkerd } from './edge-request/bare-workerd.ts';
import { applyLoad, type LoadResult, type LoadTarget } from './edge-request/load.ts';
import { startNginxEdge } from './edge-request/nginx-edge.ts';
import { freePort, type PinnedProcess } from './edge-request/pinned-process.ts';
import { profileWorker } from './edge-request/profile.ts';
import { startRillEdge, type RillEdge } from './edge-request/rill-edge.ts';
import { requireTools, toolVersions } from './edge-request/tools.ts';
import { print, printMachine, quantile, summarize } from './report.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const SECONDS = Number(process.argv[3] ?? 3);
const SERVER_CORE = 0;
const LOAD_CORE = 1;
const CACHE_MIB = 256;
/** Half a second at 2 Mbit/s; a segment is 512 KiB. */
const PART_BYTES = 131_072;
/** As many as the playlist's window holds. */
const SEGMENTS = 10;
const WARM_UP_SECONDS = 1;
const PROFILE_SECONDS = 6;
const PROFILED_FUNCTIONS = 10;
const AGE_MS = 20_000;
/** The runtime's process serves; its host only started it. */
const WORKERD = /\/workerd serve/;

const OBJECTS = ['playlist', 'playlist, gzip', 'part', 'segment'] as const;
type ObjectName = (typeof OBJECTS)[number];

requireTools();
printMachine('Requests through the edge, beside nginx');
print(`${toolVersions()}; server on core ${SERVER_CORE}, load on core ${LOAD_CORE}`);
const folder = await mkdtemp(join(tmpdir(), 'rill-edge-bench-'));
const running: PinnedProcess[] = [];
try {
  await run();
} finally {
  await Promise.all(running.map((one) => one.stop()));
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function run(): Promise<void> {
  const rill = await startEdge('rill', { core: SERVER_CORE, cacheMib: CACHE_MIB });
  const origin = await startEdge('origin', { core: LOAD_CORE, cacheMib: 0 });
  const nginx = await startNginxEdge({
    core: SERVER_CORE,
    folder: join(folder, 'nginx'),
    upstream: { url: origin.url, folder: origin.path('') },
  });
  running.push(nginx.process);
  const nginxUrl = (file: string): string => nginx.url + nginx.path(file);
  const rillUrl = (file: string): string => rill.url + rill.path(file);
  const files = fileNames(rill);
  await Promise.all([fillWindow(rill), fillWindow(origin)]);
  const bytes = await Promise.all(
    OBJECTS.map((name) => sameBytes(rillUrl(files[name]), nginxUrl(files[name]))),
  );
  print(OBJECTS.map((name, index) => `${name} ${bytes[index]} bytes`).join(', '));
  const bare = await startBareWorkerd({
    core: SERVER_CORE,
    folder: join(folder, 'bare'),
    bytes: bytes[0] ?? 0,
  });
  running.push(bare.process);
  await compareRates((name) => {
    const headers = { headers: name === 'playlist, gzip' ? { 'Accept-Encoding': 'gzip' } : {} };
    return {
      rill: { process: rill.process, serving: WORKERD, url: rillUrl(files[name]), ...headers },
      nginx: { process: nginx.process, url: nginxUrl(files[name]), ...headers },
      ...(name === 'playlist' ? { 'bare workerd': { process: bare.process, url: bare.url } } : {}),
    };
  });
  await printAges('nginx', { origin: origin.origin, url: nginxUrl });
  await printAges('rill', { origin: rill.origin, url: rillUrl });
  await printProfile();
}

async function startEdge(
  name: string,
  options: { readonly core: number; readonly cacheMib: number; readonly inspectorPort?: number },
): Promise<RillEdge> {
  const edge = await startRillEdge({ ...options, dataDir: join(folder, name) });
  running.push(edge.process);
  return edge;
}

async function fillWindow({ origin }: RillEdge): Promise<void> {
  for (let part = 0; part < SEGMENTS * PARTS_PER_SEGMENT; part += 1) {
    await origin.publishPart(new Uint8Array(PART_BYTES).fill(part));
  }
}

/** The newest objects; the playlist as a low-latency player reloads it. */
function fileNames({ origin }: RillEdge): Readonly<Record<ObjectName, string>> {
  const msn = SEGMENTS - 1;
  const part = PARTS_PER_SEGMENT - 1;
  const playlist = `index.m3u8?_HLS_msn=${msn}&_HLS_part=${part}`;
  return {
    playlist,
    'playlist, gzip': playlist,
    part: `${origin.epoch}-${msn}.${part}.m4s`,
    segment: `${origin.epoch}-${msn}.m4s`,
  };
}

/** Puts an object into both caches; returns its size. */
async function sameBytes(url: string, otherUrl: string): Promise<number> {
  const [one, other] = await Promise.all(
    [url, otherUrl].map(async (each) => {
      const answer = await fetch(each);
      return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
    }),
  );
  if (one?.status !== 200 || other === undefined || !one.bytes.equals(other.bytes)) {
    throw new Error(`not the same object: ${one?.status} ${url}, ${other?.status} ${otherUrl}`);
  }
  return one.bytes.length;
}

type Targets = Readonly<Record<string, LoadTarget>>;

/** Rounds go through all objects and edges in turn, so that a slow minute of the machine meets all of them. */
async function compareRates(targetsOf: (name: ObjectName) => Targets): Promise<void> {
  const results = new Map<string, LoadResult[]>();
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const name of OBJECTS) {
      for (const [edge, target] of Object.entries(targetsOf(name))) {
        const result = await applyLoad(LOAD_CORE, target, round === 0 ? WARM_UP_SECONDS : SECONDS);
        const key = `${name}: ${edge}`;
        results.set(key, round === 0 ? [] : [...(results.get(key) ?? []), result]);
      }
    }
  }
  print(`\nMedians of ${ROUNDS} rounds of ${SECONDS} s each`);
  for (const [key, rounds] of results) {
    print(`${key.padEnd(24)} ${describeRounds(rounds)}`);
  }
  for (const name of OBJECTS) {
    const [ours, theirs] = ['rill', 'nginx'].map((edge) => results.get(`${name}: ${edge}`) ?? []);
    const rate = medianOf(ours, 'perSecond') / medianOf(theirs, 'perSecond');
    const cpu = medianOf(ours, 'cpuMicroseconds') / medianOf(theirs, 'cpuMicroseconds');
    print(`${name}: rill has ${rate.toFixed(2)} of nginx's rate, ${cpu.toFixed(1)} times its CPU`);
  }
}

function describeRounds(rounds: readonly LoadResult[]): string {
  const [rate, cpu, beside, busy] = (
    ['perSecond', 'cpuMicroseconds', 'besideMicroseconds', 'busy'] as const
  ).map((figure) => medianOf(rounds, figure));
  const [least, most] = [0, 1].map((share) =>
    quantile(
      rounds.map((round) => round.cpuMicroseconds),
      share,
    ).toFixed(0),
  );
  const others = (beside ?? 0) >= 1 ? `, its host ${beside?.toFixed(0)} µs` : '';
  return `${rate?.toFixed(0)} requests/s, ${cpu?.toFixed(0)} µs of CPU each (${least} to ${most})${others}, core ${((busy ?? 0) * 100).toFixed(0)} % busy`;
}

function medianOf(rounds: readonly LoadResult[] | undefined, figure: keyof LoadResult): number {
  return quantile(
    (rounds ?? []).map((round) => round[figure]),
    0.5,
  );
}

async function printAges(name: string, edge: AgedEdge): Promise<void> {
  const { joining, following } = await measureAddedAge(edge, AGE_MS, PART_BYTES);
  const mean = joining.reduce((sum, age) => sum + age, 0) / joining.length;
  print(`\nAge that ${name} adds, parts of 0.5 s`);
  print(`joining with a plain playlist: mean ${mean.toFixed(0)} ms, ${summarize(joining, 'ms')}`);
  print(`following with held reloads, part downloaded: ${summarize(following, 'ms')}`);
}

/** A profile costs time, so it has an edge of its own. */
async function printProfile(): Promise<void> {
  const inspectorPort = await freePort();
  const edge = await startEdge('profiled', { core: SERVER_CORE, cacheMib: CACHE_MIB, inspectorPort });
  await fillWindow(edge);
  const target = {
    process: edge.process,
    serving: WORKERD,
    url: edge.url + edge.path(fileNames(edge).playlist),
  };
  await applyLoad(LOAD_CORE, target, WARM_UP_SECONDS);
  const functions = await profileWorker(inspectorPort, () => applyLoad(LOAD_CORE, target, PROFILE_SECONDS));
  print(`\nWhere our time goes: playlist from the cache, share of the samples in the Worker's isolate`);
  for (const { name, share } of functions.slice(0, PROFILED_FUNCTIONS)) {
    print(`${(share * 100).toFixed(1).padStart(5)} %  ${name}`);
  }
}
