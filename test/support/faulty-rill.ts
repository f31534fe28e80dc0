/** An instance whose origin reaches edge and object storage over fault proxies, with one stream and one player. */

import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { createHttpClient } from '../../origin/publish/http-client.ts';
import { openObjectStore, type ObjectStore } from '../../origin/publish/object-store.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { COPIED_PICTURE_LADDER } from './ladders.ts';
import { fetchPlaylist, fetchVariants, until } from './live-client.ts';
import { listDescendants } from './process-usage.ts';
import { startRill, type RillInstance } from './rill-instance.ts';
import { startStampedPublisher, type StampedPublisher } from './stamped-publisher.ts';
import { compareWithStorage, type Comparison } from './stored-media.ts';
import { TolerantPlayer } from './tolerant-player.ts';

const PRELOAD = new URL('origin-preload.ts', import.meta.url).href;
/** What an encoder waits before it connects again. */
const RECONNECT_MS = 500;
const SEED = 20_260_101;
const targetsSchema = z.object({ edge: z.url(), storage: z.url() });
const secretsSchema = z.object({ s3AccessKeyId: z.string(), s3SecretAccessKey: z.string() });

/** What a scenario does its worst to. */
export interface FaultyRill {
  readonly rill: RillInstance;
  /** Between origin and object storage. */
  readonly storage: FaultProxy;
  /** Between origin and edge. */
  readonly edge: FaultProxy;
  readonly player: TolerantPlayer;
  /** A metric of the origin without labels, or the sum over its labels; `undefined` while the origin is away. */
  metric(name: string): Promise<number | undefined>;
  /** Sends a signal to the processes whose command line holds `command`; returns how many there were. */
  signal(command: string, signal: NodeJS.Signals): number;
  /** Sets the origin's wall clock ahead of the real one. */
  stepClock(milliseconds: number): void;
  /** Ends the encoder, and with it the stream. */
  stopPublishing(): Promise<void>;
  /** Compares everything that the playlists name with what is in object storage, byte for byte. */
  compare(): Promise<Comparison>;
  /** Lines of the log that hold `text`. */
  logged(text: string): number;
  stop(): Promise<void>;
}

/** Starts it and waits until the player plays. */
export async function startFaultyRill(
  config: object = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<FaultyRill> {
  const folder = await mkdtemp(join(tmpdir(), 'rill-faults-'));
  const target = (name: 'edge' | 'storage') => () =>
    new URL(targetsSchema.parse(JSON.parse(readFileSync(join(folder, 'targets.json'), 'utf8')))[name]);
  const storage = await startFaultProxy(target('storage'), SEED);
  const edge = await startFaultProxy(target('edge'), SEED);
  const rill = await startRill(
    { partTarget: 0.5, dvr: '15m', ladder: COPIED_PICTURE_LADDER, ...config },
    {
      NODE_OPTIONS: `--import ${PRELOAD}`,
      RILL_TEST_FAULTS: folder,
      RILL_TEST_EDGE: edge.url,
      RILL_TEST_STORAGE: storage.url,
      RILL_OPEN_METRICS: 'true',
      ...environment,
    },
  );
  const publishUrl = await rill.rill('publish-url', 'faulty', '--rtmp');
  let publisher: StampedPublisher;
  let publishing = true;
  const publish = (): void => {
    publisher = startStampedPublisher({ url: publishUrl, gopSeconds: 1 });
    publisher.process.once('exit', () => setTimeout(() => publishing && publish(), RECONNECT_MS));
  };
  publish();
  const playUrl = await rill.rill('play-url', 'faulty');
  const { variants, audio } = await until('a variant', async () => {
    const playlists = await fetchVariants(playUrl);
    return playlists.variants.length > 0 ? playlists : undefined;
  });
  const [variant = ''] = variants;
  await until('two segments', async () =>
    (await fetchPlaylist(variant)).segments.length >= 2 ? true : undefined,
  );
  const player = new TolerantPlayer(variant);
  const client = createHttpClient({ maxConnections: 8 });
  return {
    rill,
    storage,
    edge,
    player,
    metric: (name) => readMetric(rill.ports.control, name),
    signal: (command, signal) => {
      const found = listDescendants(rill.processId).filter((one) => one.command.includes(command));
      for (const { processId } of found) {
        process.kill(processId, signal);
      }
      return found.length;
    },
    stepClock: (milliseconds) => writeFileSync(join(folder, 'clock-offset-ms'), String(milliseconds)),
    stopPublishing: async () => {
      publishing = false;
      await publisher.stop();
    },
    compare: async () => {
      const store = await storeOf(rill.dataDir, target('storage')(), client.send);
      return compareWithStorage([variant, ...audio], store, player.downloaded);
    },
    logged: (text) =>
      rill
        .output()
        .split('\n')
        .filter((line) => line.includes(text)).length,
    stop: async () => {
      publishing = false;
      await player.stop();
      await publisher.stop();
      await rill.stop();
      await Promise.all([storage.close(), edge.close()]);
      client.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function storeOf(
  dataDir: string,
  endpoint: URL,
  send: ReturnType<typeof createHttpClient>['send'],
): Promise<ObjectStore> {
  const secrets = secretsSchema.parse(JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')));
  const { s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = secrets;
  return openObjectStore(
    { endpoint, bucket: 'rill-media', region: 'auto', accessKeyId, secretAccessKey },
    send,
  );
}

async function readMetric(port: number, name: string): Promise<number | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(2_000) });
    const lines = (await answer.text()).split('\n').filter((line) => line.startsWith(name));
    const values = lines.filter(
      (line) => /^[a-z_]+(\{[^}]*\})? /.test(line) && line.split(/[{ ]/)[0] === name,
    );
    return values.length === 0
      ? undefined
      : values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  } catch {
    return undefined;
  }
}
