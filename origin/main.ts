/** The origin: reads its environment and wires ingest, transcoding, packaging, publishing and control. */

import { join } from 'node:path';
import type { StreamName } from '#shared/identifiers.ts';
import { startControlServer } from './control/control-server.ts';
import type { StreamProvider } from './control/stream-status.ts';
import type { PublishDecider } from './ingest/access/publish-decision.ts';
import { PublishKeys } from './ingest/access/publish-keys.ts';
import { createTokenDecider } from './ingest/access/publish-token.ts';
import { WebhookDecider, type Post } from './ingest/access/publish-webhook.ts';
import type { IngestGate, MediaFeed } from './ingest/media-feed.ts';
import { protectIngest } from './ingest/protection/protection.ts';
import { startRtmpServer } from './ingest/rtmp/rtmp-server.ts';
import { startRtmpsServer } from './ingest/rtmp/rtmps-server.ts';
import { SrtUnavailableError } from './ingest/srt/srt-error.ts';
import { startSrtServer, type SrtServer } from './ingest/srt/srt-server.ts';
import { StreamGate } from './ingest/stream-gate.ts';
import { createLog, type Log } from './log.ts';
import { createHttpClient, type HttpSend } from './publish/http-client.ts';
import { openObjectStore } from './publish/object-store.ts';
import { openObjectWriter } from './publish/object-writer.ts';
import { loadSettings, settingsForStream, type Settings } from './settings.ts';
import { LiveStream } from './stream/live-stream.ts';
import { confineFfmpeg } from './transcode/confinement/confinement.ts';
import { setUpEncoders } from './transcode/encoder-setup.ts';
import type { EncoderTable } from './transcode/encoder-table.ts';
import { DEFAULT_LADDER, ladderSchema, type Ladder } from './transcode/ladder.ts';

/** Connections to the edge and to object storage, each. */
const MAX_CONNECTIONS = 32;
/** Time for uploads to finish when the origin stops, milliseconds; the rest goes to disk for the next start. */
const CLOSE_UPLOADS_MS = 3_000;

/** There is no ffmpeg that will do; the message names the remedy. */
class UnusableFfmpegError extends Error {
  override readonly name = 'UnusableFfmpegError';
  readonly code = 'unusable-ffmpeg';
}

const settings = loadSettings({ env: process.env, ladderSchema });
if (!settings.ok) {
  process.stderr.write(`${settings.failure.lines.join('\n')}\n`);
  process.exit(1);
}
const log = createLog({ level: settings.value.logLevel, pretty: process.stdout.isTTY, name: 'origin' });
try {
  await run(settings.value, log);
} catch (error) {
  // What has a code says all in its message; anything else is a bug, and its stack tells where.
  const expected = error instanceof Error && 'code' in error;
  log.fatal(expected ? {} : { err: error }, error instanceof Error ? error.message : String(error));
  process.exit(1);
}

