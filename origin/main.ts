/** The origin: reads its environment and wires ingest, transcoding, packaging, publishing and control. */

import { join } from 'node:path';
import type { StreamName } from '#shared/identifiers.ts';
import { openControlPlane, type ControlPlane } from './control/control-plane.ts';
import { readiness } from './control/readiness.ts';
import type { StreamProvider, StreamStatus } from './control/stream-status.ts';
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
import { LiveSettings } from './live-settings.ts';
import { createLog, type Log } from './log.ts';
import { LogLevels } from './log-levels.ts';
import { createHttpClient, type HttpSend } from './publish/http-client.ts';
import { openObjectStore } from './publish/object-store.ts';
import { openObjectWriter } from './publish/object-writer.ts';
import { startRetention } from './publish/retention/start.ts';
import { Restreams } from './restream/restreams.ts';
import { ensureOriginId } from './redundancy/origin-id.ts';
import { RedundantStream } from './redundancy/redundant-stream.ts';
import { loadSettings, type Settings, type SettingsSources } from './settings.ts';
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

const sources: SettingsSources<Ladder> = { env: process.env, ladderSchema };
const settings = loadSettings(sources);
if (!settings.ok) {
  process.stderr.write(`${settings.failure.lines.join('\n')}\n`);
  process.exit(1);
}
const levels = new LogLevels(settings.value.logLevel);
const log = createLog({
  ...{ level: settings.value.logLevel, pretty: process.stdout.isTTY, name: 'origin' },
  onChild: (child) => levels.add(child),
});
levels.add(log);
try {
  await run(settings.value, log);
} catch (error) {
  // What has a code says all in its message; anything else is a bug, and its stack tells where.
  const expected = error instanceof Error && 'code' in error;
  log.fatal(expected ? {} : { err: error }, error instanceof Error ? error.message : String(error));
  process.exit(1);
}

async function run(config: Settings<Ladder>, rootLog: Log): Promise<void> {
  const found = await requireEncoders(config);
  await confineFfmpeg(config.ffmpeg, config.confinement, rootLog);
  const http = createHttpClient({ maxConnections: MAX_CONNECTIONS });
  const { live, control, encoders } = await openControl(config, found, { send: http.send, log: rootLog });
  const store = control.latencies.measureStore(openObjectStore(config.objectStore, http.send));
  const objects = await openObjectWriter({
    store,
    spoolFolder: join(config.dataDir, 'spool'),
    log: rootLog.child({ part: 'objects' }),
    limits: { spoolBytes: config.spoolBytes },
    onSettled: (key, how) => control.objectSettled(key, how),
  });
  await control.openLedger(objects);
  const reachable = await store.check();
  if (!reachable.ok) {
    rootLog.error(`object storage: ${reachable.failure.detail}; objects are kept on disk until it is there`);
  }
  const { edgeUrl, serviceToken } = config;
  const destinations = {
    ...{ edgeUrl, serviceToken, send: control.latencies.measureHub(http.send) },
    objects: control.accountFor(objects),
  };
  const restreams = new Restreams({
    streams: config.restreams,
    ffmpegPath: config.ffmpeg,
    folder: config.dataDir,
    log: rootLog.child({ part: 'restream' }),
  });
  const retention = startRetention({
    ...config,
    settings: config.retention,
    recordingOf: (stream) => control.settingsFor(stream).recording,
    send: http.send,
    log: rootLog.child({ part: 'retention' }),
  });
  const streams = new Map<StreamName, RedundantStream>();
  const origin = await ensureOriginId(config.dataDir);
  let stopping = false;
  const ingestLog = rootLog.child({ part: 'ingest' });
  const makeDeciders = (of: Settings<Ladder>) => publishDeciders(of, http.send, ingestLog);
  let deciders = await makeDeciders(config);
  const gate = new StreamGate({
    keys: new PublishKeys(config.publishSecret, control.keys),
    get deciders() {
      return deciders;
    },
    get maxStreams() {
      return live.current.maxStreams;
    },
    stoppedUntil: (stream) => control.stoppedUntil(stream),
    onStart: (feed, role) => streamOf(feed).attach(feed, role),
    log: ingestLog,
  });
  function streamOf(feed: MediaFeed): RedundantStream {
    const { stream } = feed;
    const known = streams.get(stream);
    if (known !== undefined) {
      return known;
    }
    const created = new RedundantStream({
      ...{ stream, origin, redundancy: live.current.redundancy },
      settings: control.settingsFor(stream),
      ffmpegPath: config.ffmpeg,
      encoders: encoders(),
      destinations,
      telemetry: control.streamBegins(stream),
      log: rootLog.child({ stream }),
      now: Date.now,
      tap: restreams.tap(stream),
      onOver: () => {
        if (streams.get(stream) === created) {
          control.streamOver(created.status());
          streams.delete(stream);
        }
      },
    });
    streams.set(stream, created);
    retention.noteStream(stream);
    return created;
  }
  const { host, ports } = config;
  const ingest = protectIngest(gate, config.ingestLimits, ingestLog);
  const rtmp = await startRtmpServer({
    host,
    port: ports.rtmp,
    ...ingest,
    log: rootLog.child({ part: 'rtmp' }),
  });
  const rtmpsLog = rootLog.child({ part: 'rtmps' });
  const rtmps = config.rtmps && (await startRtmpsServer({ host, ...config.rtmps, ...ingest, log: rtmpsLog }));
  const srt = await startSrt(live, { ingest: ingest.gate, pull: gate }, rootLog.child({ part: 'srt' }));
  const provider: StreamProvider = {
    listStreams: () => [...streams.values()].map((stream) => describe(stream.status(), { srt, restreams })),
    listPulls: () => srt?.pulls() ?? [],
    stopStream: (stream) => {
      streams.get(stream)?.end('ended through the control API');
      return streams.has(stream);
    },
    objectWriter: () => objects.stats,
    readiness: () => readiness({ config, stopping, hasSrt: srt !== undefined, objects, streams }),
  };
  live.onChange(async (changed) => {
    deciders = await makeDeciders(changed);
    srt?.pull(changed.srtStreams, gate);
    restreams.update(changed.restreams);
  });
  const { port } = await control.listen({ provider, srt: () => srt?.statistics() ?? [] });
  process.on('SIGHUP', () => void control.reload());
  rootLog.info({ rtmp: rtmp.port, rtmps: rtmps?.port, srt: srt?.port, control: port }, 'the origin is ready');
  await stopSignal();
  stopping = true;
  rootLog.info('stopping: what is under way is published first');
  await Promise.all([...streams.values()].map((stream) => stream.close()));
  for (const stream of streams.values()) {
    control.streamOver(stream.status(), 'origin-stopping');
  }
  await Promise.all([restreams.close(), rtmp.close(), rtmps?.close(), srt?.close(), retention.close()]);
  await objects.close(CLOSE_UPLOADS_MS);
  await control.close();
  http.close();
}

