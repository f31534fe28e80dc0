import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseStreamName, type StreamName } from '#shared/identifiers.ts';
import { createLog } from '../../origin/log.ts';
import { createHttpClient } from '../../origin/publish/http-client.ts';
import { fetchHubPosition } from '../../origin/publish/hub-position.ts';
import { openObjectCleaner, type ObjectCleaner } from '../../origin/publish/object-cleaner.ts';
import { KnownStreams } from '../../origin/publish/retention/known-streams.ts';
import { RetentionSweeper } from '../../origin/publish/retention/sweeper.ts';
import { EDGE_SECRETS, startEdgeAlone, type EdgeAlone } from '../support/edge-alone.ts';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import { fetchMedia, fetchPlaylist, until } from '../support/live-client.ts';
import { PARTS_PER_SEGMENT, RENDITION } from '../support/scripted-origin.ts';

const SEGMENTS = 25;
/** Segments that the playlist names. */
const WINDOW = 10;
const STREAM = 'show';
const OLD_EPOCH = 1_700_000_000;
const HOUR_MS = 3_600_000;

let edge: EdgeAlone;
let proxy: FaultProxy;
let folder: string;
let streams: KnownStreams;
const http = createHttpClient({ maxConnections: 8 });

beforeAll(async () => {
  edge = await startEdgeAlone({ cacheMib: 0 });
  proxy = await startFaultProxy(() => new URL(edge.store.endpoint), 7);
  folder = await mkdtemp(join(tmpdir(), 'rill-retention-'));
  streams = new KnownStreams(folder);
  streams.add(nameOf(STREAM));
  for (const name of ['init.mp4', '7.0.m4s', '7.1.m4s', '7.m4s', '8.0.m4s']) {
    await edge.putObject(`live/${STREAM}/${OLD_EPOCH}/${RENDITION}/${name}`, name);
  }
  await edge.putObject(`live/other/${OLD_EPOCH}/${RENDITION}/7.m4s`, 'of a stream that others publish');
  await edge.putObject(key('init.mp4'), 'init');
  for (let count = 0; count < SEGMENTS * PARTS_PER_SEGMENT; count += 1) {
    const { msn, part } = await edge.origin.publishPart(new TextEncoder().encode(String(segmentOf(count))));
    await edge.putObject(key(`${msn}.${part}.m4s`), `${msn}`);
    if (part === PARTS_PER_SEGMENT - 1) {
      await edge.putObject(key(`${msn}.m4s`), `${msn}`.repeat(PARTS_PER_SEGMENT));
    }
  }
});
afterAll(async () => {
  await proxy?.close();
  await edge?.stop();
  http.close();
  await rm(folder, { recursive: true, force: true });
});

test('parts go when their segment is stored, segments stay for as long as the policy says', async () => {
  const sweeper = startSweeper({ keepMs: Number.POSITIVE_INFINITY });
  await until('the parts to be gone', async () =>
    (await names()).filter(isPart).length <= 12 ? true : undefined,
  );
  await sweeper.close();
  const left = await names();
  expect(left.filter((name) => !isPart(name))).toHaveLength(SEGMENTS + 1);
  expect(await names(OLD_EPOCH)).toEqual(['7.m4s', '8.0.m4s', 'init.mp4']);
  await everythingListedIsThere();
});

test('a store that fails a third of the time and a sweep that is cut short only make it later', async () => {
  proxy.set({ kind: 'status', statuses: [500, 503], share: 0.35 });
  const first = startSweeper({ keepMs: 0 });
  await until('a first deletion', () => (first.stats.deletedObjects > 0 ? true : undefined));
  await first.close();
  streams = new KnownStreams(folder);
  const second = startSweeper({ keepMs: 0 });
  await until('the rest', async () => ((await names()).length <= WINDOW + 1 + 12 ? true : undefined));
  await second.close();
  proxy.set({ kind: 'none' });
  expect(first.stats.failedSweeps + second.stats.failedSweeps).toBeGreaterThan(0);
  expect(await names(OLD_EPOCH)).toEqual([]);
  expect((await names()).filter((name) => !isPart(name))).toHaveLength(WINDOW + 1);
  await everythingListedIsThere();
});

test("what others publish is not this origin's to delete", async () => {
  expect(await names(OLD_EPOCH, 'other')).toEqual(['7.m4s']);
});

test('a stream of which nothing is left, and which no playlist names, is forgotten', async () => {
  streams.add(nameOf('gone'));
  const sweeper = startSweeper({ keepMs: 0 });
  await until('it to be forgotten', () => (streams.names.length === 1 ? true : undefined));
  await sweeper.close();
  expect(await readdir(folder)).toEqual([STREAM]);
});

/** Time passes a hundred times as fast for it, and storage's clock is hours ahead. */
function startSweeper({ keepMs }: { readonly keepMs: number }): RetentionSweeper {
  const began = performance.now();
  return new RetentionSweeper({
    cleaner: hoursLater(cleaner()),
    streams,
    keepMs: () => keepMs,
    position: (stream) =>
      fetchHubPosition({
        edgeUrl: new URL(edge.url),
        serviceToken: EDGE_SECRETS.serviceToken,
        stream,
        send: http.send,
        tries: 1,
      }),
    sweepEveryMs: 50,
    requestPauseMs: 1,
    now: () => began + (performance.now() - began) * 100,
    wallClock: Date.now,
    log: createLog({ level: 'silent', pretty: false, name: 'test' }),
  });
}

function cleaner(): ObjectCleaner {
  const { s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = EDGE_SECRETS;
  const endpoint = new URL(new URL(edge.store.endpoint).pathname, proxy.url);
  return openObjectCleaner({ ...edge.store, endpoint, accessKeyId, secretAccessKey }, http.send);
}

function hoursLater(real: ObjectCleaner): ObjectCleaner {
  return {
    ...real,
    list: async (prefix, from) => {
      const page = await real.list(prefix, from);
      return page.ok ? { ...page, value: { ...page.value, now: Date.now() + HOUR_MS } } : page;
    },
  };
}

async function everythingListedIsThere(): Promise<void> {
  const url = `${edge.streamUrl}/${RENDITION}/index.m3u8`;
  const playlist = await fetchPlaylist(url);
  const left = new Set(await names());
  for (const { uri, msn } of playlist.segments) {
    expect(left.has(`${msn}.m4s`), uri).toBe(true);
    await fetchMedia(url, uri);
  }
  for (const { msn, part } of playlist.parts) {
    expect(left.has(`${msn}.${part}.m4s`), `${msn}.${part}`).toBe(true);
  }
  expect(left.has('init.mp4')).toBe(true);
}

async function names(epoch: number = edge.origin.epoch, stream = STREAM): Promise<readonly string[]> {
  const prefix = `live/${stream}/${epoch}/${RENDITION}/`;
  const page = await until('a listing', async () => {
    const listed = await cleaner().list(prefix, undefined);
    return listed.ok ? listed.value : undefined;
  });
  return page.objects.map((object) => object.key.slice(prefix.length));
}

function key(name: string): string {
  return `live/${STREAM}/${edge.origin.epoch}/${RENDITION}/${name}`;
}

function segmentOf(count: number): number {
  return Math.floor(count / PARTS_PER_SEGMENT);
}

function isPart(name: string): boolean {
  return name.split('.').length === 3;
}

function nameOf(text: string): StreamName {
  const name = parseStreamName(text);
  if (!name.ok) {
    throw new TypeError(text);
  }
  return name.value;
}