async function run(config: Settings<Ladder>, rootLog: Log): Promise<void> {
  const encoders = await requireEncoders(config);
  await confineFfmpeg(config.ffmpeg, config.confinement, rootLog);
  const http = createHttpClient({ maxConnections: MAX_CONNECTIONS });
  const store = openObjectStore(config.objectStore, http.send);
  const objects = await openObjectWriter({
    store,
    spoolFolder: join(config.dataDir, 'spool'),
    log: rootLog.child({ part: 'objects' }),
    limits: { spoolBytes: config.spoolBytes },
  });
  const reachable = await store.check();
  if (!reachable.ok) {
    rootLog.error(`object storage: ${reachable.failure.detail}; objects are kept on disk until it is there`);
  }
  const { edgeUrl, serviceToken } = config;
  const destinations = { edgeUrl, serviceToken, send: http.send, objects };
  const streams = new Map<StreamName, LiveStream>();
  const gate = new StreamGate({
    keys: new PublishKeys(config.publishSecret, config.publish.keys),
    deciders: await publishDeciders(config, http.send, rootLog.child({ part: 'ingest' })),
    maxStreams: config.maxStreams,
    onStart: (feed) => streamOf(feed).attach(feed),
    log: rootLog.child({ part: 'ingest' }),
  });
  function streamOf(feed: MediaFeed): LiveStream {
    const { stream } = feed;
    const known = streams.get(stream);
    if (known !== undefined) {
      return known;
    }
    const created = new LiveStream({
      stream,
      settings: settingsForStream(config, stream),
      ffmpegPath: config.ffmpeg,
      encoders,
      destinations,
      log: rootLog.child({ stream }),
      now: Date.now,
      onOver: () => streams.delete(stream),
    });
    streams.set(stream, created);
    return created;
  }
  const { host, ports } = config;
  const ingest = protectIngest(gate, config.ingestLimits, rootLog.child({ part: 'ingest' }));
  const rtmp = await startRtmpServer({
    host,
    port: ports.rtmp,
    ...ingest,
    log: rootLog.child({ part: 'rtmp' }),
  });
  const rtmpsLog = rootLog.child({ part: 'rtmps' });
  const rtmps = config.rtmps && (await startRtmpsServer({ host, ...config.rtmps, ...ingest, log: rtmpsLog }));
  const srt = await startSrt(config, ingest.gate, rootLog.child({ part: 'srt' }));
  const provider: StreamProvider = {
    listStreams: () => [...streams.values()].map((stream) => stream.status()),
    stopStream: (stream) => gate.stop(stream, 'ended through the control API'),
    objectWriter: () => objects.stats,
    readiness: () => ({
      ready: true,
      checks: {
        rtmp: 'ok',
        srt: srt === undefined ? 'libsrt is missing' : 'ok',
        objects: objects.stats.away ? 'object storage is away' : 'ok',
      },
    }),
  };
  const control = await startControlServer({
    host,
    port: ports.control,
    token: config.controlToken,
    openMetrics: config.openMetrics,
    streams: provider,
    log: rootLog.child({ part: 'control' }),
  });
  rootLog.info(
    { rtmp: rtmp.port, rtmps: rtmps?.port, srt: srt?.port, control: control.port },
    'the origin is ready',
  );
  await stopSignal();
  rootLog.info('stopping: what is under way is published first');
  await Promise.all([...streams.values()].map((stream) => stream.close()));
  await Promise.all([rtmp.close(), rtmps?.close(), srt?.close(), control.close()]);
  await objects.close(CLOSE_UPLOADS_MS);
  http.close();
}

/** Who else decides on publishers, in the order in which they are asked. */
async function publishDeciders(
  { publish }: Settings<Ladder>,
  send: HttpSend,
  ingestLog: Log,
): Promise<readonly PublishDecider[]> {
  const { tokenKeys, webhook } = publish;
  const post: Post = (request) => send({ method: 'POST', ...request });
  const parts = { post, log: ingestLog, now: Date.now };
  return [
    ...(tokenKeys.length === 0 ? [] : [await createTokenDecider(tokenKeys, Date.now)]),
    ...(webhook === undefined ? [] : [new WebhookDecider(webhook, parts)]),
  ];
}

async function requireEncoders(config: Settings<Ladder>): Promise<EncoderTable> {
  const ladders = [config.defaults, ...config.streams.values()].map((one) => one.ladder ?? DEFAULT_LADDER);
  const encoders = await setUpEncoders(config.ffmpeg, ladders, log);
  if (!encoders.ok) {
    throw new UnusableFfmpegError(encoders.failure.detail);
  }
  return encoders.value;
}

/** Starts SRT, or says once why there is none: RTMP works without it. */
async function startSrt(
  config: Settings<Ladder>,
  gate: IngestGate,
  srtLog: Log,
): Promise<SrtServer | undefined> {
  const { host, ports, srtLatency } = config;
  try {
    return await startSrtServer({ host, port: ports.srt, gate, log: srtLog, latencyMs: srtLatency });
  } catch (error) {
    if (error instanceof SrtUnavailableError) {
      srtLog.warn(error.message);
      return undefined;
    }
    throw error;
  }
}

/** Resolves when somebody asks the process to stop, or when the one that started it is gone. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect']) {
      process.once(signal, () => resolve());
    }
  });
}