/** A stream's status with what its connection and its targets have to say. */
function describe(
  status: StreamStatus,
  parts: { readonly srt: SrtServer | undefined; readonly restreams: Restreams },
): StreamStatus {
  const { stream, remoteAddress } = status;
  const srt = parts.srt
    ?.statistics()
    .find((reading) => reading.stream === stream && reading.remoteAddress === remoteAddress);
  return { ...status, srt, restream: parts.restreams.status(stream) };
}

/** Settings that can be read again, and the control of streams. */
async function openControl(
  config: Settings<Ladder>,
  found: EncoderTable,
  { send, log: rootLog }: { readonly send: HttpSend; readonly log: Log },
): Promise<{
  readonly live: LiveSettings<Ladder>;
  readonly control: ControlPlane;
  /** What was found of encoders for the settings in force. */
  readonly encoders: () => EncoderTable;
}> {
  let inForce = found;
  let checked = found;
  const check = async (read: Settings<Ladder>): Promise<readonly string[]> => {
    const encoders = await setUpEncoders(config.ffmpeg, laddersOf(read), rootLog);
    checked = encoders.ok ? encoders.value : checked;
    return encoders.ok ? [] : [encoders.failure.detail];
  };
  const checkLadder = async (ladder: Ladder): Promise<readonly string[]> => {
    const encoders = await setUpEncoders(config.ffmpeg, [ladder], rootLog);
    return encoders.ok ? [] : [encoders.failure.detail];
  };
  const live = new LiveSettings({ sources, started: config, check });
  const control = await openControlPlane({ settings: live, levels, log: rootLog, send, checkLadder });
  live.onChange((_changed, reloaded) => {
    inForce = checked;
    return control.reloaded(reloaded);
  });
  return { live, control, encoders: () => inForce };
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
  const encoders = await setUpEncoders(config.ffmpeg, laddersOf(config), log);
  if (!encoders.ok) {
    throw new UnusableFfmpegError(encoders.failure.detail);
  }
  return encoders.value;
}

function laddersOf(config: Settings<Ladder>): readonly Ladder[] {
  return [config.defaults, ...config.streams.values()].map((one) => one.ladder ?? DEFAULT_LADDER);
}

/** Starts SRT, or says once why there is none: RTMP works without it. */
async function startSrt(
  live: LiveSettings<Ladder>,
  gates: { readonly ingest: IngestGate; readonly pull: StreamGate },
  srtLog: Log,
): Promise<SrtServer | undefined> {
  const { host, ports, srtLatency, srtStreams } = live.current;
  try {
    const server = await startSrtServer({
      ...{ host, port: ports.srt, gate: gates.ingest, log: srtLog, latencyMs: srtLatency },
      settingsOf: (stream) => live.current.srtStreams.get(stream),
    });
    server.pull(srtStreams, gates.pull);
    return server;
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
    for (const signal of ['SIGINT', 'SIGTERM', 'disconnect']) {
      process.once(signal, () => resolve());
    }
  });
}
